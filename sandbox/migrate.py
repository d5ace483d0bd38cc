"""Brings a database to the newest revision of `migrations/`."""

import argparse
import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from sandbox.processes import PartError

PART = "Migrations"
MIGRATIONS = Path(__file__).parent.parent / "migrations"


async def migrate(owner_url: str) -> None:
    """Run the missing revisions, if any, under the owner's role; PartError says what refused."""
    if not (MIGRATIONS / "env.py").exists():
        return
    try:
        await asyncio.to_thread(_upgrade, owner_url)
    except (SQLAlchemyError, CommandError) as error:
        raise PartError(PART, str(error).strip()) from error


def _upgrade(owner_url: str) -> None:
    config = Config(cmd_opts=argparse.Namespace(x=[f"url={owner_url}"]))
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
