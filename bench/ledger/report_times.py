"""`python -m bench.ledger.report_times`: how long each report takes where the ledger is large, ties included.

The rows are made by SQL in a scratch database in memory: they are no company's, only as many. Nothing is kept.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import psycopg
import typer

from activities.database import Database, create_engine
from activities.reports.running import run_report
from models.reports.builtin import BUILT_IN
from models.reports.periods import DaySpan
from models.reports.result import ReportFoot, ReportHead, Row
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import DATABASE, SUPERUSER, Passwords, PostgresServer, running_postgres
from sandbox.servers.postgres_home import temporary_home

# A year's invoices of 119.00, every other one paid a week later. Triggers and foreign keys are off meanwhile.
YEAR = DaySpan(date(2025, 11, 1), date(2026, 10, 31))
ROWS = """
    insert into duly.products (id, name, ledger_account) values ('plan', 'Plan', 'revenue:plan');
    insert into duly.accounts (id, kind, owner_name, currency, region)
        select 'a' || n, 'customer', 'A. Customer', 'EUR', 'R' || n % 9 from generate_series(0, {accounts} - 1) n;
    create temporary table made as
        select n, 'i' || n as invoice, 'p' || n as payment, 'a' || n % {accounts} as account, n % 2 = 0 as is_paid,
            date '2025-11-01' + n % 355 as invoiced_on from generate_series(1, {invoices}) n;
    insert into duly.financial_transactions (id, idempotency_key, request_hash, classification, type_id, account_id,
            currency, total_minor, state, issued_on, posted_on, posted_at, due_on, method, origin, actor)
        select x.id, x.id, '', x.kind::duly.classification, x.kind, x.account, 'EUR', 11900, 'posted', x.day, x.day,
            x.day, x.due_on, x.method, 'system', 'bench'
        from (select invoice as id, 'invoice' as kind, account, invoiced_on as day, invoiced_on + 14 as due_on,
                null as method from made
            union all
            select payment, 'payment', account, invoiced_on + 7, null, 'cash' from made where is_paid) x;
    insert into duly.transaction_lines (transaction_id, position, product_id, quantity, unit_price_minor,
            discount_minor, net_minor, tax_percent, tax_minor, total_minor, sales_channel)
        select invoice, 1, 'plan', 1, 10000, 0, 10000, 19, 1900, 11900, 'C' || n % 5 from made;
    insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
        select invoice, 1, 'receivable:' || account, 'revenue:plan', 'EUR', 10000, invoiced_on from made
        union all
        select invoice, 2, 'receivable:' || account, 'vat_payable', 'EUR', 1900, invoiced_on from made
        union all
        select payment, 1, 'cash', 'receivable:' || account, 'EUR', 11900, invoiced_on + 7 from made where is_paid;
    insert into duly.open_items
            (transaction_id, account_id, side, sort_on, account_version, amount_minor, allocated_minor)
        select invoice, account, 'debit'::duly.side, invoiced_on, n, 11900, case when is_paid then 11900 else 0 end
            from made
        union all
        select payment, account, 'credit', invoiced_on + 7, n, 11900, 11900 from made where is_paid;
    insert into duly.transaction_numbers (number, transaction_id) select 'INV-' || n, invoice from made
        union all select 'PAY-' || n, payment from made where is_paid;
    insert into duly.allocations (account_id, credit_id, debit_id, amount_minor)
        select account, payment, invoice, 11900 from made where is_paid;
    insert into duly.account_balances (account_id, balance_minor)
        select account, sum(case when is_paid then 0 else 11900 end) from made group by account
"""


class CountedRows:
    """Takes a report and keeps nothing of it."""

    def begin(self, head: ReportHead) -> None:
        """Begin."""

    def rows(self, rows: Sequence[Row]) -> None:
        """Let the rows go."""

    def end(self, foot: ReportFoot) -> None:
        """End."""


async def measured(accounts: int, transactions: int) -> list[tuple[str, int, float]]:
    """Return of each report over a year how many rows it has, and the seconds that it takes with its ties."""
    with temporary_home(in_memory=True) as home, TemporaryDirectory() as logs:
        async with running_postgres(Passwords.random(), home=home, log=Path(logs) / "postgres.log") as server:
            await migrate(server.owner_url(DATABASE))
            await asyncio.to_thread(_fill, server, accounts, transactions * 2 // 3)
            engine = create_engine(server.runtime_url(DATABASE), pool=2)
            try:
                return [(name, *await _seconds(Database(engine), name)) for name in BUILT_IN]
            finally:
                await engine.dispose()


def _fill(server: PostgresServer, accounts: int, invoices: int) -> None:
    password = server.passwords.superuser
    with psycopg.connect(
        host="127.0.0.1", port=server.port, user=SUPERUSER, password=password, dbname=DATABASE, autocommit=True
    ) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in ROWS.format(accounts=accounts, invoices=invoices).split(";"):
            connection.execute(statement.encode())
        connection.execute("analyze")


async def _seconds(database: Database, name: str) -> tuple[int, float]:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    definition = BUILT_IN[name].over(YEAR.first, YEAR.last, at.date())
    began = time.perf_counter()
    foot = await run_report(database, definition, CountedRows(), today=at.date(), at=at)
    if not foot.is_good:
        raise RuntimeError(f"{name} does not tie to the ledger")
    return foot.rows, time.perf_counter() - began


def main(
    accounts: Annotated[int, typer.Option(help="Accounts.")] = 100_000,
    transactions: Annotated[int, typer.Option(help="Invoices and payments, two to one.")] = 1_000_000,
) -> None:
    """Print what each report takes."""
    found = asyncio.run(measured(accounts, transactions))
    sys.stdout.write(f"{accounts:,} accounts, {transactions:,} transactions; load {os.getloadavg()[0]:.1f}\n\n")
    sys.stdout.write("| Report | Rows | Seconds |\n|---|---:|---:|\n")
    for name, rows, seconds in found:
        sys.stdout.write(f"| `{name}` | {rows:,} | {seconds:.2f} |\n")


if __name__ == "__main__":
    typer.run(main)
