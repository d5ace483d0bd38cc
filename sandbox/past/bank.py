"""Bank statements of the past: who pays by transfer, who pays too much, and the gateway's payouts."""

import csv
from datetime import date
from pathlib import Path

from activities.bank.statement_import import BankImport
from activities.database import Database
from activities.imports.csv_files import csv_rows
from models.bank.entry import BankEntry
from models.bank.rows import bank_entry
from models.imports.columns import BANK
from models.money import Money
from models.problem import Problem, RefusedError

_OWE = """
select a.id, a.owner_name, a.currency, b.balance_minor
from duly.accounts a join duly.account_balances b on b.account_id = a.id
where a.id = any (:accounts) and b.balance_minor > 0 order by a.id
"""
# One below zero fills the gateway's balance from the bank: a debit.
_WAIT = """
select id, currency, amount_minor from duly.gateway_payouts
where arrived_key is null and amount_minor <> 0 and status not in ('failed', 'canceled') order by id
"""
_CURRENCY = "select id, owner_name, currency from duly.accounts where id = any (:accounts) order by id"
GIFT_MINOR = 500
_HEAD = ("bank_reference", "booked_on", "amount", "currency", "account_id", "text", "payer")


class PastBank:
    """Writes the statements that a bank would send, and imports them as `starter.py bank import` does."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def statement(self, booked_on: date, *, by_transfer: list[str], too_much: list[str]) -> None:
        """Import a day's statement: what some owe, what others give once more, payouts, and one line of nobody's."""
        lines: list[tuple[object, ...]] = []
        for row in await self._database.rows(_OWE, accounts=by_transfer):
            amount = Money(row.balance_minor, row.currency).to_decimal()
            lines.append((amount, row.currency, row.id, "subscription", row.owner_name))
        for row in await self._database.rows(_CURRENCY, accounts=too_much):
            amount = Money(GIFT_MINOR, row.currency).to_decimal()
            lines.append((amount, row.currency, row.id, "to be safe", row.owner_name))
        lines += [
            (Money(row.amount_minor, row.currency).to_decimal(), row.currency, "", "STRIPE payout", "Stripe")
            for row in await self._database.rows(_WAIT)
        ]
        if booked_on.month % 3 == 0:
            lines.append((Money(1999, "EUR").to_decimal(), "EUR", "", "thank you", "A. Nonymous"))
        path = self._folder / f"statement-{booked_on}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEAD)
            writer.writerows((f"{booked_on}/{place}", booked_on, *line) for place, line in enumerate(lines, start=1))
        await self._import(path)

    async def _import(self, path: Path) -> None:
        read = list(csv_rows(BANK, path, bank_entry))
        entries = [one for one in read if isinstance(one, BankEntry)]
        done = await BankImport(self._database, actor="accounting").write(entries)
        if problems := [one for one in (*read, *done) if isinstance(one, Problem)]:
            raise RefusedError(problems)
