"""The portal for customers: their documents, payments, cards and details, entered by a link that is mailed."""

import gc

# What is imported stays: to look for garbage in it would take a quarter of the start.
gc.disable()

from collections import Counter
from typing import Annotated

import typer

from settings import Settings
from web.assets import own_assets
from web.portal.app import build_portal
from web.portal.context import Portal
from web.portal.words import PortalPages
from web.serving import page_databases, run_pages, serve_pages

gc.freeze()
gc.enable()


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Temporal and the gateway may be away: pages are read from the database alone."""
    if not settings.portal_url:
        raise RuntimeError("DULY_PORTAL_URL is not set: customers are led there, and forms must come from there")
    async with page_databases(settings, "portal") as databases:
        assets, counts = own_assets(), Counter[str]()
        portal = Portal(settings, databases.reading, databases.writing, PortalPages(assets))
        await serve_pages(build_portal(portal, assets, counts), host, port)


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8020,
) -> None:
    """Serve the portal until told to stop."""
    run_pages("portal", lambda settings: serve(settings, host, port))


if __name__ == "__main__":
    typer.run(main)
