"""When a monthly run is due, whatever the month, the year and the clock."""

from calendar import isleap, monthrange
from datetime import UTC, datetime

import pytest

from models.runs.run_period import RunPeriod
from models.runs.schedule import DayRule, InvalidScheduleError, MonthlySchedule, day_rules


def days_due(rules: tuple[DayRule, ...], year: int, month: int) -> list[int]:
    """Return the days of a month that a union of rules picks."""
    return [
        rule.day
        for rule in rules
        if month in rule.months
        and rule.in_leap_years in {None, isleap(year)}
        and rule.day <= monthrange(year, month)[1]
    ]


@pytest.mark.parametrize("day", range(1, 32))
@pytest.mark.parametrize("year", [2027, 2028, 2100])
def test_a_run_is_due_once_in_every_month(day: int, year: int) -> None:
    for month in range(1, 13):
        assert days_due(day_rules(day), year, month) == [min(day, monthrange(year, month)[1])]


def test_the_moment_is_on_the_wall_clock_of_the_time_zone() -> None:
    schedule = MonthlySchedule(31, 6, 30, "Europe/Nicosia")

    assert schedule.due_in(RunPeriod.parse("2027-01")) == datetime(2027, 1, 31, 4, 30, tzinfo=UTC)
    assert schedule.due_in(RunPeriod.parse("2027-06")) == datetime(2027, 6, 30, 3, 30, tzinfo=UTC)
    assert schedule.due_in(RunPeriod.parse("2028-02")) == datetime(2028, 2, 29, 4, 30, tzinfo=UTC)


def test_a_time_that_the_clock_skips_in_spring_is_refused() -> None:
    with pytest.raises(InvalidScheduleError, match=r"on 2027-03-28 the clock in Europe/Berlin has no 02:30"):
        MonthlySchedule(28, 2, 30, "Europe/Berlin").require_its_time()


@pytest.mark.parametrize(
    "schedule",
    [
        MonthlySchedule(28, 4, 30, "Europe/Berlin"),
        MonthlySchedule(1, 2, 30, "Europe/Berlin"),  # the clock never changes on a first
        MonthlySchedule(31, 2, 30, "Asia/Tokyo"),
        MonthlySchedule(25, 1, 30, "America/New_York"),
    ],
)
def test_a_time_that_the_clock_shows_every_month_is_taken(schedule: MonthlySchedule) -> None:
    schedule.require_its_time()

    due_at = schedule.due_in(RunPeriod.parse("2027-03"))

    assert due_at is not None
    assert due_at.tzinfo is UTC


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidScheduleError, match="'Mars/Olympus' is no IANA time zone"):
        MonthlySchedule(1, 4, 0, "Mars/Olympus").require_its_time()
