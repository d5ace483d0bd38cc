"""Which charts a report has: the measures of each, and whether it is lines over time, columns or bars of groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.listing import heading_of
from models.reports.columns import ColumnKind
from models.reports.definition import ReportDefinition
from models.reports.result import columns_of
from models.reports.source import CURRENCY


class ChartKind(StrEnum):
    """How a chart is drawn."""

    LINES = "lines"  # over time: what is a state or a share, so that columns from zero would say nothing
    COLUMNS = "columns"  # over time, or over what has an order: amounts and counts, one on top of the other
    BARS = "bars"  # of groups, one beneath the other


@dataclass(frozen=True)
class ChartPart:
    """A measure of a chart, the tone of its colour ("" takes the next), and its sign: what is lost stands below 0."""

    measure: str
    tone: str = ""
    sign: int = 1


@dataclass(frozen=True)
class ChartPlan:
    """A chart that a report may have. Of totals, its measures stand beside each other instead of its groups."""

    name: str
    title: str
    parts: tuple[ChartPart, ...]
    kind: ChartKind | None = None
    is_of_totals: bool = False
    # Whether it is shown unless the reader asks for another.
    is_usual: bool = True


def _parts(*named: str) -> tuple[ChartPart, ...]:
    """Read parts: a measure, a minus before it where it counts below zero, and its tone behind a colon."""
    split = [one.partition(":") for one in named]
    return tuple(ChartPart(name.removeprefix("-"), tone, -1 if name[0] == "-" else 1) for name, _, tone in split)


_BUCKETS = _parts("not_due:age0", "days_1_to_30:age1", "days_31_to_60:age2", "days_61_to_90:age3", "over_90_days:age4")
_OUTCOMES = ChartPlan("outcomes", "Outcomes", _parts("succeeded:good", "declined:bad", "unknown:waits", "not_made:off"))
_SUCCESS = (ChartPlan("success_rate", "", _parts("success_rate")), _OUTCOMES)
_RETURNS = (ChartPlan("rates", "Refund and dispute rates", _parts("refund_rate", "dispute_rate")),)
_FORECAST = _parts("received_minor:good", "expected_minor:2")
# The charts of built-in reports that are more than one measure by their groups; the first are those of the first page.
NAMED: Mapping[str, tuple[ChartPlan, ...]] = {
    "mrr": (
        ChartPlan("mrr", "Recurring revenue (MRR)", _parts("mrr")),
        ChartPlan(
            "movements",
            "Movements of recurring revenue",
            _parts("new:good", "expansion:good2", "reactivation:good3", "-contraction:bad2", "-churn:bad"),
            ChartKind.COLUMNS,
        ),
        ChartPlan("growth_rate", "Growth of recurring revenue", _parts("growth_rate")),
        ChartPlan("retention", "Net and gross retention", _parts("net_retention", "gross_retention")),
    ),
    "forecast": (ChartPlan("forecast", "Receipts, received and expected", _FORECAST, ChartKind.LINES),),
    "ageing": (
        ChartPlan("buckets", "Receivables by age", _BUCKETS, ChartKind.COLUMNS, is_of_totals=True),
        ChartPlan("by_account", "Receivables by account and age", _BUCKETS),
    ),
    "payment-rates": (
        ChartPlan("rates", "Paid at the first try, and at all", _parts("first_try_rate", "payment_rate")),
    ),
    "recovery": (
        ChartPlan("recovery_rate", "", _parts("recovery_rate")),
        ChartPlan("results", "What became of it", _parts("recovered:good", "still_open:waits", "given_up:bad")),
    ),
    "returns": _RETURNS,
    "returns-by-payment": _RETURNS,
    "monthly-receipts": (
        ChartPlan("amount", "", _parts("amount")),
        ChartPlan(
            "flows", "Paid and given back", _parts("paid:good", "-cancelled:bad2", "-refunded:bad"), is_usual=False
        ),
    ),
    **{f"success-by-{by}": _SUCCESS for by in ("month", "method", "gateway", "brand", "attempt", "run")},
}
# The measure of a report that has none of these, where it is not the last one.
_MEASURES: Mapping[str, str] = {
    **dict.fromkeys(
        ("revenue", "monthly-revenue", "revenue-by-region", "revenue-by-channel", "revenue-by-segment"), "net"
    ),
    "trial-balance": "balance",
    "bad-debt": "written_off",
}


def named_charts(definition: ReportDefinition) -> Sequence[ChartPlan]:
    """Return the charts of its own that a report has. One of somebody's own by the same id may lack their columns."""
    has = {one.name for one in columns_of(definition)}
    return [one for one in NAMED.get(definition.id, ()) if has.issuperset(part.measure for part in one.parts)]


def plans_of(definition: ReportDefinition, wanted: str = "") -> Sequence[ChartPlan]:
    """Return the chart that is wanted, by its name or its measure, or the usual ones; none for lists without any."""
    named = named_charts(definition)
    if asked := [one for one in named if one.name == wanted]:
        return asked
    usual = [one for one in named if one.is_usual]
    if wanted not in definition.measures and (usual or not definition.measures):
        return usual
    measures = definition.measures
    known = _MEASURES.get(definition.id, "")
    measure = next((one for one in (wanted, known) if one in measures), measures[-1])
    return [ChartPlan(measure, "", (ChartPart(measure),))]


def choices_of(definition: ReportDefinition) -> Mapping[str, str]:
    """Return what a reader may choose: each chart of the report and each measure, with the words for it."""
    named = {one.name: one.title or heading_of(one.name) for one in named_charts(definition)}
    return {**named, **{one: heading_of(one) for one in definition.measures if one not in named}}


def kind_of(definition: ReportDefinition, plan: ChartPlan, times: int) -> ChartKind:
    """Return how a chart is drawn: by what its report is grouped by, and by what its measures are.

    `times` is how many months or days are among its groups, 0 for a report that is not by time. One alone is no time
    to look along: then its other groups are compared. Amounts and counts of what flowed are columns from zero; shares,
    averages and what stood at a time are lines.
    """
    if plan.is_of_totals:
        return plan.kind or ChartKind.COLUMNS
    if times <= 1:
        return ChartKind.BARS
    if plan.kind is not None:
        return plan.kind
    measures = definition.source.measures
    is_added = all(not measures[part.measure].over for part in plan.parts)
    return ChartKind.COLUMNS if is_added and definition.source.is_flow else ChartKind.LINES


def key_columns(definition: ReportDefinition) -> tuple[str, ...]:
    """Return the columns that name a group of a chart: a list with a chart is by its months."""
    if definition.is_list:
        return tuple(name for name in definition.columns if definition.source.columns[name] is ColumnKind.MONTH)
    return tuple(name for name in definition.keys if name != CURRENCY)
