"""Lists of the command line: a page of rows, newest first, and what all that are asked for come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Row, Select, cast, func, literal, or_, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from activities.database import Database, DatabaseUnavailableError, one_of
from models.listing import ListPage
from models.operations.states import States
from models.problem import refusal

# What all rows come to takes as long as there are rows: a list does without it when that is longer.
TOTALS_SECONDS = 5.0
# A bigint has fewer digits than these, whatever they are.
DIGITS = 19

Columns = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Listed:
    """A page, the key behind which the next one begins (None at the end), and totals over all pages if known.

    `is_totalled` says whether they were wanted.
    """

    rows: Sequence[Row[Any]]
    following: str | None
    totals: Sequence[Row[Any]] | None = ()
    is_totalled: bool = True


@dataclass(frozen=True)
class NewestFirst:
    """How a noun is listed: its columns, when a row began, its key, and by what it is totalled.

    Rows of one moment follow each other by their keys. `of_key` finds a row by its key where that is no column.
    """

    columns: Columns
    moment: Any
    key: Any
    state: Any
    amount: Any = None
    currency: Any = None
    of_key: Callable[[str], ColumnElement[bool]] | None = None

    async def page(
        self, database: Database, page: ListPage, *filters: ColumnElement[bool], with_totals: bool = True
    ) -> Listed:
        """Return a page; totals read all of its list. Raises RefusedError (row_exists): `after` names no row."""
        behind = await self._behind(database, page.after) if page.after else ()
        rows = await database.read(self.statement(page, *filters, *behind))
        following = str(rows[-1].place) if len(rows) == page.limit else None
        if not (with_totals and page.is_totalled):
            return Listed(rows, following, is_totalled=False)
        return Listed(rows, following, await self.totals(database, page, *filters))

    async def chosen(self, database: Database, keys: Sequence[str]) -> Sequence[Row[Any]]:
        """Return the rows of keys that somebody has chosen, the newest first; a key of none has no row."""
        at_keys = or_(*map(self.of_key, keys)) if self.of_key else one_of(self.key, list(keys))
        return await database.read(self.columns.where(at_keys).order_by(self.moment.desc(), self.key.desc()))

    def statement(self, page: ListPage, *filters: ColumnElement[bool]) -> Columns:
        """Return the query of a page."""
        placed = self.columns.add_columns(cast_text(self.key).label("place"))
        wanted = placed.where(*filters, *self._days(page))
        return wanted.order_by(self.moment.desc(), self.key.desc()).limit(page.limit)

    async def totals(
        self, database: Database, page: ListPage, *filters: ColumnElement[bool]
    ) -> Sequence[Row[Any]] | None:
        """Return what all pages come to; None where that takes too long."""
        wanted = (*filters, *self._days(page))
        try:
            return await database.read(self._totals().where(*wanted), timeout_seconds=TOTALS_SECONDS)
        except DatabaseUnavailableError:
            return None

    def _days(self, page: ListPage) -> Sequence[ColumnElement[bool]]:
        days = []
        if page.starts_at is not None:
            days.append(self.moment >= page.starts_at)
        if page.ends_at is not None:
            days.append(self.moment < page.ends_at)
        return days

    async def _behind(self, database: Database, after: str) -> Sequence[ColumnElement[bool]]:
        is_number = isinstance(self.key.type, Integer)
        key = int(after) if is_number and after.isascii() and after.isdigit() and len(after) < DIGITS else after
        found = None
        if not is_number or isinstance(key, int):
            at_key = self.of_key(after) if self.of_key else self.key == key
            found = await database.read_first(self.columns.with_only_columns(self.moment.label("moment")).where(at_key))
        if found is None:
            raise refusal("after", "row_exists", f"{after!r} is in no such list: give the `next` of the page before")
        return (tuple_(self.moment, self.key) < tuple_(literal(found.moment), literal(key)),)

    def _totals(self) -> Columns:
        by = [self.state.label("state"), *([] if self.currency is None else [self.currency.label("currency")])]
        amount = [] if self.amount is None else [cast(func.sum(self.amount), BigInteger).label("amount_minor")]
        counted = func.count().label("rows")
        return self.columns.with_only_columns(*by, counted, *amount).group_by(*by).order_by(*by)


def of_word(column: InstrumentedAttribute[Any], states: States, word: str) -> tuple[ColumnElement[bool], ...]:
    """Return the filter of a column for a word of its states; an empty word lets everything through."""
    return (one_of(column, states.values(word)),) if word else ()


def cast_text(key: Any) -> Any:
    """Return a key as text, whatever it is made of."""
    return func.concat(key)
