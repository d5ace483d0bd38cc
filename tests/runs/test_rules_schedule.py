"""When a monthly run is due, whatever the month, the year and the clock; what is due while the last one still runs."""

from calendar import isleap, monthrange
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleOverlapPolicy

from models.runs.process_run import RunKind
from models.runs.run_period import RunPeriod
from models.runs.schedule import DayRule, InvalidScheduleError, MonthlySchedule, day_rules
from workflows.reports.schedules import report_schedule_of
from workflows.runs import schedules
from workflows.runs.schedules import ScheduledDefinition
from workflows.supervision.schedule import supervisor_schedule

MONTHLY = MonthlySchedule(28, 6, 30, "UTC")
THREE_DAYS, QUARTER_OF_AN_HOUR = timedelta(days=3), timedelta(minutes=15)
SKIP, BUFFER_ALL = ScheduleOverlapPolicy.SKIP, ScheduleOverlapPolicy.BUFFER_ALL


def name_of(schedule: Schedule) -> str:
    assert isinstance(schedule.action, ScheduleActionStartWorkflow)
    return schedule.action.id


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


@pytest.mark.parametrize(
    ("schedule", "overlap", "catches_up", "stops_by_failure"),
    [
        # A run that failed lets a person decide; while it runs its definition begins no other.
        (schedules.schedule_of(ScheduledDefinition("rent", RunKind.PAYMENT, MONTHLY)), SKIP, THREE_DAYS, True),
        (schedules.schedule_of(ScheduledDefinition("bills", RunKind.BILLING, MONTHLY)), SKIP, THREE_DAYS, True),
        # The next one does what was left: two at a time would do the same.
        (schedules.refund_schedule_of("stripe"), SKIP, THREE_DAYS, False),
        (schedules.bank_refund_schedule_of(15), SKIP, THREE_DAYS, False),
        (schedules.reconciliation_schedule_of("stripe"), SKIP, THREE_DAYS, False),
        (schedules.audit_schedule(), SKIP, THREE_DAYS, False),
        (schedules.reminder_schedule(), SKIP, THREE_DAYS, False),
        (schedules.sweep_schedule_of("stripe"), SKIP, QUARTER_OF_AN_HOUR, False),
        (schedules.mailing_schedule(), SKIP, QUARTER_OF_AN_HOUR, False),
        (supervisor_schedule(), SKIP, QUARTER_OF_AN_HOUR, False),
        # Each has a period of its own, which no other report makes good: it waits for the one that runs long.
        (report_schedule_of("vat", MONTHLY), BUFFER_ALL, THREE_DAYS, False),
    ],
    ids=lambda value: name_of(value) if isinstance(value, Schedule) else "",
)
def test_what_is_due_while_the_one_before_still_runs_is_left_out_unless_it_has_a_period_of_its_own(
    schedule: Schedule, overlap: ScheduleOverlapPolicy, catches_up: timedelta, stops_by_failure: bool
) -> None:
    policy = schedule.policy

    assert (policy.overlap, policy.catchup_window) == (overlap, catches_up)
    assert policy.pause_on_failure is stops_by_failure
