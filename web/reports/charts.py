"""Charts of reports: a figure by its groups, as lengths beside numbers that stand there as well."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import nlargest
from typing import Any

from models.reports.columns import ColumnKind
from models.reports.definition import ReportDefinition
from models.reports.result import ReportColumn, ReportHead, Row, as_text
from models.reports.source import CURRENCY, MONTH

BARS_AT_MOST = 24
# What a report is read for, where it is not the last of its measures.
_FIGURES: Mapping[str, str] = {
    "revenue": "net",
    "monthly-revenue": "net",
    "revenue-by-product": "average",
    "revenue-by-region": "net",
    "revenue-by-channel": "net",
    "revenue-by-segment": "net",
    "success-by-method": "success_rate",
    "success-by-gateway": "success_rate",
    "success-by-brand": "success_rate",
    "success-by-attempt": "success_rate",
    "success-by-run": "success_rate",
    "recovery": "recovery_rate",
    "returns": "dispute_rate",
    "returns-by-payment": "dispute_rate",
    "mrr": "mrr",
    "trial-balance": "balance",
    "ageing": "outstanding",
}


@dataclass(frozen=True)
class Bar:
    """One group: its name, its figure as text, and its length as a share of the longest, in percent."""

    name: str
    text: str
    length: str
    is_below: bool


@dataclass(frozen=True)
class Chart:
    """A figure by groups, of one currency: amounts of two are never on one scale."""

    title: str
    bars: Sequence[Bar]
    left_out: int = 0


def figure_of(definition: ReportDefinition, wanted: str = "") -> str:
    """Return the measure that is charted: the one that is wanted, or what the report is read for; "" for lists."""
    if wanted in definition.measures:
        return wanted
    usual = _FIGURES.get(definition.id, "")
    if usual in definition.measures:
        return usual
    return definition.measures[-1] if definition.measures else ""


def charts_of(head: ReportHead, rows: Iterable[Row], figure: str) -> list[Chart]:
    """Return a chart for each currency; months in their order, all else by its figure, the largest first."""
    definition = head.definition
    column = next((one for one in head.columns if one.name == figure), None)
    keys = [one for one in head.columns if one.name in definition.keys and one.name != CURRENCY]
    if column is None or not keys:
        return []
    by_currency: dict[str, list[Row]] = {}
    for row in rows:
        by_currency.setdefault(row.get(CURRENCY, ""), []).append(row)
    return [_chart(column, keys, currency, of, MONTH in definition.keys) for currency, of in by_currency.items()]


def _chart(
    column: ReportColumn, keys: Sequence[ReportColumn], currency: str, rows: Sequence[Row], is_by_month: bool
) -> Chart:
    def value_of(row: Row) -> int | Fraction:
        value: int | Fraction | None = row[column.name]
        return value or 0

    # Only what is drawn is written out: there may be a million groups.
    most = max(abs(Fraction(end(map(value_of, rows)))) for end in (min, max))
    kept = rows[-BARS_AT_MOST:] if is_by_month else nlargest(BARS_AT_MOST, rows, key=value_of)
    bars = [
        Bar(_name(keys, row), _text(column, row), _length(row[column.name], most), value_of(row) < 0) for row in kept
    ]
    unit = f", {currency}" if currency and column.kind is ColumnKind.MONEY else f" ({currency})" if currency else ""
    return Chart(f"{column.title}{unit}", bars, len(rows) - len(kept))


def _length(value: int | Fraction | None, most: Fraction) -> str:
    share = abs(Fraction(value)) / most if value and most else Fraction(0)
    return f"{float(share * 100):.2f}"


def _name(keys: Sequence[ReportColumn], row: Row) -> str:
    named = filter(None, (as_text(key, row).replace("_", " ") for key in keys))
    return ", ".join(named) or "none"


def _text(column: ReportColumn, row: Mapping[str, Any]) -> str:
    shown = as_text(column, row)
    return f"{shown} %" if column.kind is ColumnKind.PERCENT and row[column.name] is not None else shown
