"""Which charts a report has, and what stands in the tables that they are drawn from."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from models.reports.builtin import BUILT_IN, built_in
from models.reports.columns import ColumnKind
from models.reports.definition import ReportDefinition, definition_of
from models.reports.result import NOTHING_TO_DIVIDE_BY, columns_of, head_of
from web.reports.chart_plans import NAMED, ChartKind, choices_of, key_columns, plans_of
from web.reports.charts import BARS_AT_MOST, SERIES_AT_MOST, Chart, charts_of
from web.reports.pages import PageReport

AT = datetime(2025, 11, 30, tzinfo=UTC)
OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)


def charts(
    definition: ReportDefinition,
    rows: Sequence[Mapping[str, Any]],
    wanted: str = "",
    totals: Sequence[Mapping[str, Any]] = (),
) -> list[Chart]:
    """Return the charts of rows, whose currency is EUR unless they have one."""
    each, sums = ([{"currency": "EUR", **row} for row in of] for of in (rows, totals))
    return charts_of(head_of(definition, AT.date(), AT), each, sums, wanted)


def texts(chart: Chart) -> dict[str, list[str]]:
    """Return what stands in a chart's table, by row."""
    return {row.name: [cell.text for cell in row.cells] for row in chart.rows}


def own(*group_by: str, source: str = "receipts", measures: tuple[str, ...] = ("amount",)) -> ReportDefinition:
    """Return a report of somebody's own."""
    return definition_of({"id": "mine", "title": "Mine", "source": source, "group_by": group_by, "measures": measures})


@pytest.mark.parametrize(
    ("id", "kinds"),
    [
        ("mrr", ["lines", "columns", "lines", "lines"]),
        ("monthly-revenue", ["columns"]),
        ("monthly-receipts", ["columns"]),
        ("revenue-by-product", ["bars"]),
        ("revenue-by-region", ["bars"]),
        ("declines", ["bars"]),
        ("success-by-method", ["bars", "bars"]),
        ("success-by-month", ["lines", "columns"]),
        ("monthly-receipts-by-type", ["columns"]),
        ("atv", ["lines"]),
        ("returns-by-payment", ["lines"]),
        ("forecast", ["lines"]),
        ("ageing", ["columns", "bars"]),
        ("documents", []),
    ],
)
def test_what_is_grouped_says_how_it_is_drawn(id: str, kinds: list[str]) -> None:
    definition = built_in(id)
    numbers: Mapping[ColumnKind, Any] = {
        ColumnKind.MONEY: 100,
        ColumnKind.NUMBER: 1,
        ColumnKind.PERCENT: Fraction(1, 2),
    }
    rows = [
        {
            one.name: numbers.get(one.kind, month if one.kind is ColumnKind.MONTH else "x")
            for one in columns_of(definition)
        }
        for month in (OCTOBER, NOVEMBER)
    ]

    found = charts(definition, [{**row, "currency": "EUR"} for row in rows], totals=[{**rows[0], "currency": "EUR"}])

    assert [one.kind for one in found] == kinds


def test_every_chart_of_a_report_is_of_its_own_columns_and_has_a_name_that_no_measure_means_otherwise() -> None:
    missing = {
        (id, part.measure)
        for id, plans in NAMED.items()
        for plan in plans
        for part in plan.parts
        if part.measure not in {one.name for one in columns_of(built_in(id))}
    }
    other = {
        (id, plan.name)
        for id, plans in NAMED.items()
        for plan in plans
        if plan.name in built_in(id).measures and [part.measure for part in plan.parts] != [plan.name]
    }

    assert (missing, other) == (set(), set())
    assert [id for id, one in BUILT_IN.items() if one.measures and not plans_of(one)] == []
    assert [id for id, one in BUILT_IN.items() if not set(one.measures) <= set(choices_of(one))] == []


def test_a_reader_chooses_a_chart_or_a_measure_and_what_there_is_not_is_the_usual() -> None:
    known = built_in("monthly-receipts")
    names = [[one.name for one in plans_of(known, wanted)] for wanted in ("", "flows", "paid", "wealth")]

    assert names == [["amount"], ["flows"], ["paid"], ["amount"]]


def test_a_chart_has_a_scale_for_each_currency_with_its_decimals_and_its_largest_bar_first() -> None:
    rows = [
        {"region": region, "currency": currency, "net": net}
        for region, currency, net in (
            *(("AT", "EUR", 50_00), ("DE", "EUR", 20_000_00), (None, "EUR", -100_00)),
            *(("JP", "JPY", 10_384), ("KW", "KWD", 1_500)),
        )
    ]

    euros, yen, dinars = charts(built_in("revenue-by-region"), rows)

    assert [one.title for one in (euros, yen, dinars)] == ["Net, EUR", "Net, JPY", "Net, KWD"]
    assert [one.decimals for one in (euros, yen, dinars)] == [2, 0, 3]
    assert texts(euros) == {"DE": ["20,000.00"], "AT": ["50.00"], "none": ["-100.00"]}
    assert [row.cells[0].value for row in euros.rows] == ["20000.00", "50.00", "-100.00"]
    assert [one.rows[0].cells[0].text for one in (yen, dinars)] == ["10,384", "1.500"]


