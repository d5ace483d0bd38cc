"""Bank lines into payments: each line once, each whose account is not certain into suspense (F122, F123)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Row, text

from activities.bank.debits.debit_lines import DebitLine, DebitLines
from activities.bank.debits.received_lines import received_lines
from activities.bank.known_lines import Brought, KnownLines
from activities.bank.payout_lines import PayoutLines
from activities.bank.release.statement_limits import within_limits
from activities.bank.statement_sql import ACCOUNTS, BILLS, INVOICE_SERIES, INVOICES, NOTE, POST, SUSPENSE
from activities.database import Database, one_of
from activities.ledger.client import naming_the_rule
from models.bank.entry import BankEntry
from models.bank.recognition import Doubt
from models.bank.routing import (
    KnownAccount,
    KnownBill,
    KnownInvoice,
    KnownReferences,
    Route,
    SuspenseReason,
    named_accounts,
    route,
    words,
)
from models.imports.columns import BANK
from models.ledger.account import AccountState
from models.ledger.number_series import BILLS as BILL_NUMBERS
from models.ledger.number_series import NumberSeries
from models.ledger.refusal_fields import problem_of
from models.ledger.refusals import LedgerError
from models.ledger.transaction import LifeCycleState
from models.problem import Problem
from models.tables.accounts import AccountRow
from models.tables.transactions import TransactionNumberRow

# A line whose money seems to be nobody's may be a gateway's payout, or a debit that came back to us.
_OF_NOBODY = frozenset({SuspenseReason.ACCOUNT_UNKNOWN, SuspenseReason.RETURNED_TRANSFER})


class Outcome(StrEnum):
    """What became of a line."""

    POSTED = "posted"
    SUSPENSE = "suspense"
    UNCHANGED = "unchanged"
    DEBIT = "debit"
    NOT_BOOKED = "not_booked"
    PAYOUT = "payout"
    DIRECT_DEBIT = "direct_debit"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Result:
    """A line and what became of it: the payment's number and account, or why there is none.

    `written_off` are the invoices that it names and that were given up, `accounts` those whose debits it is about.
    """

    entry: BankEntry
    outcome: Outcome
    account_id: str = ""
    number: str = ""
    reason: str = ""
    written_off: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


class BankImport:
    """Posts the credits of statements as bank transfers, a batch in one commit, and the payouts of gateways."""

    def __init__(self, database: Database, *, actor: str) -> None:
        self._database = database
        self._actor = actor
        self._payouts = PayoutLines(database)
        self._debit_lines = DebitLines(database)
        self._lines = KnownLines(database)

    async def write(self, entries: Sequence[BankEntry]) -> list[Result | Problem]:
        """Write a batch. A line that the ledger refuses becomes a problem, and the others go in."""
        moved = [entry for entry in entries if _is_movement(entry)]
        done: list[Result | Problem] = [_left_alone(entry) for entry in entries if not _is_movement(entry)]
        await self._lines.read(moved)
        new = []
        for entry in moved:
            if (result := self._seen_before(entry)) is not None:
                done.append(result)
            else:
                new.append(entry)
                self._lines.add(entry)
        done += await self._write_new(new)
        return sorted(done, key=lambda one: one.line if isinstance(one, Problem) else one.entry.line)

    def _seen_before(self, entry: BankEntry) -> Result | Problem | None:
        """Return what a line above, or an import before this one, made of an entry; None when it is new."""
        brought = self._lines.find(entry)
        if brought is None:
            return None
        if brought.doubt is not None and entry.is_credit:
            return _doubtful(entry, brought.doubt, brought)
        if not brought.line:
            # A payout has no number; what it brought is named by its id.
            return Result(entry, Outcome.UNCHANGED, *_named(brought))
        if entry.read_as is None and entry.is_credit:
            return _once(entry, f"stands in line {brought.line} already")
        return (
            Result(entry, Outcome.UNCHANGED, reason=f"line {brought.line}") if entry.is_credit else _left_alone(entry)
        )

    async def _write_new(self, entries: Sequence[BankEntry]) -> list[Result | Problem]:
        direct, refused = await received_lines(entries, self._debit_lines.receive)
        done: list[Result | Problem] = [*map(_direct, direct), *(problem for _, problem in refused)]
        entries = _without(entries, (*direct, *refused))
        routes = await self._routes([entry for entry in entries if entry.is_credit])
        possible = [entry for entry in entries if not entry.is_credit or routes[id(entry)].reason in _OF_NOBODY]
        received, refused = await received_lines(await self._payouts.possible(possible), self._payouts.receive)
        done += [Result(entry, Outcome.PAYOUT, reason=id) for entry, id in received]
        done += [problem for _, problem in refused]
        rest = _without(entries, (*received, *refused))
        done += await self._debits([entry for entry in rest if not entry.is_credit])
        return done + await self._post([entry for entry in rest if entry.is_credit], routes)

    async def _routes(self, entries: Sequence[BankEntry]) -> dict[int, Route]:
        """Return where the money of entries goes, by the identity of the entry."""
        known = await self._known(entries) if entries else KnownReferences({}, {})
        return {id(entry): route(entry, known) for entry in entries}

    async def _debits(self, entries: Sequence[BankEntry]) -> list[Result]:
        """Return debits as they are; of one that takes a payment back, whose payment it seems to be."""
        returns = [entry for entry in entries if entry.is_return]
        known = await self._known(returns) if returns else KnownReferences({}, {})
        done = []
        for entry in entries:
            named = named_accounts(entry, known) if entry.is_return else set()
            account = next(iter(named)) if len(named) == 1 else ""
            reason = str(SuspenseReason.RETURNED_TRANSFER) if entry.is_return else ""
            done.append(Result(entry, Outcome.DEBIT, account, reason=reason))
        return done

    async def _post(self, entries: Sequence[BankEntry], routes: Mapping[int, Route]) -> list[Result | Problem]:
        if not entries:
            return []
        lost = sorted({entry.currency for entry in entries if routes[id(entry)].reason is not None})
        suspense = {currency: await self._suspense(currency) for currency in lost}
        routed = [(entry, _certain(routes[id(entry)], suspense.get(entry.currency, ""))) for entry in entries]
        try:
            return [*await self._commit(routed)]
        except LedgerError as error:
            if len(entries) == 1:
                return [problem_of(error, source=BANK, line=entries[0].line)]
        # One line was refused and the commit with it; alone, the others go in and this one is named.
        return [one for entry in entries for one in await self._post([entry], await self._routes([entry]))]

    async def _commit(self, routed: Sequence[tuple[BankEntry, Route]]) -> list[Result]:
        rows = [_row(place, entry, to) for place, (entry, to) in enumerate(routed)]
        with naming_the_rule():
            async with self._database.transaction() as connection:
                await within_limits(connection, [entry for entry, _ in routed], self._actor)
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
                to.written_off,
            )
            for place, (entry, to) in enumerate(routed)
        ]

    async def _suspense(self, currency: str) -> str:
        found = await self._database.read_first(SUSPENSE.where(AccountRow.currency == currency))
        if found is not None and found.state != AccountState.TERMINATED:
            return str(found.id)
        # One that was ended is opened again by that: money that has come is never refused.
        id = str(found.id) if found is not None else f"acc_suspense_{currency.lower()}"
        await self._database.call(
            "open_account", account_id=id, currency=currency, owner_name="Suspense", kind="suspense"
        )
        return id

    async def _known(self, entries: Iterable[BankEntry]) -> KnownReferences:
        series = [NumberSeries(row.prefix, row.is_per_year) for row in await self._database.read(INVOICE_SERIES)]
        series.append(BILL_NUMBERS)
        asked = sorted({word for entry in entries for word in words(entry, series)})
        accounts = {
            row.id: KnownAccount(row.id, row.currency, row.state == "terminated", row.owner_reference)
            for row in await self._database.read(ACCOUNTS.where(one_of(AccountRow.id, asked)))
        }
        invoices = {}
        for row in await self._database.read(INVOICES.where(one_of(TransactionNumberRow.number, asked))):
            invoices[row.number] = KnownInvoice(
                row.id,
                row.account_id,
                is_posted=row.state == LifeCycleState.POSTED,
                is_written_off=row.state == LifeCycleState.WRITTEN_OFF,
            )
            accounts[row.account_id] = _owner(row)
        bills = {}
        numbers = [word for word in asked if BILL_NUMBERS.number_of(word) == word]
        for row in await self._database.rows(BILLS, numbers=numbers) if numbers else ():
            bills[row.number] = KnownBill(row.account_id, tuple(row.invoices))
            accounts[row.account_id] = _owner(row)
        return KnownReferences(accounts, invoices, series, bills)


def _without(entries: Iterable[BankEntry], ended: Iterable[tuple[BankEntry, object]]) -> list[BankEntry]:
    gone = {id(entry) for entry, _ in ended}
    return [entry for entry in entries if id(entry) not in gone]


def _certain(to: Route, suspense: str) -> Route:
    """Put the suspense account of the currency in the place of one that does not take the money."""
    return to if to.reason is None else replace(to, account_id=suspense)


def _owner(row: Row[Any]) -> KnownAccount:
    return KnownAccount(row.account_id, row.currency, row.account_state == "terminated", row.owner_reference)


def _direct(received: tuple[BankEntry, DebitLine]) -> Result:
    entry, line = received
    outcome = Outcome.SUSPENSE if line.is_suspense else Outcome.DIRECT_DEBIT
    outcome = Outcome.UNCHANGED if line.is_known else outcome
    return Result(entry, outcome, reason=line.stated, accounts=line.accounts)


_DOUBTS = {
    Doubt.ANOTHER_AMOUNT: ("bank_reference", "bank_reference_once", "was imported before with another amount"),
    Doubt.ANOTHER_CONTENT: ("bank_reference", "bank_reference_once", "was imported before with other words"),
    Doubt.ANOTHER_STATEMENT: ("line", "line_once", "has no reference, and another statement has brought its like"),
    Doubt.PERHAPS_KNOWN: ("line", "line_once", "may have come by another kind of file, where it had another reference"),
}


def _doubtful(entry: BankEntry, doubt: Doubt, brought: Brought) -> Problem:
    field, rule, problem = _DOUBTS[doubt]
    where = brought.number or (f"line {brought.line}" if brought.line else brought.id)
    return Problem(field, rule, f"{entry.reference!r} {problem}{f': {where}' if where else ''}", BANK, entry.line)


def _named(brought: Brought) -> tuple[str, str, str]:
    return (brought.id, brought.number, "") if brought.number else ("", "", brought.id)


def _once(entry: BankEntry, problem: str) -> Problem:
    return Problem("bank_reference", "bank_reference_once", f"{entry.reference!r} {problem}", BANK, entry.line)


def _is_movement(entry: BankEntry) -> bool:
    return entry.is_booked and entry.amount_minor > 0


def _left_alone(entry: BankEntry) -> Result:
    if not entry.is_booked:
        return Result(entry, Outcome.NOT_BOOKED)
    return Result(entry, Outcome.DEBIT if entry.amount_minor else Outcome.NOTHING)


def _row(place: int, entry: BankEntry, to: Route) -> dict[str, Any]:
    return {
        "place": place,
        "key": entry.key,
        "account_id": to.account_id,
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "invoices": list(to.invoice_ids) if to.reason is None else [],
        "issued_on": entry.booked_on.isoformat(),
        "reference": entry.kept_reference,
        "is_suspense": to.reason is not None,
    }


def _note(entry: BankEntry, to: Route) -> str:
    if to.written_off:
        what = f"for {', '.join(to.written_off)}, which was written off"
        return f"{what}: `transactions move` to the write-off account pays that; {entry.note}".rstrip("; ")
    if to.reason is None:
        return entry.note
    return f"suspense: {to.reason}; {entry.note}".rstrip("; ")
