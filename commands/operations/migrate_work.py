"""Migrating the database."""

import asyncio

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import create_engine, pool
from sqlalchemy.exc import DBAPIError, OperationalError

from commands.operations.migrations import configuration
from commands.output import Output
from commands.runner import unreachable
from commands.session import read_settings
from models.problem import refusal


async def upgrade(output: Output) -> None:
    """Bring the database to the newest revision and say where it was. Raises Failure when nobody answers there."""
    url = read_settings().owner_database_url
    try:
        before = await asyncio.to_thread(_revision, url)
        await asyncio.to_thread(command.upgrade, configuration(url), "head")
        after = await asyncio.to_thread(_revision, url)
    except OperationalError as error:
        problem = "the database does not answer under the owner's role"
        raise unreachable("DULY_MIGRATION_DATABASE_URL", "database_reachable", problem) from error
    except (CommandError, DBAPIError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise refusal("database", "migration_applies", reason) from error
    said = f"The schema is at {after}, the newest." if before == after else f"Migrated from {before} to {after}."
    output.answer({"before": before, "after": after}, said)


def _revision(url: str) -> str | None:
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": 5})
    with engine.connect() as connection:
        return MigrationContext.configure(connection, opts={"version_table_schema": "duly"}).get_current_revision()
