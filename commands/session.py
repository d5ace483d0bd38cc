"""The settings and connections of one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError
from temporalio.client import Client

from activities.database import Database, create_engine
from commands.output import ExitCode, Failure
from commands.runner import unreachable
from models.problem import Problem
from settings import Settings, configure_logging, environment_name
from workflows.client import connect


def read_settings() -> Settings:
    """Read the settings. Raises Failure with a problem for each wrong one; values are never in it."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise Failure(ExitCode.USAGE, setting_problems(error)) from None
    configure_logging(settings)
    return settings


def setting_problems(error: ValidationError) -> list[Problem]:
    """Return the problems of settings by the names of their variables."""
    problems = []
    for problem in error.errors(include_input=False, include_url=False):
        place = str(problem["loc"][0]) if problem["loc"] else "settings"
        name = environment_name(place) if place in Settings.model_fields else place
        problems.append(Problem(name, str(problem["type"]), problem["msg"].removeprefix("Value error, ")))
    return problems


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[Database]:
    """Open the database for one command, under the runtime role."""
    seconds = settings.database_timeout_seconds
    engine = create_engine(settings.database_url, pool=2, timeout_seconds=seconds)
    database = Database(engine, timeout_seconds=seconds)
    try:
        yield database
    finally:
        await database.dispose()


async def temporal_of(settings: Settings) -> Client:
    """Connect to Temporal. Raises Failure when nobody answers there."""
    key = settings.temporal_api_key
    try:
        return await connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            tls=settings.temporal_tls,
            api_key=key.get_secret_value() if key else None,
        )
    except RuntimeError as error:
        raise unreachable(
            "DULY_TEMPORAL_ADDRESS", "temporal_reachable", f"Temporal does not answer at {settings.temporal_address}"
        ) from error
