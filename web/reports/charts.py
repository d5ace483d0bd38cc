"""Charts of reports: tables of their own that a script draws. What is drawn stands in the table, and nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from heapq import nlargest
from typing import Any

from models.currency import exponent_of
from models.reports.columns import ColumnKind
from models.reports.periods import months_before
from models.reports.result import BEFORE, ReportColumn, ReportHead, Row, as_text
from models.reports.source import CURRENCY
from web.reports.chart_plans import ChartKind, ChartPart, ChartPlan, key_columns, kind_of, plans_of
from web.views.cells import grouped

BARS_AT_MOST = 24
# Months, or days: the newest are kept.
TIMES_AT_MOST = 92
# More colours than these nobody tells apart; what is added up has the others as one.
SERIES_AT_MOST = 6
_OTHER = "Others"
_IDS = frozenset({"ledger_account", "control_account", "number"})
_TIME = frozenset({ColumnKind.MONTH, ColumnKind.DAY})


@dataclass(frozen=True)
class ChartSeries:
    """What has one colour: its name, and its tone."""

    name: str
    tone: str


@dataclass(frozen=True)
class ChartCell:
    """One number: exact for the script ("" where there is none), and as people read it."""

    value: str
    text: str


@dataclass(frozen=True)
class ChartRow:
    """A month or a group, with a number of each series."""

    name: str
    cells: Sequence[ChartCell]


@dataclass(frozen=True)
class Chart:
    """A chart of one currency: amounts of two are never on one scale. `decimals` are those of its numbers."""

    title: str
    kind: ChartKind
    head: str
    series: Sequence[ChartSeries]
    rows: Sequence[ChartRow]
    decimals: int
    unit: str = ""
    is_stacked: bool = False
    left_out: int = 0


@dataclass(frozen=True)
class _Scene:
    """A plan over the rows of one currency."""

    head: ReportHead
    plan: ChartPlan
    currency: str
    rows: Sequence[Row]

    @property
    def columns(self) -> dict[str, ReportColumn]:
        return {one.name: one for one in self.head.columns}

    @property
    def keys(self) -> list[ReportColumn]:
        return [self.columns[name] for name in key_columns(self.head.definition)]

    @property
    def measured(self) -> ReportColumn:
        """The column of the first part; all are of one kind."""
        return self.columns[self.plan.parts[0].measure]

    def chart(self, kind: ChartKind, head: str, series: Sequence[ChartSeries], rows: Sequence[ChartRow]) -> Chart:
        money, percent = (self.measured.kind is one for one in (ColumnKind.MONEY, ColumnKind.PERCENT))
        title = self.plan.title or self.measured.title
        if self.currency:
            title = f"{title}, {self.currency}" if money else f"{title} ({self.currency})"
        decimals = exponent_of(self.currency) if money and self.currency else 2 if percent else 0
        unit = "%" if percent else self.currency if money else ""
        return Chart(title, kind, head, series, rows, decimals, unit, kind is not ChartKind.LINES and len(series) > 1)


def charts_of(head: ReportHead, rows: Iterable[Row], totals: Iterable[Row] = (), wanted: str = "") -> list[Chart]:
    """Return the charts of a report, each for each currency: the one that is wanted, or the usual ones.

    Months and days stand in their order, groups by their figure, the largest first.
    """
    split, sums = _by_currency(rows), _by_currency(totals)
    found: list[Chart] = []
    for plan in plans_of(head.definition, wanted):
        if plan.is_of_totals:
            found += [_of_totals(_Scene(head, plan, currency, of)) for currency, of in sums.items() if any(split)]
        elif key_columns(head.definition):
            found += [one for currency, of in split.items() for one in _of_groups(_Scene(head, plan, currency, of))]
    return found


def _by_currency(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.get(CURRENCY) or "", []).append(row)
    return dict(sorted(found.items()))


def _of_totals(scene: _Scene) -> Chart:
    rows = [
        ChartRow(scene.columns[part.measure].title, [_cell(scene.columns[part.measure], scene.rows[0], part)])
        for part in scene.plan.parts
    ]
    return scene.chart(ChartKind.COLUMNS, "Of", [ChartSeries("Receivables", "")], rows)


def _of_groups(scene: _Scene) -> Iterator[Chart]:
    time = next((one for one in scene.keys if one.kind in _TIME), None)
    if time is not None:
        scene = replace(scene, rows=[row for row in scene.rows if row.get(time.name) is not None])
    times = sorted({row[time.name] for row in scene.rows}) if time else []
    kind = kind_of(scene.head.definition, scene.plan, len(times))
    if time is None or kind is ChartKind.BARS:
        if scene.rows:
            yield _bars(scene, [one for one in scene.keys if one is not time] or scene.keys)
        return
    others = [one for one in scene.keys if one is not time]
    every = list(_every(times[0], times[-1], time.kind))[-TIMES_AT_MOST:]
    names = {_name(others, row) for row in scene.rows}
    if len(names) == 1:
        yield _measures_over_time(scene, kind, time, every)
        return
    for part in scene.plan.parts:
        title = scene.plan.title if len(scene.plan.parts) == 1 else scene.columns[part.measure].title
        yield _groups_over_time(replace(scene, plan=replace(scene.plan, title=title, parts=(part,))), kind, time, every)


def _every(first: date, last: date, kind: ColumnKind) -> Iterator[date]:
    """Yield each month, or day: one without anything is a gap, and not left out."""
    at = first
    while at <= last:
        yield at
        at = months_before(at, -1) if kind is ColumnKind.MONTH else at + timedelta(days=1)


def _measures_over_time(scene: _Scene, kind: ChartKind, time: ReportColumn, every: Sequence[date]) -> Chart:
    of = {row[time.name]: row for row in scene.rows}
    series = [ChartSeries(scene.columns[part.measure].title, part.tone) for part in scene.plan.parts]
    rows = [
        ChartRow(
            as_text(time, {time.name: at}),
            [_cell(scene.columns[part.measure], of.get(at, {}), part) for part in scene.plan.parts],
        )
        for at in every
    ]
    return scene.chart(kind, time.title, series, rows)


def _groups_over_time(scene: _Scene, kind: ChartKind, time: ReportColumn, every: Sequence[date]) -> Chart:
    """Chart one measure, a series for each group; those beyond the largest are one where they can be added up."""
    (part,), column = scene.plan.parts, scene.measured
    others = [one for one in scene.keys if one is not time]
    cells: dict[str, dict[date, Any]] = {}
    for row in scene.rows:
        cells.setdefault(_name(others, row), {})[row[time.name]] = row.get(column.name)
    largest = nlargest(SERIES_AT_MOST, cells, key=lambda name: sum(abs(one or 0) for one in cells[name].values()))
    is_summed = len(cells) > SERIES_AT_MOST and kind is ChartKind.COLUMNS
    chosen = set(largest[:-1] if is_summed else largest)
    # In the order of the rows: a group has the same colour in each chart of its report.
    shown, rest = ([name for name in cells if (name in chosen) is is_one] for is_one in (True, False))
    if is_summed:
        cells[_OTHER] = {at: sum(cells[name].get(at) or 0 for name in rest) for at in every}
        shown, rest = [*shown, _OTHER], []
    rows = [
        ChartRow(
            as_text(time, {time.name: at}),
            [_cell(column, {column.name: cells[name].get(at), CURRENCY: scene.currency}, part) for name in shown],
        )
        for at in every
    ]
    series = [ChartSeries(name, "off" if name == _OTHER else "") for name in shown]
    return replace(scene.chart(kind, time.title, series, rows), left_out=len(rest))


def _bars(scene: _Scene, keys: Sequence[ReportColumn]) -> Chart:
    """Chart groups, the largest first; where numbers are grouped by, in their order."""
    parts = scene.plan.parts

    def size(row: Row) -> int | Fraction:
        return sum((row.get(part.measure) or 0) * part.sign for part in parts)

    # Only what is drawn is written out: there may be a million groups.
    if [one.kind for one in keys] == [ColumnKind.NUMBER]:
        kept = sorted(scene.rows, key=lambda row: row[keys[0].name] or 0)[:BARS_AT_MOST]
    else:
        kept = nlargest(BARS_AT_MOST, scene.rows, key=size)
    before = scene.columns.get(f"{parts[0].measure}{BEFORE}") if len(parts) == 1 else None
    of = [(scene.columns[part.measure], part) for part in parts]
    of += [(before, replace(parts[0], tone="before"))] if before else []
    series = [ChartSeries(column.title, part.tone) for column, part in of]
    rows = [ChartRow(_name(keys, row) or "none", [_cell(column, row, part) for column, part in of]) for row in kept]
    chart = scene.chart(ChartKind.BARS, ", ".join(one.title for one in keys), series, rows)
    return replace(chart, left_out=len(scene.rows) - len(kept), is_stacked=len(parts) > 1)


def _name(keys: Sequence[ReportColumn], row: Row) -> str:
    """Return what a group is called: words of ours as they are read, ids as they are."""
    texts = (as_text(key, row) if key.name in _IDS or key.name.endswith("_id") else _words(key, row) for key in keys)
    return ", ".join(filter(None, texts))


def _words(key: ReportColumn, row: Row) -> str:
    return as_text(key, row).replace("_", " ")


def _cell(column: ReportColumn, row: Row, part: ChartPart) -> ChartCell:
    value = row.get(column.name)
    if value is None:
        return ChartCell("", as_text(column, {column.name: None}))
    plain = as_text(column, {**row, column.name: value * part.sign})
    if column.kind is ColumnKind.PERCENT:
        return ChartCell(plain, f"{plain} %")
    return ChartCell(plain, grouped(plain))
