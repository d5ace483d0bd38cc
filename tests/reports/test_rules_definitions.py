"""What a definition of a report may say, and what it is told when it says something else."""

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from models.problem import RefusedError
from models.reports.builtin import BUILT_IN, built_in
from models.reports.columns import ColumnKind, ReportMeasure, percent_text
from models.reports.definition import definition_of
from models.reports.periods import RELATIVE, DaySpan

GOOD: dict[str, Any] = {"id": "own", "title": "Own", "source": "lines", "group_by": ["region"], "measures": ["net"]}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"source": "pg_authid"}, ("source", "name_allowed")),
        ({"group_by": ["region; drop table duly.accounts"]}, ("group_by", "name_allowed")),
        ({"measures": ["sum(net_minor)"]}, ("measures", "name_allowed")),
        ({"measures": ["net", "net"]}, ("measures", "named_once")),
        ({"filters": {"1=1 or region": "DE"}}, ("filters.1=1 or region", "name_allowed")),
        ({"filters": {"net_minor": "12.50"}}, ("filters.net_minor", "value_fits")),
        ({"filters": {"posted_on": {"from": "November"}}}, ("filters.posted_on", "value_fits")),
        ({"filters": {"region": []}}, ("filters.region", "value_fits")),
        ({"filters": {"region": "D\0"}}, ("filters.region", "value_fits")),
        ({"filters": {"region": "\ud800"}}, ("filters.region", "value_fits")),
        ({"filters": {"net_minor": "9" * 20}}, ("filters.net_minor", "value_fits")),
        ({"filters": {"net_minor": "9" * 5000}}, ("filters.net_minor", "value_fits")),
        ({"filters": {"posted_on": datetime(2026, 11, 1, tzinfo=UTC)}}, ("filters.posted_on", "value_fits")),
        ({"filters": {"posted_on": {"from": "0001-01-01"}}}, ("filters.posted_on", "value_fits")),
        ({"period": "last_fortnight"}, ("period", "period_known")),
        ({"period": {"from": "2026-11-30", "to": "2026-11-01"}}, ("period", "period_known")),
        ({"columns": ["region"]}, ("columns", "list_or_groups")),
        ({"measures": []}, ("columns", "groups_have_measures")),
        ({"group_by": ["net_minor"]}, ("columns", "no_groups_by_amount")),
        ({"group_by": [], "measures": [], "columns": ["net_minor"]}, ("columns", "money_has_currency")),
        ({"group_by": ["month"], "compare": True}, ("compare", "compared_by_period")),
        ({"id": "../etc"}, ("id", "id_is_plain")),
        ({"title": ""}, ("title", "text_given")),
        ({"sql": "select 1"}, ("sql", "field_known")),
    ],
)
def test_a_definition_that_breaks_a_rule_is_refused_by_its_field(
    changed: dict[str, Any], problem: tuple[str, str]
) -> None:
    with pytest.raises(RefusedError) as refused:
        definition_of({**GOOD, **changed})

    assert [(one.field, one.rule) for one in refused.value.problems] == [problem]


@pytest.mark.parametrize("report", sorted(BUILT_IN))
def test_a_built_in_report_is_a_document_that_reads_the_same_again(report: str) -> None:
    known = BUILT_IN[report]

    assert definition_of(known.as_document()) == known


def test_amounts_are_grouped_by_currency_even_where_nobody_says_so() -> None:
    assert definition_of(GOOD).keys == ("region", "currency")


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("this_month", ("2026-11-01", "2026-11-30")),
        ("last_month", ("2026-10-01", "2026-10-31")),
        ("last_12_months", ("2025-11-01", "2026-10-31")),
        ("last_year", ("2025-01-01", "2025-12-31")),
        ("last_7_days", ("2026-11-24", "2026-11-30")),
    ],
)
def test_a_relative_period_follows_from_the_day(words: str, days: tuple[str, str]) -> None:
    assert RELATIVE[words](date(2026, 11, 30)) == DaySpan(*map(date.fromisoformat, days))


@pytest.mark.parametrize(
    ("days", "before"),
    [
        (("2026-11-01", "2026-11-30"), ("2026-10-01", "2026-10-31")),
        (("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
        (("2026-11-10", "2026-11-16"), ("2026-11-03", "2026-11-09")),
    ],
)
def test_the_period_before_has_as_many_months_or_days(days: tuple[str, str], before: tuple[str, str]) -> None:
    assert DaySpan(*map(date.fromisoformat, days)).before() == DaySpan(*map(date.fromisoformat, before))


def test_shares_are_exact_and_rounded_half_up_when_they_are_shown() -> None:
    assert percent_text(Fraction(9, 16)) == "56.25"
    assert percent_text(Fraction(3, 200)) == "1.50"
    assert percent_text(Fraction(1, 16_000)) == "0.01"
    assert percent_text(Fraction(-1, 3)) == "-33.33"
    assert ReportMeasure(ColumnKind.MONEY, ("net",), ("rows",)).value({"net": 4000, "rows": 3}) == 1333
    assert ReportMeasure(ColumnKind.PERCENT, ("net",), ("rows",)).value({"net": 1, "rows": 0}) is None


def test_two_conditions_on_one_column_are_both_written_and_both_read_again() -> None:
    known = built_in("revenue").narrowed({"classification": {"not": ["invoice"]}, "region": "DE"})

    written = known.as_document()

    assert written["filters"]["classification"] == {
        "all": [["invoice", "credit_note", "invoice_cancellation"], {"not": ["invoice"]}]
    }
    assert definition_of(written).as_document() == written


@pytest.mark.parametrize(
    "wrong", [{"all": []}, {"all": "DE"}, {"all": ["DE"], "not": ["AT"]}, {"all": [{"all": ["DE"]}]}]
)
def test_conditions_that_are_no_list_of_conditions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        definition_of({**GOOD, "filters": {"region": wrong}})

    assert [(one.field, one.rule) for one in refused.value.problems] == [("filters.region", "value_fits")]
