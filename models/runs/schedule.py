"""When a monthly run is due: a day of the month at a local time, the last day standing in for one the month lacks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.period import Period

_LONG = (1, 3, 5, 7, 8, 10, 12)
_SHORT = (4, 6, 9, 11)
# Clock changes follow rules that repeat within 28 years: a day of the week falls on every day of the month by then.
_CHECKED_YEARS = range(2026, 2026 + 28)


class InvalidScheduleError(ValueError):
    """A schedule that breaks a rule."""


@dataclass(frozen=True)
class DayRule:
    """One day in some months; in leap years only, in other years only, or in all (None)."""

    day: int
    months: tuple[int, ...]
    in_leap_years: bool | None = None


@dataclass(frozen=True)
class MonthlySchedule:
    """Once a month, at a time of the wall clock in a time zone."""

    day: int
    hour: int
    minute: int
    time_zone: str

    def moment_in(self, period: Period) -> datetime:
        """Return when the run of a month is due, in UTC."""
        on = period.anchor_on(self.day)
        local = datetime(on.year, on.month, on.day, self.hour, self.minute, tzinfo=self._zone())
        return local.astimezone(UTC)

    def require_every_month(self) -> None:
        """Raise InvalidScheduleError when the clock skips the time on a day it is due: that month would have no run."""
        zone = self._zone()
        for on in self._days():
            local = datetime(on.year, on.month, on.day, self.hour, self.minute, tzinfo=zone)
            if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
                raise InvalidScheduleError(
                    f"on {on} the clock in {self.time_zone} has no {self.hour:02d}:{self.minute:02d}: that month would"
                    " have no run; choose another hour"
                )

    def _days(self) -> Iterator[date]:
        for year in _CHECKED_YEARS:
            for month in range(1, 13):
                yield Period.of(date(year, month, 1)).anchor_on(self.day)

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidScheduleError(f"time_zone: {self.time_zone!r} is no IANA time zone") from error


def day_rules(day: int) -> tuple[DayRule, ...]:
    """Return the days whose union is `day` in every month, clamped to the month's end."""
    if day <= 28:
        return (DayRule(day, tuple(range(1, 13))),)
    february = (DayRule(28, (2,), in_leap_years=False), DayRule(29, (2,), in_leap_years=True))
    if day == 31:
        return DayRule(31, _LONG), DayRule(30, _SHORT), *february
    return DayRule(day, tuple(sorted((*_LONG, *_SHORT)))), *february
