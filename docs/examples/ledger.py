"""Plays one event of each kind into a fresh ledger and writes down the transfers: the tables of docs/ledger.md.

python -m docs.examples.ledger postgresql://…    prints the tables, as the role that owns the ledger
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from models.money import Money

CURRENCY = "EUR"
LINES = [
    {"product_id": "gold", "quantity": 1, "unit_price_minor": 10000, "discount_percent": 15, "discount_minor": 1500,
     "net_minor": 8500, "tax_rate_id": "standard", "tax_minor": 1615, "total_minor": 10115},
    {"product_id": "silver", "quantity": 1, "unit_price_minor": 10000, "discount_minor": 2000, "net_minor": 8000,
     "tax_rate_id": "standard", "tax_minor": 1520, "total_minor": 9520},
]  # fmt: skip
REWARD = [{"product_id": "reward", "quantity": 1, "unit_price_minor": 500, "net_minor": 500, "total_minor": 500}]
RETURNED = [{**LINES[1]}]

SETUP = """
    insert into duly.tax_rates (id, name, percent) values ('standard', 'Standard', 19);
    insert into duly.products (id, name, ledger_account) values ('gold', 'Gold card', 'revenue:gold'),
      ('silver', 'Silver card', 'revenue:silver'), ('reward', 'Reward', 'reward_expense:cafe');
    select duly.open_account('ada', 'EUR', 'Ada Lovelace');
    select duly.open_account('charles', 'EUR', 'Charles Babbage');
