"""Brings a database to the newest revision of `migrations/`."""

import argparse
import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from sandbox.processes import PartError

PART = "Migrations"
HINT = "They run under DULY_MIGRATION_DATABASE_URL, the role that owns the tables; without it, under DULY_DATABASE_URL."
MIGRATIONS = Path(__file__).parent.parent / "migrations"


async def migrate(owner_url: str) -> None:
    """Run the missing revisions, if any, under the owner's role; PartError says what refused."""
    try:
        await asyncio.to_thread(_upgrade, owner_url)
    except DBAPIError as error:
        raise PartError(PART, f"{str(error.orig).strip()}\n{HINT}") from error
    except CommandError as error:
        raise PartError(PART, str(error)) from error


def _upgrade(owner_url: str) -> None:
    config = Config(cmd_opts=argparse.Namespace(x=[f"url={owner_url}"]))
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
