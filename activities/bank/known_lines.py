"""The lines of statements that are in the books already, day by day, and those of the file that is being read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import and_, or_

from activities.bank.statement_sql import DEBIT_LINES, IMPORTED, PAYOUTS
from activities.database import Database, one_of
from models.bank.entry import BankEntry
from models.bank.identity import KnownLine, day_prefix
from models.bank.recognition import Doubt, KnownDay, recognise
from models.tables.reconciliation import GatewayPayoutRow
from models.tables.returns import DebitLineRow
from models.tables.transactions import FinancialTransactionRow

_KEY, _ARRIVED, _RETURNED = (
    FinancialTransactionRow.idempotency_key,
    GatewayPayoutRow.arrived_key,
    GatewayPayoutRow.returned_key,
)
# A line that version 0.1.0 has booked of a payout says no day; it stands near the day on which the payout was due.
_NEAR = timedelta(days=31)


@dataclass(frozen=True)
class Brought:
    """What became of a line: whose payment with its number, which payout, or in which line of this file it stands."""

    id: str = ""
    number: str = ""
    line: int = 0
    doubt: Doubt | None = None


@dataclass(frozen=True)
class _First:
    """A line that version 0.1.0 has brought, known by the bank's reference alone."""

    brought: Brought
    signed_minor: int
    currency: str
    day: date
    near: timedelta = timedelta()


class _Day:
    """The lines of a day, each with what it brought."""

    def __init__(self) -> None:
        self._known = KnownDay()
        self._brought: list[Brought] = []

    def add(self, line: KnownLine, brought: Brought) -> None:
        self._known.add(line)
        self._brought.append(brought)

    def find(self, entry: BankEntry) -> Brought | None:
        found = recognise(entry.identity, self._known)
        return None if found is None else replace(self._brought[found.number], doubt=found.doubt)


class KnownLines:
    """Remembers lines. Each day is read from the books once for a file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._days: dict[date, _Day] = {}
        self._first: dict[tuple[str, bool], _First] = {}

    async def read(self, entries: Sequence[BankEntry]) -> None:
        """Read what is known of the days of these entries."""
        for day in sorted({entry.booked_on for entry in entries} - self._days.keys()):
            self._days[day] = await self._of_day(day)
        await self._read_first([entry.first_key for entry in entries])

    def find(self, entry: BankEntry) -> Brought | None:
        """Return what brought an entry before; None when it is new."""
        first = self._first.get((entry.first_key, entry.is_credit))
        if first is not None and abs(first.day - entry.booked_on) <= first.near:
            if (first.signed_minor, first.currency) == (entry.signed_minor, entry.currency):
                return first.brought
            if entry.read_as is None:
                return Brought(doubt=Doubt.ANOTHER_AMOUNT)
        return self._days[entry.booked_on].find(entry)

    def add(self, entry: BankEntry) -> None:
        """Remember an entry that is new: a file may say it again."""
        if (line := KnownLine.read(entry.key)) is not None:
            self._days[entry.booked_on].add(replace(line, is_of_this_file=True), Brought(line=entry.line))

    async def _of_day(self, day: date) -> _Day:
        beginning = day_prefix(day)
        # Keys of a day lie side by side; ';' is the character behind ':'.
        end = f"{beginning[:-1]};"
        payments = await self._database.read(IMPORTED.where(beginning <= _KEY, end > _KEY))
        found = [(row.key, Brought(row.account_id, row.number or "")) for row in payments]
        either = [and_(key >= beginning, key < end) for key in (_ARRIVED, _RETURNED)]
        for row in await self._database.read(PAYOUTS.where(or_(*either))):
            found += [(key, Brought(row.id)) for key in (row.arrived_key, row.returned_key) if key]
        for row in await self._database.read(DEBIT_LINES.where(beginning <= DebitLineRow.key, end > DebitLineRow.key)):
            found.append((row.key, Brought(row.reference)))
        read = _Day()
        for key, brought in found:
            if (line := KnownLine.read(key)) is not None:
                read.add(line, brought)
        return read

    async def _read_first(self, keys: Iterable[str]) -> None:
        wanted = sorted(set(keys))
        for row in await self._database.read(IMPORTED.where(one_of(_KEY, wanted))):
            brought = Brought(row.account_id, row.number or "")
            self._first[row.key, True] = _First(brought, row.total_minor, row.currency, row.issued_on)
        either = or_(one_of(_ARRIVED, wanted), one_of(_RETURNED, wanted))
        for row in await self._database.read(PAYOUTS.where(either)):
            for key, signed in ((row.arrived_key, row.amount_minor), (row.returned_key, -row.amount_minor)):
                if key:
                    self._first[key, signed > 0] = _First(Brought(row.id), signed, row.currency, row.arrives_on, _NEAR)