def test_what_is_lost_of_recurring_revenue_stands_below_zero() -> None:
    changes = {"new": 29_90, "expansion": 0, "reactivation": 0, "contraction": 10_00, "churn": 5_00}
    rows: list[dict[str, Any]] = [{"month": OCTOBER, **changes}, {"month": NOVEMBER, **changes}]

    (chart,) = charts(built_in("mrr"), rows, "movements")

    assert (chart.title, chart.is_stacked) == ("Movements of recurring revenue, EUR", True)
    assert [one.name for one in chart.series] == ["New", "Expansion", "Reactivation", "Contraction", "Churn"]
    assert texts(chart)["2025-10"] == ["29.90", "0.00", "0.00", "-10.00", "-5.00"]


def test_months_keep_their_order_and_one_without_anything_is_a_gap() -> None:
    rows: list[dict[str, Any]] = [
        {"month": date(2025, 11, 1), "growth_rate": Fraction(7, 199)},
        {"month": date(2025, 8, 1), "growth_rate": None},
        {"month": date(2025, 9, 1), "growth_rate": Fraction(-1, 8)},
    ]

    (chart,) = charts(built_in("mrr"), rows, "growth_rate")

    assert texts(chart) == {
        "2025-08": [NOTHING_TO_DIVIDE_BY],
        "2025-09": ["-12.50 %"],
        "2025-10": [NOTHING_TO_DIVIDE_BY],
        "2025-11": ["3.52 %"],
    }
    assert [row.cells[0].value for row in chart.rows] == ["", "-12.50", "", "3.52"]


def test_groups_over_months_are_stacked_and_the_small_ones_are_one() -> None:
    rows = [
        {"month": month, "payment_type": f"type_{place}", "amount": 10 ** (9 - place)}
        for month in (OCTOBER, NOVEMBER)
        for place in range(9)
    ]

    (chart,) = charts(own("month", "payment_type"), rows)

    assert len(chart.series) == SERIES_AT_MOST
    assert (chart.kind, chart.is_stacked, chart.series[-1].name) == (ChartKind.COLUMNS, True, "Others")
    assert texts(chart)["2025-11"][-1] == "111.10"


def test_shares_of_groups_over_months_have_a_chart_for_each_measure_and_are_not_added() -> None:
    rows = [
        {"month": month, "provider": provider, "first_try_rate": rate, "payment_rate": Fraction(1)}
        for month in (OCTOBER, NOVEMBER)
        for provider, rate in (("one", Fraction(1, 2)), ("two", Fraction(3, 4)))
    ]

    first, paid = charts(built_in("payment-rates"), rows)

    assert (first.title, paid.title) == ("First try rate (EUR)", "Payment rate (EUR)")
    assert [one.name for one in first.series] == ["one", "two"]
    assert (texts(first)["2025-10"], first.is_stacked) == (["50.00 %", "75.00 %"], False)


def test_one_month_alone_is_no_time_to_look_along() -> None:
    rows = [{"month": NOVEMBER, "payment_type": name, "amount": 100} for name in ("card", "cash")]

    (chart,) = charts(own("month", "payment_type"), rows)

    assert (chart.kind, list(texts(chart))) == (ChartKind.BARS, ["card", "cash"])


def test_what_is_grouped_by_numbers_stands_in_their_order_and_the_period_before_beside_it() -> None:
    attempts = [{"attempt": place, "success_rate": Fraction(place, 10)} for place in (2, 1, 3)]
    receipts = [{"payment_type": "card", "method": "card", "amount": 5_00, "amount_before": 4_00}]

    by_attempt, _ = charts(built_in("success-by-attempt"), [{**one, **_no_outcomes()} for one in attempts])
    (compared,) = charts(built_in("receipts"), receipts)

    assert list(texts(by_attempt)) == ["1", "2", "3"]
    assert ([one.name for one in compared.series], compared.is_stacked) == (["Amount", "Amount before"], False)
    assert texts(compared) == {"card, card": ["5.00", "4.00"]}


def _no_outcomes() -> dict[str, int]:
    return dict.fromkeys(("succeeded", "declined", "unknown", "not_made"), 0)


def test_ageing_is_what_all_accounts_come_to_by_age() -> None:
    buckets = ("not_due", "days_1_to_30", "days_31_to_60", "days_61_to_90", "over_90_days")
    sums = {name: place * 100 for place, name in enumerate(buckets)}

    (chart,) = charts(built_in("ageing"), [{"account_id": "a", **sums}], "buckets", [sums])

    assert texts(chart)["Days 31 to 60"] == ["2.00"]
    assert len(chart.rows) == len(buckets)


def test_a_forecast_is_drawn_over_its_months_without_its_errors() -> None:
    rows: list[dict[str, Any]] = [
        {"month": OCTOBER, "kind": "held_out", "expected_minor": 90_00, "received_minor": 100_00},
        {"month": None, "kind": "error"},
        {"month": NOVEMBER, "kind": "forecast", "expected_minor": 95_00, "received_minor": None},
    ]

    (chart,) = charts(built_in("forecast"), rows)

    assert key_columns(built_in("forecast")) == ("month",)
    assert texts(chart) == {"2025-10": ["100.00", "90.00"], "2025-11": [NOTHING_TO_DIVIDE_BY, "95.00"]}


def test_a_chart_is_of_all_groups_and_not_of_those_on_the_page() -> None:
    definition = built_in("revenue-by-region")
    head = head_of(definition, AT.date(), AT)
    shown = PageReport()
    shown.begin(head)
    shown.rows([{"region": f"R{place}", "currency": "EUR", "net": place} for place in range(2000)])

    (chart,) = charts_of(head, shown.groups)

    assert (len(shown.found), chart.rows[0].name, chart.left_out) == (500, "R1999", 2000 - BARS_AT_MOST)
