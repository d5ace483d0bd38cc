"""The console for people who work with money: pages over the database, and the use cases of the command line."""

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import Annotated

import structlog
import typer
import uvicorn

from activities.console.approvals import Approvals
from activities.console.forms import ConsoleForms
from activities.console.passkeys import Passkeys
from activities.console.users import Users
from activities.database import Database, DatabaseUnavailableError, SchemaMismatchError, create_engine
from activities.events.bounded_http import Connections, HttpLimits, fitting
from migrations.source import functions_hash
from settings import Settings, configure_logging, load_settings
from telemetry.health import database_answers
from telemetry.process import observed
from web.app import build_app
from web.assets import Assets
from web.context import Web
from web.rendering import Pages
from web.sign_in_limits import SignInLimits

log = structlog.get_logger(__name__)

# Who looks at a page waits no longer, and a page that reads more is one to mend.
READ_SECONDS = 2.0
WRITING_CONNECTIONS = 4


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Temporal and the gateway may be away: pages are read from the database alone."""
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(observed(settings, "console"))
        reading = create_engine(
            settings.database_url, pool=settings.database_pool, timeout_seconds=READ_SECONDS, is_for_reading=True
        )
        writing = create_engine(
            settings.database_url, pool=WRITING_CONNECTIONS, timeout_seconds=settings.database_timeout_seconds
        )
        stack.push_async_callback(reading.dispose)
        stack.push_async_callback(writing.dispose)
        database = Database(writing, timeout_seconds=settings.database_timeout_seconds)
        if not await database.verify(functions_hash()):
            log.warning("schema_differs", advice="migrate with the newer release, then restart the older processes")
        telemetry.readiness.require("database", database_answers(database))
        web = Web(
            settings,
            Database(reading, timeout_seconds=READ_SECONDS),
            Users(database),
            Passkeys(database),
            ConsoleForms(database),
            Approvals(database),
            Pages(assets := Assets()),
            SignInLimits(),
        )
        connections = Connections(fitting(HttpLimits()))
        gc.collect()
        gc.freeze()
        config = uvicorn.Config(
            build_app(web, assets),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            **connections.server_options(),
        )
        await uvicorn.Server(config).serve()


def main(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8010,
) -> None:
    """Serve the console until told to stop."""
    configure_logging(settings := load_settings())
    try:
        asyncio.run(serve(settings, host, port))
    except (DatabaseUnavailableError, SchemaMismatchError, RuntimeError) as error:
        log.error("console_not_started", error=type(error).__name__, reason=str(error))  # noqa: TRY400
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
