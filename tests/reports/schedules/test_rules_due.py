"""When scheduled reports are due: each moment of a calendar is of its own period, when clocks are changed too."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models.reports.delivery import report_due
from models.runs.run_period import RunPeriod
from models.runs.schedule import DailySchedule, MonthlySchedule, RunCalendar, WeeklySchedule

BERLIN, NEW_YORK, APIA = "Europe/Berlin", "America/New_York", "Pacific/Apia"
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, APIA])
@pytest.mark.parametrize("hour", [0, 1, 3, 23])
def test_each_moment_is_of_its_own_period_and_day_and_none_is_due_twice(zone: str, hour: int) -> None:
    calendars: list[RunCalendar] = [
        MonthlySchedule(31, hour, 59, zone),
        WeeklySchedule("sunday", hour, 59, zone),
        DailySchedule(1, hour, 59, zone),
    ]
    for calendar in calendars:
        period, seen = RunPeriod.at(FIRST, zone, calendar.unit), set()
        while (at := calendar.due_in(period)) is None or at < LAST:
            assert at is not None
            for late in (timedelta(0), timedelta(seconds=30)):
                due = report_due(calendar, "", at + late)
                assert due is not None
                assert (due.period, due.today) == (str(period), calendar.day_in(period))
            assert at not in seen
            seen.add(at)
            period = period.next()


def test_a_report_of_a_month_end_is_of_its_last_day_and_last_month_counts_from_it() -> None:
    monthly = MonthlySchedule(31, 2, 0, NEW_YORK)

    days = [report_due(monthly, f"2028-{month:02}", FIRST) for month in (1, 2, 4)]

    assert [due and due.today for due in days] == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 4, 30)]
