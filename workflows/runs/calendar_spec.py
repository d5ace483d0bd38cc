"""When the schedule of a calendar acts, in Temporal's words (X17, X21)."""

from dataclasses import replace
from datetime import timedelta

from temporalio.client import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

from models.runs.schedule import (
    WEEKDAYS,
    DayRule,
    IntervalSchedule,
    MonthlySchedule,
    OneOffSchedule,
    RunCalendar,
    WeeklySchedule,
    day_rules,
)

# The years that Temporal's calendars know. 2100 is no leap year.
_FIRST, _LAST = 2000, 2100
_LEAP_YEARS = (ScheduleRange(_FIRST, _LAST - 4, 4),)
_OTHER_YEARS = (*(ScheduleRange(_FIRST + rest, _LAST - 1, 4) for rest in (1, 2, 3)), ScheduleRange(_LAST))
_YEARS = {None: (), True: _LEAP_YEARS, False: _OTHER_YEARS}


def spec_of(calendar: RunCalendar) -> ScheduleSpec:
    """Return when a calendar's schedule acts."""
    end = calendar.bound(calendar.ends_on, is_end=True)
    if end is not None and isinstance(calendar, IntervalSchedule):
        # Temporal's end is a moment at which it still acts, which is where the next day's first interval begins.
        end -= timedelta(seconds=1)
    return ScheduleSpec(
        calendars=_calendars(calendar),
        intervals=_intervals(calendar),
        time_zone_name=calendar.time_zone,
        start_at=calendar.bound(calendar.starts_on),
        end_at=end,
    )


def _intervals(calendar: RunCalendar) -> list[ScheduleIntervalSpec]:
    # Temporal counts from the epoch, which was a midnight in UTC.
    if isinstance(calendar, IntervalSchedule):
        return [ScheduleIntervalSpec(every=timedelta(minutes=calendar.every_minutes))]
    return []


def _calendars(calendar: RunCalendar) -> list[ScheduleCalendarSpec]:
    if isinstance(calendar, IntervalSchedule):
        return []
    if isinstance(calendar, MonthlySchedule):
        return [_of_month(rule, calendar) for rule in day_rules(calendar.day, calendar.months)]
    daily = ScheduleCalendarSpec(minute=(ScheduleRange(calendar.minute),), hour=(ScheduleRange(calendar.hour),))
    if isinstance(calendar, WeeklySchedule):
        # Temporal counts from Sunday, which is 0.
        return [replace(daily, day_of_week=(ScheduleRange((WEEKDAYS.index(calendar.weekday) + 1) % 7),))]
    if isinstance(calendar, OneOffSchedule):
        day, month, year = (ScheduleRange(part) for part in (calendar.on.day, calendar.on.month, calendar.on.year))
        return [replace(daily, day_of_month=(day,), month=(month,), year=(year,))]
    return [daily]


def _of_month(rule: DayRule, monthly: MonthlySchedule) -> ScheduleCalendarSpec:
    return ScheduleCalendarSpec(
        minute=(ScheduleRange(monthly.minute),),
        hour=(ScheduleRange(monthly.hour),),
        day_of_month=(ScheduleRange(rule.day),),
        month=tuple(ScheduleRange(month) for month in rule.months),
        year=_YEARS[rule.in_leap_years],
    )
