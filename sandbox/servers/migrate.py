"""Brings a database of the embedded stack to the schema of this release."""

import asyncio

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from migrations import run
from sandbox.servers.processes import PartError

PART = "Migrations"
HINT = "They run under DULY_MIGRATION_DATABASE_URL, the role that owns the tables; without it, under DULY_DATABASE_URL."


async def migrate(owner_url: str) -> None:
    """Migrate under the owner's role; PartError says what refused."""
    try:
        await asyncio.to_thread(run.migrate, owner_url)
    except DBAPIError as error:
        raise PartError(PART, f"{str(error.orig).strip()}\n{HINT}") from error
    except CommandError as error:
        raise PartError(PART, str(error)) from error
