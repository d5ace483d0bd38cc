"""Runs a report: reads the books in one state and hands what they say to whatever writes it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from activities.database import Database
from activities.reports.forecasting import forecast_rows
from activities.reports.queries import TIMEOUT_SECONDS, ReportReader, report_reader
from models.problem import refusal
from models.reports.definition import ReportDefinition
from models.reports.periods import DaySpan
from models.reports.recurring_sources import FORECAST
from models.reports.result import ReportFoot, ReportHead, Row, head_of, measured, with_every_month
from models.reports.source import CURRENCY, MONTH

# A month without anything is a row too; more of them than this are no report by month.
ROWS_BY_MONTH_MAX = 1_000_000


class ReportOutput(Protocol):
    """What a report is written to, from its head to its foot; rows come in pages."""

    def begin(self, head: ReportHead) -> None:
        """Begin with what is known before the rows."""
        ...

    def rows(self, rows: Sequence[Row]) -> None:
        """Write a page of rows."""
        ...

    def end(self, foot: ReportFoot) -> None:
        """End with what the rows come to."""
        ...


async def run_report(
    database: Database,
    definition: ReportDefinition,
    output: ReportOutput,
    *,
    today: date,
    at: datetime,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> ReportFoot:
    """Run a report as it is on a day, and return its foot. Rows are read in pages, however many they are."""
    async with report_reader(database, timeout_seconds) as reader:
        return await run_with(reader, definition, output, today=today, at=at)


async def run_with(
    reader: ReportReader, definition: ReportDefinition, output: ReportOutput, *, today: date, at: datetime
) -> ReportFoot:
    """Run a report in the state of the books that others are read in too."""
    head = head_of(definition, today, at)
    output.begin(head)
    foot = await (_listed if definition.is_list else _grouped)(reader, head, output)
    output.end(foot)
    return foot


async def _listed(reader: ReportReader, head: ReportHead, output: ReportOutput) -> ReportFoot:
    definition, count = head.definition, 0
    if definition.source is FORECAST:
        rows = forecast_rows(await reader.billed_and_collected(head.days.last), head.days.last)
        chosen = [row for row in rows if all(one.lets_through(row.get(one.column)) for one in definition.filters)]
        output.rows([{name: row.get(name) for name in (*definition.columns, CURRENCY)} for row in chosen])
        return ReportFoot(len(chosen), (), ())
    async for page in reader.pages(definition, head.days):
        count += len(page)
        output.rows(page)
    totals = await reader.list_totals(definition, head.days) if definition.source.is_flow else ()
    return ReportFoot(count, tuple(totals), tuple(await reader.ties(definition.source, head.days)))


async def _grouped(reader: ReportReader, head: ReportHead, output: ReportOutput) -> ReportFoot:
    definition = head.definition
    rows = await _measured_groups(reader, head, definition.keys)
    output.rows(rows)
    total_keys = (CURRENCY,) if definition.source.has_money else ()
    totals = await _measured_groups(reader, head, total_keys) if definition.source.is_flow else []
    return ReportFoot(len(rows), tuple(totals), tuple(await reader.ties(definition.source, head.days)))


async def _measured_groups(reader: ReportReader, head: ReportHead, keys: Sequence[str]) -> list[Row]:
    """Return groups with their measures; one that only the period before has is among them, with nothing now."""
    definition = head.definition
    now = await _by_key(reader, definition, head.days, keys)
    before = await _by_key(reader, definition, head.before, keys) if head.before else {}
    nothing = {one: 0 for name in definition.measures for one in definition.source.measures[name].sums}
    groups: list[Row] = [
        {**dict(zip(keys, key, strict=True)), **now.get(key, nothing)} for key in dict.fromkeys([*now, *before])
    ]
    if tuple(keys) == definition.keys:
        _require_rows_by_month(groups, head.days, keys)
        groups = with_every_month(definition, head.days, groups)
    return [
        {
            **{name: group[name] for name in keys},
            **measured(definition, group, before.get(tuple(group[name] for name in keys))),
        }
        for group in groups
    ]


def _require_rows_by_month(groups: Sequence[Row], days: DaySpan, keys: Sequence[str]) -> None:
    others = {tuple(group[name] for name in keys if name != MONTH) for group in groups} if MONTH in keys else set()
    if len(others) * sum(1 for _ in days.months()) > ROWS_BY_MONTH_MAX:
        what = f"more than {ROWS_BY_MONTH_MAX} rows, each month of each group: group by less, or over fewer months"
        raise refusal("group_by", "rows_at_most", what)


async def _by_key(
    reader: ReportReader, definition: ReportDefinition, days: DaySpan, keys: Sequence[str]
) -> dict[tuple[object, ...], Row]:
    found = await reader.groups(definition, days, keys)
    return {tuple(row[name] for name in keys): row for row in found}
