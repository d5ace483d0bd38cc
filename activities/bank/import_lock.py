"""One import of a bank's file at a time: what a line is known by differs between kinds of files (decision 0207)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from activities.database import Database
from models.problem import refusal

# As long as the largest file may take, and as the next one waits for it.
LONGEST_SECONDS = 3600.0
_AGAIN_SECONDS = 0.2
_TRY = text("select pg_try_advisory_lock(hashtext('duly.bank_import'))")
_END = text("select pg_advisory_unlock(hashtext('duly.bank_import'))")


@asynccontextmanager
async def one_import_at_a_time(database: Database, *, wait_seconds: float = LONGEST_SECONDS) -> AsyncIterator[None]:
    """Wait for the import before this one, and let the next one wait. It ends with the process, however that ends.

    Raises RefusedError (import_is_alone) when the one before takes longer.
    """
    async with database.connection(LONGEST_SECONDS + wait_seconds) as connection:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_seconds
        while not (await connection.execute(_TRY)).scalar_one():
            if loop.time() >= until:
                raise refusal(
                    "file", "import_is_alone", "another file of the bank is being imported: import it after that"
                )
            await asyncio.sleep(_AGAIN_SECONDS)
        try:
            yield
        finally:
            try:
                await connection.execute(_END)
            except DBAPIError:
                # The lock ends with its session, and what was imported is committed.
                await connection.invalidate()
