"""Moments as people read them: in UTC, and on the clock of whom they concern."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

# The years in which anything here may lie: days and months beyond them have no neighbours to reckon with.
YEARS = range(1970, 2200)
YEARS_MEANING = f"the years {YEARS.start} to {YEARS.stop - 1}"

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def in_utc(at: datetime) -> str:
    """Return a moment in UTC, to the minute: "2026-11-26 08:00Z"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def on_both_clocks(at: datetime, time_zone: str) -> str:
    """Return a moment in UTC and on a local clock, whose day is added where it is another."""
    here, there = at.astimezone(UTC), at.astimezone(ZoneInfo(time_zone))
    local = f"{there:%H:%M}" if there.date() == here.date() else _day_and_hour(there)
    return f"{_day_and_hour(here)} UTC ({local} in {time_zone})"


def _day_and_hour(at: datetime) -> str:
    return f"{_DAYS[at.weekday()]} {at:%Y-%m-%d %H:%M}"
