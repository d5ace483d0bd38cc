"""Calls of the database by the driver itself, on connections of the engine's pool: what every payment does twice.

The engine's own execution costs as much again as the driver's and the server's answer together. What it does about
connections that break stays its own.
"""

from collections.abc import Mapping
from contextlib import suppress
from traceback import clear_frames
from types import TracebackType
from typing import Any

from psycopg import AsyncConnection as DriverConnection
from psycopg import Error as DriverError
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


def closing_what_is_given_up(engine: AsyncEngine) -> AsyncEngine:
    """Let an engine close a connection that it gives up before the server has let it in, and return the engine.

    Otherwise its socket stays open until the garbage is collected, and the server keeps one of its places for it, for a
    minute at most: callers that run out of time would fill a server that is too slow already.
    """

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect_by(_dialect: object, _record: object, _arguments: object, options: dict[str, Any]) -> None:
        options["async_creator_fn"] = _connect

    return engine


class LentConnection:
    """Lends a connection of a pool for a block. It is given back at once, or by a task of its own after an error."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._connection = engine.connect()

    async def __aenter__(self) -> AsyncConnection:
        return await self._connection.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            # It waits for nobody: what was sent is answered and committed.
            await self._connection.close()
        else:
            await self._connection.__aexit__(kind, error, trace)


async def call_by_driver(connection: AsyncConnection, statement: str, arguments: Mapping[str, object]) -> Any:
    """Run a statement that returns one value, with the driver's own placeholders. Raises the driver's errors."""
    lent: Any = connection.sync_connection
    driver: DriverConnection[tuple[Any, ...]] = lent.connection.driver_connection
    try:
        cursor = await driver.execute(statement.encode(), arguments)
        row: Any = await cursor.fetchone()
    except DriverError:
        if driver.closed:
            # The engine has to see for itself that it is: then it gives up every connection to that server.
            with suppress(DBAPIError):
                await connection.exec_driver_sql("select")
        raise
    except BaseException:
        # Given up in the middle: an answer that comes late would be taken for that of the next call.
        await connection.invalidate()
        raise
    return row[0]


async def _connect(*arguments: Any, **options: Any) -> DriverConnection[tuple[Any, ...]]:
    try:
        return await DriverConnection.connect(*arguments, **options)
    except BaseException as error:
        # What the engine keeps of the error would keep the half-open connection in its frames.
        clear_frames(error.__traceback__)
        raise
