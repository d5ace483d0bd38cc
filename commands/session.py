"""The settings and connections of one command."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar

from pydantic import ValidationError
from temporalio.client import Client

from activities.database import Database, DatabaseUnavailableError, SchemaMismatchError, create_engine
from activities.recovery.command_fence import CommandFence
from commands import tracing
from commands.failures import connection_failure
from commands.output import ExitCode, Failure
from models.problem import Problem
from settings import Settings, configure_logging, setting_problems
from workflows.client import TemporalAccessError, TemporalUnansweredError, connect

NONE_GIVEN = "they come from the environment; to look around, run `make up` in this folder, which sets them all"

_is_served: ContextVar[bool] = ContextVar("is_served", default=False)


@contextmanager
def served() -> Iterator[None]:
    """Say that a server does what a command does: its log is set up, and stays as it is."""
    token = _is_served.set(True)
    try:
        yield
    finally:
        _is_served.reset(token)


def read_settings() -> Settings:
    """Read the settings. Raises Failure with a problem for each wrong one; values are never in it."""
    try:
        settings = Settings()
    except ValidationError as error:
        problems = [Problem(name, rule, message) for name, rule, message in setting_problems(error)]
        if all(problem.rule == "missing" for problem in problems):
            problems.append(Problem("settings", "settings_given", NONE_GIVEN))
        raise Failure(ExitCode.USAGE, problems) from None
    if not _is_served.get():
        configure_logging(settings, is_typed=True)
    return settings


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[Database]:
    """Open the database for a command that writes. Raises SendingHeldError while a restore is not recovered from."""
    async with unfenced_database_of(settings) as unfenced:
        fence = CommandFence(unfenced, settings.provider, lambda: temporal_of(settings))
        await fence.compare()
        database = unfenced.another()
        fence.lend(database)
        yield database


@asynccontextmanager
async def reading_database_of(settings: Settings) -> AsyncIterator[Database]:
    """Open the database for a command that only reads, whatever is held: the server lets it write nothing."""
    async with _opened(settings, is_for_reading=True) as database:
        yield database


@asynccontextmanager
async def unfenced_database_of(settings: Settings) -> AsyncIterator[Database]:
    """Open the database for whoever compares or recovers it."""
    async with _opened(settings, is_for_reading=False) as database:
        yield database


@asynccontextmanager
async def _opened(settings: Settings, *, is_for_reading: bool) -> AsyncIterator[Database]:
    seconds = settings.database_timeout_seconds
    engine = create_engine(settings.database_url, pool=3, timeout_seconds=seconds, is_for_reading=is_for_reading)
    database = Database(engine, timeout_seconds=seconds)
    try:
        yield database
    finally:
        await database.dispose()


async def temporal_for_orders(settings: Settings) -> Client:
    """Connect to Temporal for a command that starts a workflow or orders something of one.

    Raises SendingHeldError where the database was restored: the workflow would be ended by the recovery, and the order
    lost. A database that does not answer refuses no order: workers ask it again before they do anything.
    """
    client = await temporal_of(settings)

    async def connected() -> Client:
        return client

    async with unfenced_database_of(settings) as database:
        with suppress(DatabaseUnavailableError, SchemaMismatchError):
            await CommandFence(database, settings.provider, connected).require_open()
    return client


async def temporal_of(settings: Settings) -> Client:
    """Connect to Temporal. Raises Failure when nobody answers there, or a setting keeps us out."""
    try:
        return await connect(**settings.temporal_connection, interceptors=tracing.interceptors(settings))
    except (TemporalAccessError, TemporalUnansweredError) as error:
        raise connection_failure(error) from error
