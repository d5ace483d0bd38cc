"""Brings a database of the embedded stack to the schema of this release."""

import asyncio

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from migrations import run
from sandbox.servers.processes import ServiceError

SERVICE = "Migrations"
ADVICE = (
    "They run under DULY_MIGRATION_DATABASE_URL, the role that owns the tables; without it, under DULY_DATABASE_URL."
)


async def migrate(owner_url: str) -> None:
    """Migrate under the owner's role; ServiceError says what refused."""
    try:
        await asyncio.to_thread(run.migrate, owner_url)
    except DBAPIError as error:
        raise ServiceError(SERVICE, f"{str(error.orig).strip()}\n{ADVICE}") from error
    except CommandError as error:
        raise ServiceError(SERVICE, str(error)) from error
