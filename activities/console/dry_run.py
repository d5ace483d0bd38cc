"""A dry run: what a use case would write is written, read, and taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.database import Database, translating_errors

# It holds what it has locked, the accounts that it books on, until it is taken back: others wait that long for locks.
DRY_RUN_SECONDS = 4.0


class DryRunDatabase(Database):
    """A database of which every commit is a savepoint of one transaction, that ends as if it had not been."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection.engine)
        self._connection = connection

    @asynccontextmanager
    async def connection(self, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend the one connection, within a savepoint: what is refused takes itself back and nothing else.

        So is what the commit would refuse: constraints that wait for it are checked at the savepoint's end.
        """
        del timeout_seconds
        async with translating_errors(), self._connection.begin_nested():
            yield self._connection
            await self._connection.execute(text("select duly.check_as_committed()"))

    @asynccontextmanager
    async def transaction(self, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend the one connection for what would be a commit."""
        async with self.connection(timeout_seconds) as connection:
            yield connection


@asynccontextmanager
async def dry_run(database: Database) -> AsyncIterator[Database]:
    """Yield a database that forgets. Raises DatabaseUnavailableError for what takes too long."""
    async with database.connection(DRY_RUN_SECONDS) as connection:
        _ = await connection.execution_options(isolation_level="READ COMMITTED")
        transaction = await connection.begin()
        try:
            # Series of numbers are locked by whoever posts: they would keep everybody waiting.
            await connection.execute(text("select set_config('duly.is_tried_out', 'on', true)"))
            yield DryRunDatabase(connection)
        finally:
            await transaction.rollback()
