"""Reads what a report is made of: its definition becomes one statement over columns that its source names."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, FromClause, Select, Text, cast, column, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.database import Database
from activities.reports.source_rows import rows_of
from models.reports.columns import DISTINCT, ROWS, ColumnKind
from models.reports.definition import Condition, ReportDefinition
from models.reports.periods import DaySpan
from models.reports.result import Row, TieResult
from models.reports.source import CURRENCY, Source, Tie

# A million transactions take seconds; what takes longer than this is given up.
TIMEOUT_SECONDS = 600.0
PAGE = 2000


class ReportReader:
    """Reads reports in one transaction: whatever is read of it belongs to one state of the books."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def groups(self, definition: ReportDefinition, days: DaySpan, keys: Sequence[str]) -> Sequence[Row]:
        """Return the sums that the measures of a definition are worked out of, by some keys and in their order."""
        source = rows_of(definition.source, days)
        names = sorted({one for name in definition.measures for one in definition.source.measures[name].sums})
        grouped = [source.c[name] for name in keys]
        query = select(*grouped, *(_sum(source, name).label(name) for name in names))
        query = query.where(*_conditions(source, definition, days)).group_by(*grouped).order_by(*grouped)
        return [dict(row._mapping) for row in await self._connection.execute(query)]  # noqa: SLF001

    async def pages(self, definition: ReportDefinition, days: DaySpan) -> AsyncIterator[Sequence[Row]]:
        """Yield the rows of a list, page by page, in the order of their days."""
        source = rows_of(definition.source, days)
        order = [source.c[name] for name in (definition.source.day, *definition.source.key) if name]
        shown = dict.fromkeys((*definition.columns, *((CURRENCY,) if definition.source.has_money else ())))
        query = select(*(source.c[name] for name in shown)).where(*_conditions(source, definition, days))
        found = await self._connection.stream(query.order_by(*order).execution_options(yield_per=PAGE))
        async for page in found.mappings().partitions():
            yield [dict(row) for row in page]

    async def list_totals(self, definition: ReportDefinition, days: DaySpan) -> Sequence[Row]:
        """Return what the amounts of a list come to, and how many rows it has, by currency."""
        source = rows_of(definition.source, days)
        amounts = [name for name in definition.columns if definition.source.columns[name] is ColumnKind.MONEY]
        keys = [source.c[CURRENCY]] if definition.source.has_money else []
        query = select(*keys, func.count().label(ROWS), *(_sum(source, name).label(name) for name in amounts))
        query = query.where(*_conditions(source, definition, days)).group_by(*keys).order_by(*keys)
        return [dict(row._mapping) for row in await self._connection.execute(query)]  # noqa: SLF001

    async def billed_and_collected(self, until: date) -> Sequence[Row]:
        """Return what was billed in each month, and what was collected of it in which, up to a day."""
        named = (*_texts(CURRENCY), column("billed_month", Date), column("paid_month", Date))
        known = func.duly.billed_and_collected(until).table_valued(*named, column("amount_minor", BigInteger))
        return await self._all(select(*known.c))

    async def ties(self, source: Source, days: DaySpan) -> list[TieResult]:
        """Hold the whole of a source over some days against the ledger's own movement or balance."""
        if not source.ties:
            return []
        measures = tuple(dict.fromkeys(tie.measure for tie in source.ties))
        whole = ReportDefinition("", "", source, measures=measures)
        groups = {row[CURRENCY]: row for row in await self.groups(whole, days, (CURRENCY,))}
        ledger = await self._movement(days) if source.day else await self._balances(source, days)
        currencies = sorted(groups.keys() | {one["currency"] for one in ledger})
        return [
            TieResult(tie.measure, code, _reported(source, tie, groups.get(code)), _of_ledger(tie, code, ledger))
            for tie in source.ties
            for code in currencies
        ]

    async def _movement(self, days: DaySpan) -> Sequence[Row]:
        named = (*_texts("kind", "moved_by", CURRENCY), column("amount_minor", BigInteger))
        known = func.duly.ledger_movement(days.first, days.last).table_valued(*named)
        return await self._all(select(*known.c))

    async def _balances(self, source: Source, days: DaySpan) -> Sequence[Row]:
        last = date.max if source.name == "balances" else days.last
        sums = [column(name, BigInteger) for name in ("debit_minor", "credit_minor")]
        named = (*_texts("ledger_account", CURRENCY), *sums)
        known = func.duly.trial_balance(last).table_valued(*named)
        return [
            {
                "kind": row["ledger_account"].partition(":")[0],
                "moved_by": "",
                "currency": row["currency"],
                "amount_minor": row["debit_minor"] - row["credit_minor"],
            }
            for row in await self._all(select(*known.c))
        ]

    async def _all(self, query: Select[*tuple[Any, ...]]) -> Sequence[Row]:
        return [dict(row._mapping) for row in await self._connection.execute(query)]  # noqa: SLF001


@asynccontextmanager
async def report_reader(database: Database, timeout_seconds: float = TIMEOUT_SECONDS) -> AsyncIterator[ReportReader]:
    """Open the books for a report, in the state that they have now."""
    async with database.connection(timeout_seconds) as connection:
        _ = await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            yield ReportReader(connection)


def _texts(*names: str) -> list[ColumnElement[str]]:
    return [column(name, Text) for name in names]


def _sum(source: FromClause, name: str) -> ColumnElement[int]:
    if name == ROWS:
        return func.count()
    if name.startswith(DISTINCT):
        return func.count(source.c[name.removeprefix(DISTINCT)].distinct())
    return cast(func.coalesce(func.sum(source.c[name]), 0), BigInteger)


def _conditions(source: FromClause, definition: ReportDefinition, days: DaySpan) -> list[ColumnElement[bool]]:
    day = definition.source.day
    within = [source.c[day].between(days.first, days.last)] if day else []
    return [*within, *(condition for one in definition.filters for condition in _condition(source, one))]


def _condition(source: FromClause, wanted: Condition) -> list[ColumnElement[bool]]:
    known = source.c[wanted.column]
    conditions: list[ColumnElement[bool]] = [known.in_(wanted.one_of)] if wanted.one_of else []
    conditions += [or_(known.is_(None), known.not_in(wanted.none_of))] if wanted.none_of else []
    conditions += [known >= wanted.least] if wanted.least is not None else []
    conditions += [known <= wanted.most] if wanted.most is not None else []
    return conditions


def _reported(source: Source, tie: Tie, sums: Row | None) -> int:
    value = source.measures[tie.measure].value(sums) if sums else 0
    return int(value or 0)


def _of_ledger(tie: Tie, currency: str, ledger: Sequence[Row]) -> int:
    return tie.sign * sum(
        int(row["amount_minor"])
        for row in ledger
        if row["currency"] == currency
        and row["kind"] in tie.kinds
        and row["moved_by"] in (tie.moved_by or (row["moved_by"],))
    )
