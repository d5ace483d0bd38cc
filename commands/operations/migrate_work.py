"""Migrating the database."""

import asyncio
import logging

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from activities.database import connection_error
from commands.failures import database_failure
from commands.output import Output
from commands.session import read_settings
from migrations.run import Migrated, migrate
from models.problem import refusal

LOCK_NOT_AVAILABLE = "55P03"


async def upgrade(output: Output) -> None:
    """Bring the database to this release and say where it was. Raises Failure when nobody answers there."""
    url = read_settings().owner_database_url
    if output.as_json:
        # Standard error is the command's: what Alembic tells a person on the way would be no part of one document.
        logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        done = await asyncio.to_thread(migrate, url)
    except (CommandError, DBAPIError) as error:
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        if isinstance(error, DBAPIError) and state is None:
            raise database_failure(connection_error(error), "DULY_MIGRATION_DATABASE_URL") from error
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        if state == LOCK_NOT_AVAILABLE:
            reason = f"{reason}: a table is in use; what was committed stays, so run it again for the rest"
        raise refusal("database", "migration_applies", reason) from error
    answer = {"before": done.before, "after": done.after, "has_new_functions": done.has_new_functions}
    output.answer(answer, _sentence(done))


def _sentence(done: Migrated) -> str:
    if done.before is None:
        return f"Created the schema, at {done.after}, with this release's functions, views and rights."
    if done.before != done.after:
        return f"Migrated from {done.before} to {done.after}; functions, views and rights are this release's."
    if done.has_new_functions:
        return f"The schema was at {done.after}; functions, views and rights are this release's now."
    return f"The schema is at {done.after}, the newest, and so are its functions."