"""


@dataclass(frozen=True)
class Event:
    """What happened, and the ids of the transactions and bookings whose transfers it made."""

    title: str
    sources: tuple[str, ...]


class Example:
    """A fresh ledger, one event after another."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        for statement in filter(str.strip, SETUP.split(";")):
            connection.execute(statement)

    def events(self) -> Iterator[Event]:
        """Play the events in order."""
        invoice = self._make("create_invoice('i1', 'ada', 'EUR', %s)", json.dumps(LINES))
        yield Event("Invoice: two cards, 15 % and 20.00 off, 19 % VAT", (invoice,))
        yield Event(
            "Credit note: the silver card comes back",
            (self._make("create_credit_note('c1', 'ada', 'EUR', %s)", json.dumps(RETURNED)),),
        )
        draft = self._value("draft_payment('p1', 'ada', 10115, 'EUR', 'card', 'stripe', %s, 'system')", [invoice])
        self._value("post_gateway_payment(%s, 'pi_1')", draft)
        yield Event("Payment by card, when the gateway has the money", (draft,))
        yield Event("The gateway's fee", (self._value("book_gateway_fee('f1', 'stripe', 'EUR', 177, 'txn_1')"),))
        yield from self._after_payment()
        yield from self._bad_debt()

    def _after_payment(self) -> Iterator[Event]:
        yield Event(
            "A dispute: the gateway holds the money back",
            (self._value("book_gateway_movement('d1', 'dispute_held', 'stripe', 'EUR', 10115, 'dp_1')"),),
        )
        yield Event(
            "The dispute is won: the money comes back",
            (self._value("book_gateway_movement('d2', 'dispute_released', 'stripe', 'EUR', 10115, 'dp_1')"),),
        )
        yield Event(
            "Payout: it leaves the gateway",
            (self._value("book_gateway_movement('o1', 'payout', 'stripe', 'EUR', 5000, 'po_1')"),),
        )
        yield Event(
            "The line of the bank's statement brings the payout",
            (self._value("book_gateway_movement('o2', 'payout_arrived', 'stripe', 'EUR', 5000, 'po_1')"),),
        )
        yield from self._bank_debit()
        reward = self._make("create_credit_note('c2', 'ada', 'EUR', %s)", json.dumps(REWARD))
        refund = self._make("make_refund('r1', 'ada', 500, 'EUR', 'card', 'stripe', p_gateway_reference => 're_1')")
        yield Event("Back-end reduction: a reward of 5.00 is refunded to the card", (reward, refund))
        cash = self._make("create_payment('p2', 'ada', 3000, 'EUR', 'bank_transfer')")
        yield Event("Payment by bank transfer, to the wrong account", (cash,))
        moved = self._make("move_to_account('m1', %s, 'charles')", cash)
        yield Event("The payment is moved to the right account", (self._counterpart(cash, "cancellation"), moved))
        yield Event("The payment is cancelled: the bank took it back", (self._make("cancel_payment('x1', %s)", moved),))

    def _bank_debit(self) -> Iterator[Event]:
        draft = self._value("draft_payment('p4', 'charles', 2500, 'EUR', 'direct_debit', 'sepa', '{}', 'system')")
        self._value("post_gateway_payment(%s, 'DD-1')", draft)
        line = self._value("book_gateway_movement('l1', 'debits_collected', 'sepa', 'EUR', 2500, 'DD-1')")
        yield Event("A bank debit of 25.00 that the bank's statement brings: the payment, and the line", (draft, line))
        back = self._value("return_payment('x4', %s, 2500, 'DD-1', null, 'system', 'system')", draft)
        line = self._value("book_gateway_movement('l2', 'debits_returned', 'sepa', 'EUR', 2800, 'DD-1')")
        fee = self._value("book_gateway_fee('f2', 'sepa', 'EUR', 300, 'DD-1')")
        yield Event("The payer's bank takes it back, and 3.00 of its own", (back, line, fee))

    def _bad_debt(self) -> Iterator[Event]:
        wrong = self._make("create_invoice('i2', 'charles', 'EUR', %s)", json.dumps(LINES[:1]))
        yield Event("An invoice posted by error is cancelled", (self._make("cancel_invoice('x2', %s)", wrong),))
        unpaid = self._make("create_invoice('i3', 'charles', 'EUR', %s)", json.dumps(LINES[:1]))
        self._make("create_payment('p3', 'charles', 115, 'EUR', 'cash')")
        write_off = self._make("write_off('w1', %s, 'write_off')", unpaid)
        yield Event(
            "Write-off of the 100.00 left unpaid, with its mirror in the write-off account",
            (write_off, self._counterpart(write_off, "invoice")),
        )

    def table(self, event: Event) -> str:
        """Return an event's transfers as a Markdown table."""
        rows = self.connection.execute(
            "select debit_account, credit_account, amount_minor from duly.transfers where source_id = any (%s)"
            " order by id",
            (list(event.sources),),
        ).fetchall()
        body = [f"| `{debit}` | `{credit}` | {_amount(amount)} |" for debit, credit, amount in rows]
        return "\n".join([f"**{event.title}**", "", "| Debit | Credit | Amount |", "|---|---|---:|", *body])

    def trial_balance(self) -> str:
        """Return the trial balance as a Markdown table; its last row is zero."""
        rows = self.connection.execute(
            "select ledger_account, debit_minor - credit_minor from duly.trial_balance()"
        ).fetchall()
        body = [f"| `{name}` | {_amount(int(amount))} |" for name, amount in rows]
        total = f"| **Sum** | **{_amount(sum(int(amount) for _, amount in rows))}** |"
        return "\n".join(
            ["**Trial balance after all of it**", "", "| Ledger account | Balance |", "|---|---:|", *body, total]
        )

    def _value(self, call: str, *arguments: object) -> str:
        return self._first(f"select duly.{call}", *arguments)

    def _make(self, call: str, *arguments: object) -> str:
        return self._first(f"select transaction_id from duly.{call}", *arguments)  # noqa: S608  # our own words

    def _first(self, query: str, *arguments: object) -> str:
        row = self.connection.execute(query, arguments or None).fetchone()
        assert row is not None  # noqa: S101  # every function answers
        return str(row[0])

    def _counterpart(self, transaction_id: str, kind: str) -> str:
        return self._first(
            "select id from duly.financial_transactions where counterpart_id = %s and classification::text like %s",
            transaction_id,
            f"%{kind}",
        )


def tables(connection: psycopg.Connection[Any]) -> str:
    """Return all tables, as docs/ledger.md holds them."""
    example = Example(connection)
    return "\n\n".join([*[example.table(event) for event in example.events()], example.trial_balance()])


def _amount(amount_minor: int) -> str:
    return str(Money(amount_minor, CURRENCY)).removesuffix(f" {CURRENCY}")


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1], autocommit=True) as fresh:
        sys.stdout.write(tables(fresh) + "\n")
