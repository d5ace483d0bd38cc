"""Whom and what a segment has: counted by currency, and listed in the order of their ids."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select, text

from activities.database import Database
from models.messages.communication import About
from models.problem import refusal
from models.reports.periods import DaySpan, span_of
from models.tables.messages import SegmentRow

PAGE = 1000
# Criteria are looked at for every account, or every transaction of the days.
SWEEP_SECONDS = 10 * 60.0

_COUNTED = "select * from duly.segment_totals(:id, :first, :last)"
_MEMBERS = {
    About.ACCOUNTS: "select * from duly.segment_accounts(:id)",
    About.TRANSACTIONS: "select * from duly.segment_transactions(:id, :first, :last)",
}
_PAGES = {
    About.ACCOUNTS: "select * from duly.segment_accounts_behind(:id, :after, :limit)",
    # What is posted is found by its days, and judged as a whole.
    About.TRANSACTIONS: f"{_MEMBERS[About.TRANSACTIONS]} x where x.id > :after order by x.id limit :limit",
}


class SegmentQueries:
    """Reads segments and what they have."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Row[Any]]:
        """Return every segment."""
        row = SegmentRow
        columns = (row.id, row.name, row.about, row.criteria, row.is_active)
        return await self._database.read(select(*columns).order_by(row.id))

    async def require(self, segment_id: str) -> Row[Any]:
        """Return a segment. Raises RefusedError when there is none."""
        found = [row for row in await self.all() if row.id == segment_id]
        if not found:
            raise refusal("segment", "segment_exists", f"there is no segment {segment_id!r}")
        return found[0]

    async def counted(
        self, segment: Row[Any], days: DaySpan | None, *, seconds: float = SWEEP_SECONDS
    ) -> Sequence[Row[Any]]:
        """Return how many a segment has by currency, and what they come to in minor units."""
        asked = {"id": segment.id, **_bounds(days)}
        return await self._database.rows(_COUNTED, **asked, timeout_seconds=seconds)

    async def page(
        self, segment: Row[Any], days: DaySpan | None, *, after: str, limit: int, seconds: float
    ) -> Sequence[Row[Any]]:
        """Return what a segment has behind an id, in the order of their ids: at most so many."""
        about = About(segment.about)
        asked = {"id": segment.id, "after": after, "limit": limit, **_bounds_of(about, days)}
        return await self._database.rows(_PAGES[about], **asked, timeout_seconds=seconds)

    async def members(self, segment: Row[Any], days: DaySpan | None) -> AsyncIterator[Sequence[Row[Any]]]:
        """Yield pages of what a segment has, in the order of their ids: of one statement, and of one moment."""
        about = About(segment.about)
        asked = {"id": segment.id, **_bounds_of(about, days)}
        statement = text(_MEMBERS[about]).execution_options(yield_per=PAGE)
        async with self._database.transaction(SWEEP_SECONDS) as connection:
            found = await connection.stream(statement, asked)
            async for page in found.partitions(PAGE):
                yield page


def days_of_segment(segment: Row[Any], first: date | None, last: date | None, today: date) -> DaySpan | None:
    """Return the days of a segment's transactions: those of its criteria, or those that are asked for; None is all.

    Raises RefusedError for days of accounts, and for days in the wrong order.
    """
    if segment.about == About.ACCOUNTS:
        if first or last:
            raise refusal("from", "days_of_transactions", f"{segment.id!r} is about accounts, which have no days")
        return None
    known = span_of(segment.criteria.get("posted"), today)
    if first is None and last is None:
        return known
    span = DaySpan(first or (known.first if known else date.min), last or (known.last if known else date.max))
    if span.first > span.last:
        raise refusal("from", "from_before_to", f"{span.first} is after {span.last}")
    return span


def _bounds(days: DaySpan | None) -> dict[str, date | None]:
    return {"first": days.first if days else None, "last": days.last if days else None}


def _bounds_of(about: About, days: DaySpan | None) -> dict[str, date | None]:
    return _bounds(days) if about is About.TRANSACTIONS else {}
