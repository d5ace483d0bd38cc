"""The database as activities use it: one call, one round trip, one commit, and never without a time-out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol

from psycopg import DataError
from psycopg import Error as DriverError
from psycopg.types.json import Jsonb
from sqlalchemy import ARRAY, ColumnElement, Row, Select, Text, any_, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import InstrumentedAttribute
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connecting import ConnectionRule, reason_of, rule_of
from activities.driver_calls import LentConnection, call_by_driver, closing_what_is_given_up
from models.ledger.refusals import LedgerError, ledger_error
from models.tables.operations import InstallationRow

# SQLSTATE classes that say "the rule is broken", where a repeat gives the same answer.
_PERMANENT_CLASSES = ("22", "23", "DU", "LD")
# SQLSTATE classes and codes that say "code and database are of two releases": a function, column or right that is not
# there yet, a plan that a migration has outdated. They are no rule of the business: what was called is called again.
_MISMATCHES = ("42", "3F", "0A000")

# What a column of type bigint holds.
BIGINT_MAX = 2**63 - 1

# The server gives a statement up this long after its caller has: what nobody waits for holds no locks.
STATEMENT_MARGIN_SECONDS = 5
STANDARD_SECONDS = 10.0
# Where a connection says what time-out its server has; it lives as long as the server's session.
_SERVER_TIMEOUT = "statement_timeout_ms"


def create_engine(
    url: str,
    *,
    pool: int,
    timeout_seconds: float = STANDARD_SECONDS,
    gateway_mode: str = "",
    is_for_reading: bool = False,
) -> AsyncEngine:
    """Make the one engine of a process. AUTOCOMMIT: a function call is its own commit and saves two round trips.

    With the mode of the process's gateway key, providers of the other mode are not effective for it. One that is for
    reading cannot write, whatever it calls.
    """
    mode = f" -c duly.gateway_mode={gateway_mode}" if gateway_mode else ""
    mode += " -c default_transaction_read_only=on" if is_for_reading else ""
    engine = create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=pool,
        max_overflow=0,
        pool_pre_ping=False,
        # The connection that was used last is used first: its server process has its plans and pages at hand.
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "options": f"-c lock_timeout=5s -c statement_timeout={_statement_timeout_ms(timeout_seconds)}"
            f" -c idle_in_transaction_session_timeout=10s{mode}",
        },
    )
    return closing_what_is_given_up(engine)


# The rule by which nothing is sent while the database does not know what was sent before, and when to try again.
HELD_RULE = "sending_is_held"
HELD_DELAY = timedelta(minutes=1)


class Barrier(Protocol):
    """What stands between activities and a database that may have been restored."""

    async def check(self, connection: AsyncConnection) -> None:
        """Let an activity use a connection, or raise why it may not."""
        ...


class Database:
    """Calls of the database's own functions, and reads."""

    def __init__(self, engine: AsyncEngine, *, timeout_seconds: float = STANDARD_SECONDS) -> None:
        self._engine = engine
        self._timeout_seconds = timeout_seconds
        self._barrier: Barrier | None = None
        self._is_barrier_for_all = False

    def lend_only_past(self, barrier: Barrier, *, also_outside_activities: bool = False) -> None:
        """Let activities have connections only past a barrier, and everybody else on request.

        Whoever compares or recovers the database stands outside.
        """
        self._barrier = barrier
        self._is_barrier_for_all = also_outside_activities

    def another(self) -> "Database":
        """Return another database over the same engine, which may have a barrier of its own."""
        return Database(self._engine, timeout_seconds=self._timeout_seconds)

    async def call(self, function: str, *, timeout_seconds: float | None = None, **arguments: Any) -> Any:
        """Call `duly.<function>` with named arguments and return its value; JSON comes back as dictionaries."""
        names = ", ".join(f"p_{name} => %({name})s" for name in arguments)
        async with self.connection(timeout_seconds) as connection:
            return await call_by_driver(connection, f"select duly.{function}({names})", _plain(arguments))

    async def rows(
        self, statement: str, *, timeout_seconds: float | None = None, **arguments: Any
    ) -> Sequence[Row[Any]]:
        """Run one statement and fetch all its rows."""
        async with self.connection(timeout_seconds) as connection:
            return (await connection.execute(text(statement), _plain(arguments))).all()

    async def read(
        self, query: Select[*tuple[Any, ...]], *, timeout_seconds: float | None = None
    ) -> Sequence[Row[Any]]:
        """Run a query over the typed tables (models/tables) and fetch all its rows."""
        async with self.connection(timeout_seconds) as connection:
            found: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return found

    async def read_first(self, query: Select[*tuple[Any, ...]]) -> Row[Any] | None:
        """Return the first row of a query, or None."""
        rows = await self.read(query)
        return rows[0] if rows else None

    @asynccontextmanager
    async def connection(self, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection. A server that is frozen cannot hold it: time's up closes it (decision 0012)."""
        seconds = timeout_seconds or self._timeout_seconds
        async with translating_errors(), asyncio.timeout(seconds), LentConnection(self._engine) as connection:
            await _let_the_server_work(connection, max(seconds, self._timeout_seconds))
            if self._barrier is not None and (self._is_barrier_for_all or activity.in_activity()):
                await self._barrier.check(connection)
            yield connection

    @asynccontextmanager
    async def transaction(self, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection whose statements become one commit, or nothing when an error leaves the block."""
        async with self.connection(timeout_seconds) as connection:
            _ = await connection.execution_options(isolation_level="READ COMMITTED")
            async with connection.begin():
                yield connection

    async def verify(self, functions_hash: str = "") -> bool:
        """Make sure that the database is there, migrated, and safe to keep money in. Raises when it is not.

        False when its functions are not those of the hash: of the two, the newer release has to migrate, and until then
        whoever calls what is not there waits. An older worker goes on beside a newer database (docs/upgrading.md).
        """
        unsafe = await self.rows(
            "select name, setting from pg_settings where name in"
            " ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums')"
            " and setting = 'off'"
        )
        if unsafe:
            raise UnsafeDatabaseError(str(unsafe[0][0]))
        (installed,) = await self.read(select(InstallationRow.functions_hash))
        return functions_hash in {"", installed.functions_hash}

    async def dispose(self) -> None:
        """Close the pool."""
        await self._engine.dispose()


def matching(column: ColumnElement[Any] | InstrumentedAttribute[Any], value: str) -> tuple[ColumnElement[bool], ...]:
    """Return the filter of a column for a value; an empty value lets everything through."""
    return (column == value,) if value else ()


def one_of(column: InstrumentedAttribute[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """Return the filter of a column for any of some values: one parameter, however many they are."""
    return column == any_(literal(list(values), ARRAY(Text)))


class RuleBrokenError(ApplicationError):
    """The database refused: a repeat would be refused as well. `type` is the name of the rule.

    `refused` is the ledger's own error, where it is one. Errors end up in histories, causes included, and
    PostgreSQL's details quote whole rows: so the driver's error is never the cause.
    """

    def __init__(self, rule: str, message: str, refused: LedgerError | None = None) -> None:
        super().__init__(message, type=rule, non_retryable=True)
        self.refused = refused


class SendingHeldError(ApplicationError):
    """Nothing may be done or sent now; the same call works when sending is open again."""

    def __init__(self, message: str, *, retry_after: timedelta = HELD_DELAY) -> None:
        super().__init__(message, type=HELD_RULE, next_retry_delay=retry_after)


class UnsafeDatabaseError(RuntimeError):
    """The server may lose commits that it has acknowledged."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"database: {setting} is off; money needs it on")


class SchemaMismatchError(Exception):
    """Code and database are of two releases. The same call is safe to repeat, and works after `migrate`."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(f"{message} ({state}): code and database are of two releases, run `duly migrate`")


class DatabaseUnavailableError(Exception):
    """No answer from the database: the outcome of the call is unknown, and the same call is safe to repeat."""


class DatabaseAccessError(DatabaseUnavailableError):
    """The database answers and does not let us in; `rule` says which of our settings it is that is wrong."""

    def __init__(self, rule: ConnectionRule, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def connection_error(error: DBAPIError | DriverError) -> DatabaseUnavailableError:
    """Return our error for one of the driver: what kept us from connecting, or that nobody has answered."""
    orig = _of_driver(error)
    reason = reason_of(orig) if isinstance(orig, DriverError) else ""
    if rule := rule_of(reason):
        return DatabaseAccessError(rule, reason)
    return DatabaseUnavailableError(reason or f"{type(orig).__name__} {_state_of(orig)}".strip())


@asynccontextmanager
async def translating_errors() -> AsyncIterator[None]:
    """Raise our own errors for the driver's."""
    try:
        yield
    except TimeoutError as error:
        raise DatabaseUnavailableError("the database did not answer in time") from error
    except (DBAPIError, DriverError) as error:
        orig = _of_driver(error)
        state = _state_of(orig)
        if state.startswith(_PERMANENT_CLASSES):
            raise _broken_rule(orig) from None
        if isinstance(orig, DataError):
            # The driver itself refuses a text with U+0000: no server would take it.
            raise RuleBrokenError("value_is_storable", str(orig)) from None
        if state.startswith(_MISMATCHES):
            raise SchemaMismatchError(state, _primary_message(orig)) from None
        raise connection_error(error) from error


def _of_driver(error: DBAPIError | DriverError) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


async def _let_the_server_work(connection: AsyncConnection, seconds: float) -> None:
    """Give the server as long for a statement as the caller waits, unless an earlier borrower has set just that."""
    wanted = _statement_timeout_ms(seconds)
    if connection.info.get(_SERVER_TIMEOUT) == wanted:
        return
    await connection.exec_driver_sql(f"set statement_timeout = {wanted}")
    # To the server it was a commit of its own; SQLAlchemy would let no isolation level be chosen after it.
    await connection.commit()
    connection.info[_SERVER_TIMEOUT] = wanted


def _broken_rule(error: BaseException | None) -> RuleBrokenError | SendingHeldError:
    diagnosis = getattr(error, "diag", None)
    rule = str(getattr(diagnosis, "constraint_name", None) or "database_rule")
    if rule == HELD_RULE:
        return SendingHeldError(_primary_message(error))
    return RuleBrokenError(rule, _primary_message(error), None if diagnosis is None else ledger_error(diagnosis))


def _state_of(error: BaseException | None) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _primary_message(error: BaseException | None) -> str:
    diagnosis = getattr(error, "diag", None)
    return str(getattr(diagnosis, "message_primary", None) or type(error).__name__)


def _statement_timeout_ms(seconds: float) -> int:
    return round((seconds + STATEMENT_MARGIN_SECONDS) * 1000)


def _plain(arguments: dict[str, object]) -> dict[str, object]:
    """Return arguments as the driver takes them. Raises RuleBrokenError for an integer that no column holds.

    The driver would send it as a `numeric`, for which there is no function: that looks like another release's database.
    """
    for name, value in arguments.items():
        if isinstance(value, int) and not -BIGINT_MAX <= value <= BIGINT_MAX:
            raise RuleBrokenError("value_is_storable", f"{name}: is beyond {BIGINT_MAX}")
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in arguments.items()}
