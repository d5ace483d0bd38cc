"""The ledger as the tests speak to it: one call, one function of the database, refusals as the project's exceptions."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import create_async_engine

from models.ledger.refusals import LedgerError, ledger_error
from tests.support.builders import configure

TAX_PERCENT = 19
POSTED_ON = date(2026, 5, 20)


@dataclass(frozen=True)
class Receipt:
    """What a function of the ledger answers."""

    transaction_id: str
    reference_number: str
    number: str | None
    state: str


def plain_url(url: str) -> str:
    """Return SQLAlchemy's address as libpq writes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


async def own(url: str, statement: str) -> Sequence[tuple[object, ...]]:
    """Run a statement as the owner of the tables and return its rows, if any."""
    async with await psycopg.AsyncConnection.connect(plain_url(url), autocommit=True) as owner:
        cursor = await owner.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []


def line(net_minor: int, *, product: str = "gold", tax_percent: int = 0) -> dict[str, Any]:
    """Return a line of one piece at a price, with tax if asked for."""
    tax = (net_minor * tax_percent + 50) // 100
    fields = {"product_id": product, "quantity": 1, "unit_price_minor": net_minor, "net_minor": net_minor}
    return {**fields, "tax_rate": tax_percent, "tax_minor": tax, "total_minor": net_minor + tax}


class Books:
    """A connection to the ledger under one role. Every call is a commit of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(plain_url(url), autocommit=True)

    def close(self) -> None:
        self.connection.close()

    def run(self, statement: str, *arguments: Any) -> list[Any]:
        """Run a statement and return its rows, if it has any; refusals come as LedgerError."""
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(statement, arguments or None)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise (ledger_error(error.diag) or error) from error

    def configure(self, document: str) -> None:
        """Apply a document of the configuration, as the company would."""

        async def applied() -> None:
            engine = create_async_engine(self.url)
            await configure(engine, document)
            await engine.dispose()

        asyncio.run(applied())

    def value(self, statement: str, *arguments: Any) -> Any:
        """Return the single value of a query."""
        return self.run(statement, *arguments)[0][0]

    def call(self, function: str, **arguments: Any) -> Receipt:
        """Call a function that answers with a receipt."""
        names = ", ".join(f"p_{name} => %s" for name in arguments)
        row = self.run(f"select * from duly.{function}({names})", *map(_stored, arguments.values()))[0]
        return Receipt(*row)

    def open_account(self, account_id: str, currency: str = "EUR", **fields: Any) -> str:
        names = "".join(f", p_{name} => %s" for name in fields)
        self.run(f"select duly.open_account(%s, %s, 'Ada Lovelace'{names})", account_id, currency, *fields.values())
        return account_id

    def invoice(self, key: str, account_id: str, net_minor: int = 100_00, **fields: Any) -> str:
        """Post an invoice of one line without tax; return its id."""
        lines = fields.pop("lines", [line(net_minor)])
        fields.setdefault("currency", "EUR")
        fields.setdefault("posted_on", POSTED_ON)
        return self.call("create_invoice", key=key, account_id=account_id, lines=lines, **fields).transaction_id

    def credit_note(self, key: str, account_id: str, net_minor: int, **fields: Any) -> str:
        fields.setdefault("posted_on", POSTED_ON)
        return self.call(
            "create_credit_note", key=key, account_id=account_id, currency="EUR", lines=[line(net_minor)], **fields
        ).transaction_id

    def pay(self, key: str, account_id: str, amount_minor: int, **fields: Any) -> str:
        """Post a payment in cash unless told otherwise; return its id."""
        fields = {"currency": "EUR", "method": "cash", "posted_on": POSTED_ON, **fields}
        return self.call(
            "create_payment", key=key, account_id=account_id, amount_minor=amount_minor, **fields
        ).transaction_id

    def charge(self, key: str, account_id: str, amount_minor: int, reference: str) -> str:
        """Draft and post a payment by card, as the outcome of its request does; return its id."""
        payment = str(
            self.value(
                "select duly.draft_payment(%s, %s, %s, 'EUR', 'card', 'stripe', '{}', 'system')",
                key,
                account_id,
                amount_minor,
            )
        )
        self.run("select duly.post_gateway_payment(%s, %s)", payment, reference)
        return payment

    def balance(self, account_id: str) -> int:
        return int(self.value("select balance_minor from duly.account_balances where account_id = %s", account_id))

    def unsettled(self, transaction_id: str) -> int:
        return int(
            self.value(
                "select amount_minor - allocated_minor from duly.open_items where transaction_id = %s", transaction_id
            )
        )

    def transaction(self, transaction_id: str) -> Mapping[str, Any]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("select * from duly.transactions where id = %s", (transaction_id,))
            row = cursor.fetchone()
        assert row is not None
        return row

    def allocations(self, *account_ids: str) -> set[tuple[str, str, int]]:
        """Return what settles what on some accounts: credit, debit, amount."""
        rows = self.run(
            "select credit_id, debit_id, sum(amount_minor)::bigint from duly.current_allocations"
            " where account_id = any (%s) group by credit_id, debit_id",
            list(account_ids),
        )
        return {tuple(row) for row in rows}

    def transfers(self, source_id: str) -> list[tuple[str, str, int]]:
        """Return the transfers of a transaction: debited, credited, amount."""
        rows = self.run(
            "select debit_account, credit_account, amount_minor from duly.transfers where source_id = %s"
            " order by position",
            source_id,
        )
        return [tuple(row) for row in rows]

    def violations(self) -> list[tuple[str, str]]:
        return [tuple(row) for row in self.run("select rule, offender from duly.invariant_violations")]


def refused(action: Callable[[], object], error: type[LedgerError], rule: str) -> None:
    """Assert that an action is refused, by a kind of refusal and by a rule."""
    with pytest.raises(error) as caught:
        action()
    assert caught.value.rule == rule


def _stored(value: Any) -> Any:
    if isinstance(value, list) and (not value or isinstance(value[0], dict)):
        return json.dumps(value)
    return json.dumps(value) if isinstance(value, dict) else value
