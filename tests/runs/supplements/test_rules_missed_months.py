"""Which months should have had their run by now."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from models.runs.missed_months import DefinitionMonths, missed_months
from models.runs.process_run import RunKind
from models.runs.schedule import IntervalSchedule, MonthlySchedule

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SINCE = datetime(2026, 8, 15, tzinfo=UTC)
ON_THE_FIRST = MonthlySchedule(1, 6, 0, "Europe/Berlin")
ON_THE_LAST = MonthlySchedule(31, 6, 0, "Europe/Berlin")


def commands(definition: DefinitionMonths, billed: Mapping[str, datetime] | None = None) -> list[str]:
    return [one.remedy for one in missed_months([definition], billed or {}, NOW)]


def billing(*months: str, calendar: MonthlySchedule | None = ON_THE_FIRST) -> DefinitionMonths:
    return DefinitionMonths("plans", RunKind.BILLING, SINCE, calendar, frozenset(months))


def payment(*months: str, calendar: MonthlySchedule | None = ON_THE_FIRST) -> DefinitionMonths:
    return DefinitionMonths("monthly", RunKind.PAYMENT, SINCE, calendar, frozenset(months))


@pytest.mark.parametrize(
    ("definition", "missed"),
    [
        (billing("2026-09", "2026-10", "2026-11"), []),
        (billing("2026-09", "2026-11"), ["duly billing start plans 2026-10"]),
        (billing("2026-07", "2026-09", "2026-10", "2026-11"), ["duly billing start plans 2026-08"]),
        (billing(), [f"duly billing start plans 2026-{month}" for month in ("09", "10", "11")]),
        (billing("2026-10", calendar=ON_THE_LAST), []),
        (billing("2026-10", calendar=None), []),
        (billing("2026-09", calendar=None), ["duly billing start plans 2026-10"]),
        (payment("2026-09", "2026-11"), []),
        (payment("2026-09"), ["duly runs start monthly 2026-10", "duly runs start monthly 2026-11"]),
    ],
)
def test_a_month_that_is_due_and_has_no_run_is_named_with_its_command(
    definition: DefinitionMonths, missed: list[str]
) -> None:
    assert commands(definition) == missed


def test_a_month_that_was_billed_is_named_when_nobody_has_collected_it_for_a_day() -> None:
    billed = {"2026-11": NOW - timedelta(days=2)}

    assert commands(payment("2026-10", calendar=None), billed) == ["duly runs start monthly 2026-11"]
    assert commands(payment("2026-11", calendar=None), billed) == []
    assert commands(payment("2026-10", calendar=ON_THE_LAST), billed) == []
    assert commands(payment("2026-10", calendar=None), {"2026-11": NOW - timedelta(hours=2)}) == []


@pytest.mark.parametrize(
    ("had", "missed"),
    [
        # As text a week is behind every day and time, and a month before them.
        ((), ["duly runs start monthly 2026-11-27T12:00Z"]),
        (("2026-W05",), ["duly runs start monthly 2026-11-27T12:00Z"]),
        (("2026-W05", "2026-11-27T11:00Z"), ["duly runs start monthly 2026-11-27T12:00Z"]),
        (("2026-W05", "2026-11-27T13:00Z"), []),
    ],
)
def test_runs_of_another_unit_stand_for_none_of_a_calendar(had: tuple[str, ...], missed: list[str]) -> None:
    hourly = DefinitionMonths("monthly", RunKind.PAYMENT, SINCE, IntervalSchedule(60, "UTC"), frozenset(had))

    assert commands(hourly) == missed


def test_a_run_of_a_week_collects_what_was_billed_before_it_and_no_later_month() -> None:
    billed = {"2026-11": NOW - timedelta(days=2)}

    assert commands(payment("2026-10", "2026-W05", calendar=None), billed) == ["duly runs start monthly 2026-11"]
    assert commands(payment("2026-10", "2026-W48", calendar=None), billed) == []


def test_a_run_that_is_to_begin_within_a_day_is_not_missed() -> None:
    due_yesterday = MonthlySchedule(27, 18, 0, "UTC")

    assert commands(billing("2026-10", calendar=due_yesterday)) == []
