"""Showing what an account owes, owed, and how it came to that."""

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.database import Database
from activities.ledger.statement_queries import StatementQueries
from commands.formatting import amount, document, money
from commands.output import Output, table
from commands.session import read_settings, reading_database_of
from models.operations.ledger_states import TRANSACTION
from models.problem import refusal

COLUMNS = ("posted_on", "number", "classification", "state", "due_on", "amount", "balance", "unsettled")


async def balance(output: Output, account_id: str, *, on: date | None, as_csv: bool) -> None:
    """Show what an account owes now, or owed at the end of a day."""
    async with reading_database_of(read_settings()) as database:
        records = StatementQueries(database)
        account = await _require(records, account_id)
        shown = dict(document(account)) if on is None else await _then(records, account, on)
    if as_csv:
        _write_csv(shown.keys(), [shown.values()])
        return
    labels = {
        "balance_minor": "Balance",
        "unsettled_minor": "Unsettled invoices and the like",
        "outstanding_minor": "Outstanding: unsettled and past due",
        "credit_minor": "Credit not used yet",
        "credit_limit_minor": "Credit limit",
    }
    known = {name: label for name, label in labels.items() if shown.get(name) is not None}
    rows = [(label, money(shown[name], account.currency)) for name, label in known.items()]
    title = f"{account.id}, {account.owner_name}" + (f", at the end of {on}" if on else "")
    output.answer(shown, table(title, "", "Amount", rows=rows, right=("Amount",)))


async def statement(output: Output, account_id: str, *, since: date | None, until: date | None, as_csv: bool) -> None:
    """Show the postings of an account between two balances."""
    if since and until and since > until:
        raise refusal("from", "from_before_to", f"{since} is after {until}")
    async with reading_database_of(read_settings()) as database:
        records = StatementQueries(database)
        account = await _require(records, account_id)
        rows = await records.statement(account_id, since, until)
        opening = await _opening(database, account_id, since)
    closing = rows[-1].balance_minor if rows else opening
    if as_csv:
        _write_csv(COLUMNS, [_cells(row, account.currency) for row in rows])
        return
    _stream(output, account, rows, {"from": since, "to": until, "opening_minor": opening, "closing_minor": closing})


def _stream(output: Output, account: Row[Any], rows: Sequence[Row[Any]], frame: dict[str, Any]) -> None:
    with output.stream("transactions") as stream:
        title = f"{account.id}, {account.owner_name}: opening balance {money(frame['opening_minor'], account.currency)}"
        stream.rows(({**document(row), "state": _state(row)} for row in rows), _postings(title, rows, account.currency))
        unsettled = {"unsettled_minor": account.unsettled_minor, "credit_minor": account.credit_minor}
        sums = [
            ("Closing balance", money(frame["closing_minor"], account.currency)),
            ("Unsettled now", money(account.unsettled_minor, account.currency)),
            ("Credit not used yet", money(account.credit_minor, account.currency)),
        ]
        stream.finish(
            {"account_id": account.id, "currency": account.currency, **frame, **unsettled},
            table("", "", "Amount", rows=sums, right=("Amount",)),
        )


def _postings(title: str, rows: Iterable[Row[Any]], currency: str) -> Table:
    columns = ("Posted", "Number", "What", "Due", "Amount", "Balance", "Unsettled")
    shown = [
        (
            row.posted_on,
            row.number,
            row.classification,
            row.due_on,
            amount(row.amount_minor, currency),
            amount(row.balance_minor, currency),
            amount(row.unsettled_minor, currency),
        )
        for row in rows
    ]
    return table(title, *columns, rows=shown, right=("Amount", "Balance", "Unsettled"))


def _state(row: Row[Any]) -> str:
    return TRANSACTION.word(row.state, "" if row.unsettled_minor else "settled")


def _cells(row: Row[Any], currency: str) -> tuple[object, ...]:
    amounts = (row.amount_minor, row.balance_minor, row.unsettled_minor)
    return (
        row.posted_on,
        row.number,
        row.classification,
        _state(row),
        row.due_on,
        *(amount(value, currency) for value in amounts),
    )


def _write_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


async def _then(records: StatementQueries, account: Row[Any], on: date) -> dict[str, Any]:
    owed = await records.balance_on(account.id, on)
    return {"id": account.id, "currency": account.currency, "on": on, "balance_minor": owed}


async def _opening(database: Database, account_id: str, since: date | None) -> int:
    if since is None:
        return 0
    return await StatementQueries(database).balance_on(account_id, since - timedelta(days=1))


async def _require(records: StatementQueries, account_id: str) -> Row[Any]:
    account = await records.now(account_id)
    if account is None:
        raise refusal("account", "account_exists", f"there is no account {account_id!r}")
    return account
