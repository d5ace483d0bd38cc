"""Bank lines into payments: each line once, each whose account is not certain into suspense (F122, F123)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text

from activities.bank.statement_sql import ACCOUNTS, IMPORTED, INVOICE_SERIES, INVOICES, NOTE, POST, SUSPENSE
from activities.database import Database, one_of
from activities.ledger.client import naming_the_rule
from models.bank.entry import BankEntry
from models.bank.routing import (
    KnownAccount,
    KnownInvoice,
    KnownReferences,
    Route,
    SuspenseReason,
    references,
    route,
)
from models.imports.columns import BANK
from models.ledger.number_series import NumberSeries
from models.ledger.refusal_fields import problem_of
from models.ledger.refusals import LedgerError
from models.problem import Problem
from models.tables.accounts import AccountRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow


class Outcome(StrEnum):
    """What became of a line."""

    POSTED = "posted"
    SUSPENSE = "suspense"
    UNCHANGED = "unchanged"
    DEBIT = "debit"
    NOT_BOOKED = "not_booked"
    PAYOUT = "payout"


@dataclass(frozen=True)
class Result:
    """A line and what became of it: the payment's number and account, or why there is none."""

    entry: BankEntry
    outcome: Outcome
    account_id: str = ""
    number: str = ""
    reason: str = ""


class BankImport:
    """Posts the credits of statements as bank transfers, a batch in one commit."""

    def __init__(self, database: Database, *, actor: str) -> None:
        self._database = database
        self._actor = actor
        self._first: dict[str, BankEntry] = {}

    async def write(self, entries: Sequence[BankEntry]) -> list[Result | Problem]:
        """Write a batch. A line that the ledger refuses becomes a problem, and the others go in."""
        waiting = [entry for entry in entries if entry.is_credit and entry.is_booked]
        done: list[Result | Problem] = [
            _left_alone(entry) for entry in entries if not (entry.is_credit and entry.is_booked)
        ]
        before = await self._imported([entry.key for entry in waiting])
        same = [(entry, self._seen_before(entry, before.get(entry.key))) for entry in waiting]
        done += [result for _, result in same if result is not None]
        done += await self._post([entry for entry, result in same if result is None])
        return sorted(done, key=lambda one: one.line if isinstance(one, Problem) else one.entry.line)

    def _seen_before(self, entry: BankEntry, stored: Any) -> Result | Problem | None:
        """Return what a line above, or an import before this one, made of the reference; None when it is new."""
        first = self._first.setdefault(entry.key, entry)
        if first is not entry:
            return _once(entry, f"stands in line {first.line} already")
        if stored is None:
            return None
        if (stored.total_minor, stored.currency) != (entry.amount_minor, entry.currency):
            return _once(entry, "was imported before with another amount")
        return Result(entry, Outcome.UNCHANGED, stored.account_id, stored.number or "")

    async def _payout(self, entry: BankEntry) -> str:
        """Return the gateway's payout that a line brings, booked out of transit; empty where it is none for certain."""
        stated = f"{entry.text} {entry.payer} {entry.structured_reference} {entry.end_to_end_id} {entry.reference}"
        received = await self._database.call(
            "receive_payout",
            key=entry.key,
            currency=entry.currency,
            amount_minor=entry.amount_minor,
            booked_on=entry.booked_on,
            text=stated,
        )
        return str(received or "")

    async def _post(self, entries: Sequence[BankEntry]) -> list[Result | Problem]:
        if not entries:
            return []
        known = await self._known(entries)
        done: list[Result | Problem] = []
        routed = []
        for entry in entries:
            to = route(entry, known)
            if to.reason is SuspenseReason.ACCOUNT_UNKNOWN and (payout := await self._payout(entry)):
                done.append(Result(entry, Outcome.PAYOUT, reason=payout))
            else:
                routed.append((entry, await self._certain(entry, to)))
        try:
            return [*done, *await self._commit(routed)]
        except LedgerError as error:
            if len(entries) == 1:
                return [problem_of(error, source=BANK, line=entries[0].line)]
        # One line was refused and the commit with it; alone, the others go in and this one is named.
        return [one for entry in entries for one in await self._post([entry])]

    async def _commit(self, routed: Sequence[tuple[BankEntry, Route]]) -> list[Result]:
        rows = [_row(place, entry, to) for place, (entry, to) in enumerate(routed)]
        with naming_the_rule():
            async with self._database.transaction() as connection:
                values = {"rows": Jsonb(rows), "actor": self._actor}
                posted = {row.place: row for row in await connection.execute(text(POST), values)}
                notes = [
                    {"id": posted[place].transaction_id, "note": _note(entry, to)}
                    for place, (entry, to) in enumerate(routed)
                ]
                await connection.execute(text(NOTE), {"rows": Jsonb(notes), "actor": self._actor})
        return [
            Result(
                entry,
                Outcome.SUSPENSE if to.reason else Outcome.POSTED,
                to.account_id,
                posted[place].number,
                str(to.reason or ""),
            )
            for place, (entry, to) in enumerate(routed)
        ]

    async def _certain(self, entry: BankEntry, to: Route) -> Route:
        """Put the suspense account of the currency in the place of one that does not take the money."""
        if to.reason is None:
            return to
        return replace(to, account_id=await self._suspense(entry.currency))

    async def _suspense(self, currency: str) -> str:
        if found := await self._database.read_first(SUSPENSE.where(AccountRow.currency == currency)):
            return str(found.id)
        id = f"acc_suspense_{currency.lower()}"
        await self._database.call(
            "open_account", account_id=id, currency=currency, owner_name="Suspense", kind="suspense"
        )
        return id

    async def _imported(self, keys: Sequence[str]) -> dict[str, Any]:
        imported = IMPORTED.where(one_of(FinancialTransactionRow.idempotency_key, keys))
        return {row.key: row for row in await self._database.read(imported)}

    async def _known(self, entries: Iterable[BankEntry]) -> KnownReferences:
        series = [NumberSeries(row.prefix, row.is_per_year) for row in await self._database.read(INVOICE_SERIES)]
        words = sorted({word for entry in entries for word in references(entry, series)})
        accounts = {
            row.id: KnownAccount(row.id, row.currency, row.state == "terminated", row.owner_reference)
            for row in await self._database.read(ACCOUNTS.where(one_of(AccountRow.id, words)))
        }
        invoices = {}
        for row in await self._database.read(INVOICES.where(one_of(TransactionNumberRow.number, words))):
            invoices[row.number] = KnownInvoice(row.id, row.account_id, row.state == "posted")
            owner = KnownAccount(row.account_id, row.currency, row.account_state == "terminated", row.owner_reference)
            accounts[row.account_id] = owner
        return KnownReferences(accounts, invoices, series)


def _once(entry: BankEntry, problem: str) -> Problem:
    return Problem("bank_reference", "bank_reference_once", f"{entry.reference!r} {problem}", BANK, entry.line)


def _left_alone(entry: BankEntry) -> Result:
    return Result(entry, Outcome.DEBIT if entry.is_booked else Outcome.NOT_BOOKED)


def _row(place: int, entry: BankEntry, to: Route) -> dict[str, Any]:
    return {
        "place": place,
        "key": entry.key,
        "account_id": to.account_id,
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "invoices": list(to.invoice_ids) if to.reason is None else [],
        "issued_on": entry.booked_on.isoformat(),
        "reference": entry.reference,
        "is_suspense": to.reason is not None,
    }


def _note(entry: BankEntry, to: Route) -> str:
    if to.reason is None:
        return entry.note
    return f"suspense: {to.reason}; {entry.note}".rstrip("; ")
