"""On which days banks settle debits: the calendar of TARGET, which is closed at weekends and on six days a year."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
# New Year's Day, Labour Day, Christmas Day and the day after; Good Friday and Easter Monday go by Easter.
_FIXED = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})


def is_working_day(day: date) -> bool:
    """Say whether TARGET is open on a day (ECB/2000/12, in force since 2002)."""
    easter = _easter(day.year)
    return day.weekday() < 5 and (day.month, day.day) not in _FIXED and day not in {easter - 2 * _DAY, easter + _DAY}


def working_day_from(day: date) -> date:
    """Return a day, or the next working day after it."""
    return next(one for one in _from(day) if is_working_day(one))


def earliest_collection(now: datetime, *, lead_days: int, cut_off: str, time_zone: str) -> date:
    """Return the first day on which what is given to the bank now can be collected.

    It counts `lead_days` working days from the day on which the bank takes the file: today, or the next working day
    where today is none or its cut-off ("15:00", by the bank's time zone) is over.
    """
    local = now.astimezone(ZoneInfo(time_zone))
    is_late = local.time() >= time.fromisoformat(cut_off)
    day = working_day_from(local.date() + (_DAY if is_late else timedelta()))
    for _ in range(lead_days):
        day = working_day_from(day + _DAY)
    return day


def announced_collection(now: datetime, *, notice_days: int, lead_days: int, cut_off: str, time_zone: str) -> date:
    """Return the first day on which what the payer is notified of now can be collected; notice is in calendar days."""
    notified = working_day_from(now.astimezone(ZoneInfo(time_zone)).date() + notice_days * _DAY)
    return max(notified, earliest_collection(now, lead_days=lead_days, cut_off=cut_off, time_zone=time_zone))


def _from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += _DAY


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Butcher's algorithm, "Nature" of 20 April 1876)."""
    century, of_century = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    shift = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)
