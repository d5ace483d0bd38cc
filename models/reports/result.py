"""What a report answers: columns, rows, totals by currency, and the ledger's balances that it ties to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from models.listing import heading_of
from models.money import Money
from models.reports.columns import MINOR, ColumnKind, percent_text
from models.reports.definition import ReportDefinition
from models.reports.periods import DaySpan
from models.reports.source import CURRENCY, MONTH

Row = Mapping[str, Any]
NOTHING_TO_DIVIDE_BY = "\N{EN DASH}"
BEFORE = "_before"
CHANGE = "_change"


@dataclass(frozen=True)
class ReportColumn:
    """A column of an answer: `name` in its rows, `title` for people."""

    name: str
    kind: ColumnKind

    @property
    def title(self) -> str:
        """Return it as people read it."""
        return heading_of(self.name)

    @property
    def is_right(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in {ColumnKind.MONEY, ColumnKind.NUMBER, ColumnKind.PERCENT}

    @property
    def field(self) -> str:
        """Return its name for programs: amounts are in minor units, and say so."""
        if self.kind is ColumnKind.MONEY and not self.name.endswith(MINOR):
            return f"{self.name}{MINOR}"
        return self.name


@dataclass(frozen=True)
class TieResult:
    """What a report comes to over the whole of its source, and what the ledger says by itself; minor units."""

    measure: str
    currency: str
    report_minor: int
    ledger_minor: int

    @property
    def holds(self) -> bool:
        """Whether both are the same."""
        return self.report_minor == self.ledger_minor

    def as_document(self) -> dict[str, Any]:
        """Return it for programs."""
        known = {"measure": self.measure, "currency": self.currency}
        return {**known, "report_minor": self.report_minor, "ledger_minor": self.ledger_minor, "ties": self.holds}


@dataclass(frozen=True)
class ReportHead:
    """What is known before the rows: the definition, its days, the moment at which the books were read, the columns."""

    definition: ReportDefinition
    days: DaySpan
    before: DaySpan | None
    at: datetime
    columns: tuple[ReportColumn, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """Return what every output says of it."""
        days = str(self.days) if self.definition.source.day else f"at the end of {self.days.last}"
        known = [f"{self.definition.source.about}, {days}"]
        known += [f"compared with {self.before}"] if self.before else []
        known += [f"only where {' and '.join(map(str, self.definition.filters))}"] if self.definition.filters else []
        return (*known, f"as of {self.at:%Y-%m-%d %H:%M:%S}Z")

    def as_document(self) -> dict[str, Any]:
        """Return it for programs."""
        before = {"from": self.before.first, "to": self.before.last} if self.before else None
        return {
            "definition": self.definition.as_document(),
            "period": {"from": self.days.first, "to": self.days.last},
            "compared_with": before,
            "at": self.at,
            "columns": [{"name": one.field, "kind": one.kind.value, "title": one.title} for one in self.columns],
        }


@dataclass(frozen=True)
class ReportFoot:
    """What is known behind the rows: their number, what they come to by currency, and what that ties to."""

    rows: int
    totals: tuple[Row, ...]
    ties: tuple[TieResult, ...]

    @property
    def is_good(self) -> bool:
        """Whether the books agree with themselves."""
        return all(one.holds for one in self.ties)


def head_of(definition: ReportDefinition, today: date, at: datetime) -> ReportHead:
    """Return the head of a report that is asked for on a day."""
    days = definition.days(today)
    return ReportHead(definition, days, days.before() if definition.compare else None, at, columns_of(definition))


def columns_of(definition: ReportDefinition) -> tuple[ReportColumn, ...]:
    """Return the columns of a definition's answer."""
    source = definition.source
    if definition.is_list:
        return tuple(ReportColumn(name, source.columns[name]) for name in definition.columns)
    keys = [ReportColumn(name, source.columns[name]) for name in definition.keys]
    return (*keys, *_measured(definition))


def _measured(definition: ReportDefinition) -> Iterator[ReportColumn]:
    for name in definition.measures:
        kind = definition.source.measures[name].kind
        yield ReportColumn(name, kind)
        if definition.compare:
            yield ReportColumn(f"{name}{BEFORE}", kind)
            if kind is not ColumnKind.PERCENT:
                yield ReportColumn(f"{name}{CHANGE}", ColumnKind.PERCENT)


def measured(definition: ReportDefinition, sums: Mapping[str, int], before: Mapping[str, int] | None) -> dict[str, Any]:
    """Work the measures out of sums, and of those of the period before."""
    found: dict[str, Any] = {}
    for name in definition.measures:
        measure = definition.source.measures[name]
        found[name] = value = measure.value(sums)
        if not definition.compare:
            continue
        then = measure.value(before) if before is not None else (None if measure.over else 0)
        found[f"{name}{BEFORE}"] = then
        if measure.kind is not ColumnKind.PERCENT:
            found[f"{name}{CHANGE}"] = Fraction(value - then, then) if then and value is not None else None
    return found


def with_every_month(definition: ReportDefinition, days: DaySpan, groups: Iterable[Row]) -> list[Row]:
    """Add what has no rows: each month of the period for each other group that has any."""
    found = list(groups)
    if MONTH not in definition.keys or not definition.source.is_flow:
        return found
    others = [name for name in definition.keys if name != MONTH]
    known = {(row[MONTH], *(row[name] for name in others)) for row in found}
    empty = dict.fromkeys({one for name in definition.measures for one in definition.source.measures[name].sums}, 0)
    seen = {tuple(row[name] for name in others) for row in found}
    for values in seen:
        found += [
            {MONTH: month, **dict(zip(others, values, strict=True)), **empty}
            for month in days.months()
            if (month, *values) not in known
        ]
    # As the database has it: numbers by what they are, and what has none of it last.
    return sorted(found, key=lambda row: [_place(row[name]) for name in definition.keys])


def _place(value: Any) -> tuple[bool, Any]:
    return (True, "") if value is None else (False, value)


def as_text(column: ReportColumn, row: Row) -> str:
    """Return a cell as people read it: amounts in major units, shares as percentages."""
    value = row.get(column.name)
    if value is None:
        return (
            NOTHING_TO_DIVIDE_BY if column.kind in {ColumnKind.PERCENT, ColumnKind.MONEY} and column.name in row else ""
        )
    if column.kind is ColumnKind.MONEY:
        money = Money(value, row[CURRENCY])
        return str(money).removesuffix(f" {money.currency}")
    if column.kind is ColumnKind.PERCENT:
        return percent_text(value)
    if column.kind is ColumnKind.MONTH:
        return f"{value:%Y-%m}"
    if isinstance(value, Decimal):
        # 19 %, as on the invoice, and not 19.0000 %, as the column keeps it.
        return f"{value.normalize():f}"
    return str(value)


def as_json(columns: Sequence[ReportColumn], row: Row) -> dict[str, Any]:
    """Return a row for programs: amounts in minor units, shares as percentages of two decimals."""
    return {one.field: _plain(one, row.get(one.name)) for one in columns if one.name in row}


def _plain(column: ReportColumn, value: Any) -> Any:
    if column.kind is ColumnKind.PERCENT and value is not None:
        return percent_text(value)
    if column.kind is ColumnKind.MONTH and value is not None:
        return f"{value:%Y-%m}"
    return value
