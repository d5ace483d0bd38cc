"""The console for people who work with money: pages over the database, and the use cases of the command line."""

import gc

# What is imported stays: to look for garbage in it would take a quarter of the start.
gc.disable()

from typing import Annotated

import typer

from activities.console.approvals import Approvals
from activities.console.forms import ConsoleForms
from activities.console.mass_actions import MassActions
from activities.console.passkeys import Passkeys
from activities.console.saved_views import SavedViews
from activities.console.users import Users
from settings import Settings
from web.app import build_app
from web.assets import own_assets
from web.context import Web
from web.rendering import Pages
from web.serving import page_databases, run_pages, serve_pages
from web.sign_in_limits import SignInLimits

gc.freeze()
gc.enable()


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Temporal and the gateway may be away: pages are read from the database alone."""
    async with page_databases(settings, "console") as databases:
        database = databases.writing
        web = Web(
            settings,
            databases.reading,
            Users(database),
            Passkeys(database),
            ConsoleForms(database),
            Approvals(database),
            SavedViews(database),
            MassActions(database),
            Pages(assets := own_assets()),
            SignInLimits(),
        )
        await serve_pages(build_app(web, assets), host, port)


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8010,
) -> None:
    """Serve the console until told to stop."""
    run_pages("console", lambda settings: serve(settings, host, port))


if __name__ == "__main__":
    typer.run(main)
