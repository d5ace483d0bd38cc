"""Calendars other than monthly: which periods have a run, and when it is due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.period import InvalidPeriodError
from models.runs.missed_months import DefinitionMonths, missed_months
from models.runs.process_run import RunKind, RunRequest, ScheduledRunRequest
from models.runs.run_period import PeriodUnit, RunPeriod
from models.runs.run_start import not_due
from models.runs.schedule import (
    DailySchedule,
    IntervalSchedule,
    InvalidScheduleError,
    MonthlySchedule,
    OneOffSchedule,
    RunCalendar,
    WeeklySchedule,
)
from models.workflow_inputs import problems_of_input

ZONE = "Europe/Nicosia"
FRIDAYS = WeeklySchedule("friday", 6, 30, ZONE)
EACH_SECOND = WeeklySchedule("friday", 6, 30, ZONE, every_weeks=2, starts_on=date(2026, 11, 27))
QUARTERS = MonthlySchedule(31, 6, 30, ZONE, months=(2, 6, 9, 12))
EACH_TENTH = DailySchedule(10, 6, 30, ZONE, starts_on=date(2026, 11, 27), ends_on=date(2026, 12, 16))
EACH_HOUR = IntervalSchedule(60, ZONE, starts_on=date(2026, 11, 27), ends_on=date(2026, 11, 28))
QUARTER_HOURS = IntervalSchedule(15, "UTC")
ONCE = OneOffSchedule(date(2026, 11, 27), 6, 30, ZONE)


@pytest.mark.parametrize(
    ("text", "starts_on", "ends_on", "month"),
    [
        ("2026-11", date(2026, 11, 1), date(2026, 12, 1), "2026-11"),
        ("2026-W48", date(2026, 11, 23), date(2026, 11, 30), "2026-11"),
        ("2026-W49", date(2026, 11, 30), date(2026, 12, 7), "2026-11"),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 4), "2026-12"),
        ("2026-11-27", date(2026, 11, 27), date(2026, 11, 28), "2026-11"),
        ("2026-11-27T14:30Z", date(2026, 11, 27), date(2026, 11, 28), "2026-11"),
        ("2028-02-29", date(2028, 2, 29), date(2028, 3, 1), "2028-02"),
    ],
)
def test_a_period_is_a_month_a_week_or_a_day_and_begins_in_a_month(
    text: str, starts_on: date, ends_on: date, month: str
) -> None:
    period = RunPeriod.parse(text)

    assert (str(period), period.starts_on, period.ends_on, period.month) == (text, starts_on, ends_on, month)
    assert "T" in text or period.next().starts_on == ends_on


def test_times_follow_each_other_by_minutes_and_lie_in_the_period_of_their_interval() -> None:
    late = RunPeriod.parse("2026-12-31T23:59Z")
    at = datetime(2026, 11, 27, 16, 44, 59, tzinfo=ZoneInfo(ZONE))

    assert (str(late.next()), late.next().month, late.has_begun(late.begins_at)) == (
        "2027-01-01T00:00Z",
        "2027-01",
        True,
    )
    assert not late.has_begun(late.begins_at - timedelta(seconds=1))
    assert str(RunPeriod.at(at, ZONE, PeriodUnit.MINUTES, 15)) == "2026-11-27T14:30Z"


@pytest.mark.parametrize(
    "text",
    [
        "2027-W53",
        "2026-W00",
        "2026-02-29",
        "2026-13",
        "2026-11-1",
        "2026",
        "2026-11-27T24:00Z",
        "2026-11-27T14:30",
        "2026-11T14:30Z",
        "0999-W01",
        "",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(InvalidPeriodError, match="is not a month like 2026-11, a week like 2026-W48, a day"):
        RunPeriod.parse(text)


@pytest.mark.parametrize(
    ("calendar", "period", "due_at"),
    [
        (FRIDAYS, "2026-W48", datetime(2026, 11, 27, 4, 30, tzinfo=UTC)),
        (FRIDAYS, "2027-W26", datetime(2027, 7, 2, 3, 30, tzinfo=UTC)),
        (FRIDAYS, "2026-11", None),
        (EACH_SECOND, "2026-W48", datetime(2026, 11, 27, 4, 30, tzinfo=UTC)),
        (EACH_SECOND, "2026-W49", None),
        (EACH_SECOND, "2026-W50", datetime(2026, 12, 11, 4, 30, tzinfo=UTC)),
        (EACH_SECOND, "2026-W46", None),
        (QUARTERS, "2027-02", datetime(2027, 2, 28, 4, 30, tzinfo=UTC)),
        (QUARTERS, "2027-03", None),
        (QUARTERS, "2027-06", datetime(2027, 6, 30, 3, 30, tzinfo=UTC)),
        (EACH_TENTH, "2026-11-27", datetime(2026, 11, 27, 4, 30, tzinfo=UTC)),
        (EACH_TENTH, "2026-12-07", datetime(2026, 12, 7, 4, 30, tzinfo=UTC)),
        (EACH_TENTH, "2026-12-08", None),
        (EACH_TENTH, "2026-12-17", None),
        (EACH_HOUR, "2026-11-26T21:00Z", None),
        (EACH_HOUR, "2026-11-26T22:00Z", datetime(2026, 11, 26, 22, tzinfo=UTC)),
        (EACH_HOUR, "2026-11-28T21:00Z", datetime(2026, 11, 28, 21, tzinfo=UTC)),
        (EACH_HOUR, "2026-11-28T22:00Z", None),
        (EACH_HOUR, "2026-11-27T14:30Z", None),
        (QUARTER_HOURS, "2026-11-27T14:45Z", datetime(2026, 11, 27, 14, 45, tzinfo=UTC)),
        (QUARTER_HOURS, "2026-11-27", None),
        (ONCE, "2026-11-27", datetime(2026, 11, 27, 4, 30, tzinfo=UTC)),
        (ONCE, "2027-11-27", None),
    ],
)
def test_a_run_is_due_in_the_periods_of_its_calendar_and_in_no_other(
    calendar: RunCalendar, period: str, due_at: datetime | None
) -> None:
    assert calendar.due_in(RunPeriod.parse(period)) == due_at


def test_a_period_without_a_run_is_not_due_and_says_by_which_calendar() -> None:
    problem = not_due("2026-W49", EACH_SECOND, datetime(2027, 1, 1, tzinfo=UTC))

    assert problem is not None
    assert problem.message == (
        "2026-W49 has no run by the calendar: every 2 weeks on friday, 06:30 Europe/Nicosia from 2026-11-27"
    )


@pytest.mark.parametrize(
    ("calendar", "on"),
    [
        (WeeklySchedule("sunday", 2, 30, "Europe/Berlin"), "2026-03-29"),
        (DailySchedule(1, 2, 30, "Europe/Berlin"), "2026-03-29"),
        (OneOffSchedule(date(2027, 3, 28), 2, 30, "Europe/Berlin"), "2027-03-28"),
    ],
)
def test_a_time_that_the_clock_skips_on_a_day_of_the_calendar_is_refused(calendar: RunCalendar, on: str) -> None:
    with pytest.raises(InvalidScheduleError, match=rf"on {on} the clock in Europe/Berlin has no 02:30"):
        calendar.require_its_time()


def test_a_time_that_the_clock_skips_on_other_days_is_taken() -> None:
    WeeklySchedule("friday", 2, 30, "Europe/Berlin").require_its_time()
    OneOffSchedule(date(2027, 3, 29), 2, 30, "Europe/Berlin").require_its_time()


def test_weeks_that_were_missed_are_named_and_those_before_a_later_run_are_not() -> None:
    since = datetime(2026, 11, 1, tzinfo=UTC)
    weekly = DefinitionMonths("weekly", RunKind.PAYMENT, since, FRIDAYS, frozenset({"2026-W46"}))

    missed = missed_months([weekly], {}, datetime(2026, 12, 5, 12, tzinfo=UTC))

    assert [one.remedy for one in missed] == [f"duly runs start weekly 2026-W{week}" for week in (47, 48, 49)]


def test_an_interval_without_a_run_for_a_day_is_named_once_and_one_with_a_run_since_is_not() -> None:
    now = datetime(2026, 12, 5, 12, 20, tzinfo=UTC)
    silent = DefinitionMonths(
        "often", RunKind.PAYMENT, now - timedelta(days=9), QUARTER_HOURS, frozenset({"2026-12-01T00:00Z"})
    )
    alive = replace(silent, months=frozenset({"2026-12-04T15:00Z"}))
    new = replace(silent, months=frozenset(), created_at=now - timedelta(hours=23))

    assert [one.month for one in missed_months([silent, alive, new], {}, now)] == ["2026-12-04T12:15Z"]


@pytest.mark.parametrize(
    ("request_", "is_good"),
    [
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE), True),
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE, PeriodUnit.WEEK, 2, date(2026, 11, 27)), True),
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE, PeriodUnit.WEEK, 2), False),
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE, PeriodUnit.MONTH, 2, date(2026, 11, 27)), False),
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE, PeriodUnit.DAY, 0), False),
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE, PeriodUnit.MINUTES, 15), True),
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE, PeriodUnit.MINUTES, 1), False),
        (ScheduledRunRequest("often", RunKind.PAYMENT, ZONE, PeriodUnit.MINUTES, 7), False),
    ],
)
def test_every_so_many_is_counted_from_a_day(request_: ScheduledRunRequest, *, is_good: bool) -> None:
    problems = problems_of_input(request_, datetime(2026, 11, 27, tzinfo=UTC))

    assert {one.rule for one in problems} == (set() if is_good else {"period_is_counted"})


@pytest.mark.parametrize(("period", "is_good"), [("2026-W48", True), ("2026-11-27", True), ("2027-W53", False)])
def test_a_run_is_asked_for_by_a_period_that_there_is(period: str, *, is_good: bool) -> None:
    problems = problems_of_input(RunRequest("often", period), datetime(2027, 12, 31, tzinfo=UTC))

    assert {one.rule for one in problems} == (set() if is_good else {"period_is_a_month"})


def test_the_weeks_of_a_year_follow_each_other() -> None:
    period = RunPeriod.of(date(2026, 1, 1), PeriodUnit.WEEK)
    names = []
    while period.starts_on < date(2027, 1, 4):
        names.append(str(period))
        period = period.next()

    assert names == [f"2026-W{week:02d}" for week in range(1, 54)]
    assert period.starts_on - timedelta(days=7) == date(2026, 12, 28)
