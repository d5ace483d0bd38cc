"""Closed periods: closing and reopening them, the right to post there, and what was done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from activities.database import Database
from activities.ledger.client import naming_the_rule
from models.tables.ledger import AnyDayPostingRow, AnyDayRightRow, ClosingRow
from models.tables.operations import UserRow

_DISABLED = "disabled"


@dataclass(frozen=True)
class ClosedBooks:
    """Up to which day nothing is posted, None for no day, who may all the same, and what was done, newest first."""

    closed_until: date | None
    holders: tuple[str, ...]
    closings: Sequence[Row[Any]]
    rights: Sequence[Row[Any]]
    postings: Sequence[Row[Any]]


class Closings:
    """Closes days and opens them again. Whatever is refused is raised as a LedgerError that names the rule."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self, until: date, *, actor: str, reason: str) -> date | None:
        """Close all days up to one that is over; return up to which they were closed."""
        was: date | None = await self._call("close_books", until=until, actor=actor, reason=reason)
        return was

    async def reopen(self, first: date, *, actor: str, reason: str) -> date | None:
        """Open a closed day and all after it; return up to which they were closed."""
        was: date | None = await self._call("reopen_books", first=first, actor=actor, reason=reason)
        return was

    async def set_right(self, holder: str, *, is_granted: bool, actor: str, reason: str) -> bool:
        """Give or take the right to post outside the open days; False when it is so already."""
        return bool(
            await self._call("set_any_day_right", holder=holder, is_granted=is_granted, actor=actor, reason=reason)
        )

    async def read(self, limit: int) -> ClosedBooks:
        """Return what is closed, who may post there, and the newest closings, rights and postings."""
        closings = await self._newest(ClosingRow, limit)
        rights = await self._newest(AnyDayRightRow, limit)
        postings = await self._newest(AnyDayPostingRow, limit)
        person = func.lower(func.btrim(AnyDayRightRow.holder))
        disabled = select(UserRow.id).where(UserRow.state == _DISABLED)
        newest = (
            select(AnyDayRightRow.holder, AnyDayRightRow.is_granted)
            .where(person.not_in(disabled))
            .ext(distinct_on(person))
            .order_by(person, AnyDayRightRow.id.desc())
        )
        holders = tuple(row.holder for row in await self._database.read(newest) if row.is_granted)
        return ClosedBooks(closings[0].closed_until if closings else None, holders, closings, rights, postings)

    async def _newest(
        self, row: type[ClosingRow | AnyDayRightRow | AnyDayPostingRow], limit: int
    ) -> Sequence[Row[Any]]:
        return await self._database.read(select(*row.__table__.c).order_by(row.id.desc()).limit(limit))

    async def _call(self, function: str, **arguments: Any) -> Any:
        with naming_the_rule():
            return await self._database.call(function, **arguments)
