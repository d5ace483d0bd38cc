"""How pages are served, the console's and the portal's: two engines, a schema that fits, and a server with bounds."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
import typer
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from activities.database import Database, DatabaseUnavailableError, SchemaMismatchError, create_engine
from activities.events.bounded_http import Connections, HttpLimits, fitting
from migrations.source import functions_hash
from settings import Settings, configure_logging, load_settings
from telemetry.health import database_answers
from telemetry.process import observed

log = structlog.get_logger(__name__)

# Who looks at a page waits no longer, and a page that reads more is one to mend.
READ_SECONDS = 2.0
WRITING_CONNECTIONS = 4


@dataclass(frozen=True)
class PageDatabases:
    """The database for what only reads, which gives up soon, and for what writes."""

    reading: Database
    writing: Database


@asynccontextmanager
async def page_databases(settings: Settings, process: str) -> AsyncIterator[PageDatabases]:
    """Observe a process of pages and connect it. Raises SchemaMismatchError and DatabaseUnavailableError."""
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(observed(settings, process))
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
        yield PageDatabases(Database(reading, timeout_seconds=READ_SECONDS), database)


async def alive(_request: Request) -> Response:
    """Say that the process answers, whatever its database does."""
    return JSONResponse({"status": "alive"})


def readiness(ask: Callable[[], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    """Make the page that says whether pages can be shown now; `ask` is a question to the database."""

    async def ready(_request: Request) -> Response:
        try:
            await ask()
        except (DatabaseUnavailableError, SchemaMismatchError) as error:
            state = "not migrated" if isinstance(error, SchemaMismatchError) else "unavailable"
            return JSONResponse({"status": f"database {state}"}, status_code=503)
        return JSONResponse({"status": "ready"})

    return ready


async def serve_pages(app: ASGIApp, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    connections = Connections(fitting(HttpLimits()))
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, **connections.server_options()
    )
    await uvicorn.Server(config).serve()


def run_pages(process: str, serve: Callable[[Settings], Awaitable[None]]) -> None:
    """Run a process of pages to its end; what keeps it from starting is one line, and exit code 1."""
    configure_logging(settings := load_settings())

    async def served() -> None:
        await serve(settings)

    try:
        asyncio.run(served())
    except (DatabaseUnavailableError, SchemaMismatchError, RuntimeError) as error:
        event = f"{process}_not_started"
        log.error(event, error=type(error).__name__, reason=str(error))  # noqa: TRY400
        raise typer.Exit(1) from error
