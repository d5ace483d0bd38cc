"""`python -m bench.ledger.list_pages`: how long the first and a later page of each list takes where tables are large.

The rows are made by SQL in a scratch database in memory: they are no company's, only as many. Nothing is kept.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psycopg
import typer
from sqlalchemy import Row, Select

from activities.cards.queries import CardQueries
from activities.collections.queries import CollectionQueries
from activities.database import Database, create_engine
from activities.events.inbox import EventQueries
from activities.ledger.account_queries import AccountQueries
from activities.listing import Listed
from activities.messages.queries import MessageQueries
from activities.payments.queries import PaymentFilter, PaymentQueries
from activities.payments.request_queries import RequestFilter, RequestQueries
from activities.subscriptions.subscriptions import Subscriptions
from models.listing import ListPage
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import DATABASE, SUPERUSER, Passwords, PostgresServer, running_postgres
from sandbox.servers.postgres_home import temporary_home

LIMIT, REPEATS, LATER = 50, 5, 10

# No company's, only as many. Triggers and foreign keys are off while they are made.
ROWS = Path(__file__).with_name("list_rows.sql")


class TimedDatabase(Database):
    """A database that adds up what the reads of a page take, and those of totals."""

    page_ms = totals_ms = 0.0

    async def read(
        self, query: Select[*tuple[Any, ...]], *, timeout_seconds: float | None = None
    ) -> Sequence[Row[Any]]:
        """Answer a query, and keep how long it took; totals have a time limit of their own."""
        began = time.perf_counter()
        try:
            return await super().read(query, timeout_seconds=timeout_seconds)
        finally:
            took = (time.perf_counter() - began) * 1000
            if timeout_seconds is None:
                self.page_ms += took
            else:
                self.totals_ms += took


Read = Callable[[Database, ListPage], Awaitable[Listed]]
LISTS: Mapping[str, Read] = {
    "accounts": lambda database, page: AccountQueries(database).page(page, state=""),
    "accounts --state active": lambda database, page: AccountQueries(database).page(page, state="active"),
    "cards": lambda database, page: CardQueries(database).page(page, account_id="", state=""),
    "subscriptions": lambda database, page: Subscriptions(database).page(page, account_id="", state=""),
    "collections": lambda database, page: CollectionQueries(database).page(page, state="", run_id=""),
    "events": lambda database, page: EventQueries(database).page(page, state="", type_=""),
    "messages": lambda database, page: MessageQueries(database).page(page, state="", account_id=""),
    "payments": lambda database, page: PaymentQueries(database).page(page, PaymentFilter(), with_totals=False),
    "payments --state succeeded": lambda database, page: PaymentQueries(database).page(
        page, PaymentFilter(state="succeeded"), with_totals=False
    ),
    "requests": lambda database, page: RequestQueries(database).page(page, RequestFilter(), with_totals=False),
}


async def measured(accounts: int, payments: int) -> list[tuple[str, float, float, float]]:
    """Return of each list what its first page, the eleventh and its totals take, in milliseconds: the best of five."""
    with temporary_home(in_memory=True) as home, TemporaryDirectory() as logs:
        async with running_postgres(Passwords.random(), home=home, log=Path(logs) / "postgres.log") as server:
            await migrate(server.owner_url(DATABASE))
            await asyncio.to_thread(fill, server, accounts, payments)
            engine = create_engine(server.runtime_url(DATABASE), pool=2)
            try:
                return [(name, *await _page_times(TimedDatabase(engine), read)) for name, read in LISTS.items()]
            finally:
                await engine.dispose()


def fill(server: PostgresServer, accounts: int, payments: int) -> None:
    """Make so many rows in all tables that lists read."""
    rows = ROWS.read_text(encoding="utf-8").replace(":accounts", str(accounts)).replace(":payments", str(payments))
    password = server.passwords.superuser
    with psycopg.connect(
        host="127.0.0.1", port=server.port, user=SUPERUSER, password=password, dbname=DATABASE, autocommit=True
    ) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(rows.encode())
        connection.execute("analyze")


async def _page_times(database: TimedDatabase, read: Read) -> tuple[float, float, float]:
    page = ListPage(limit=LIMIT)
    first, totals = await _best(database, read, page)
    for _ in range(LATER):
        following = (await read(database, page)).following
        if following is None:
            raise RuntimeError(f"a list has no page behind {page.after or 'the first'}: make more rows")
        page = ListPage(limit=LIMIT, after=following)
    later, _ = await _best(database, read, page)
    return first, later, totals


async def _best(database: TimedDatabase, read: Read, page: ListPage) -> tuple[float, float]:
    times = []
    for _ in range(REPEATS):
        database.page_ms = database.totals_ms = 0.0
        await read(database, page)
        times.append((database.page_ms, database.totals_ms))
    return min(page_ms for page_ms, _ in times), min(totals_ms for _, totals_ms in times)


def main(
    accounts: Annotated[int, typer.Option(help="Accounts, and rows of most lists.")] = 300_000,
    payments: Annotated[int, typer.Option(help="Payments, each with one attempt.")] = 1_000_000,
) -> None:
    """Print what each list takes."""
    found = asyncio.run(measured(accounts, payments))
    sys.stdout.write(f"{accounts:,} accounts, {payments:,} payments; load {os.getloadavg()[0]:.1f}\n\n")
    sys.stdout.write("| List | First page, ms | Page 11, ms | Totals, ms |\n|---|---:|---:|---:|\n")
    for name, *times in found:
        sys.stdout.write(f"| {name} | {' | '.join(f'{ms:.0f}' for ms in times)} |\n")


if __name__ == "__main__":
    typer.run(main)
