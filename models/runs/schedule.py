"""When a definition runs by itself: in months, weeks or days, every so many minutes, or once (X21)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.period import Period
from models.runs.run_period import PeriodUnit, RunPeriod, is_counted

_LONG = (1, 3, 5, 7, 8, 10, 12)
_SHORT = (4, 6, 9, 11)
EVERY_MONTH = tuple(range(1, 13))
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
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


class RunCalendar(ABC):
    """When a definition runs by itself. `starts_on` and `ends_on` are the first and the last day of the calendar."""

    hour: int
    minute: int
    time_zone: str
    starts_on: date | None
    ends_on: date | None

    @property
    @abstractmethod
    def unit(self) -> PeriodUnit:
        """Return how long a period of it is."""

    @abstractmethod
    def day_in(self, period: RunPeriod) -> date | None:
        """Return the day of a period that is one, whatever the calendar's first and last day are, or None."""

    @abstractmethod
    def in_words(self) -> str:
        """Return it as people read it, without its first and last day."""

    def due_in(self, period: RunPeriod) -> datetime | None:
        """Return when a period's run is due, in UTC; None where the calendar has no run in it."""
        on = self.day_in(period) if period.unit is self.unit else None
        if on is None or on < (self.starts_on or on) or on > (self.ends_on or on):
            return None
        return self._local(on).astimezone(UTC)

    def describe(self) -> str:
        """Return it as people read it."""
        bounds = [f"{word} {on}" for word, on in (("from", self.starts_on), ("until", self.ends_on)) if on is not None]
        return " ".join([f"{self.in_words()}, {self.hour:02d}:{self.minute:02d} {self.time_zone}", *bounds])

    def require_its_time(self) -> None:
        """Raise InvalidScheduleError when the clock skips the time on a day of it: that period would have no run."""
        zone = self._zone()
        for on in self._checked_days():
            local = self._local(on)
            if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
                raise InvalidScheduleError(
                    f"on {on} the clock in {self.time_zone} has no {self.hour:02d}:{self.minute:02d}: that {self.unit}"
                    " would have no run; choose another hour"
                )

    def bound(self, on: date | None, *, is_end: bool = False) -> datetime | None:
        """Return the moment in which a first day begins, or a last one ends, in UTC."""
        if on is None:
            return None
        day = on + timedelta(days=1) if is_end else on
        return datetime(day.year, day.month, day.day, tzinfo=self._zone()).astimezone(UTC)

    def _checked_days(self) -> Iterator[date]:
        period = RunPeriod.of(date(_CHECKED_YEARS.start, 1, 5), self.unit)
        while period.starts_on.year < _CHECKED_YEARS.stop:
            if (on := self.day_in(period)) is not None:
                yield on
            period = period.next()

    def _local(self, on: date) -> datetime:
        return datetime(on.year, on.month, on.day, self.hour, self.minute, tzinfo=self._zone())

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidScheduleError(f"time_zone: {self.time_zone!r} is no IANA time zone") from error


@dataclass(frozen=True)
class MonthlySchedule(RunCalendar):
    """On a day of some months, of all unless they are named; the last day stands in for one that a month lacks."""

    day: int
    hour: int
    minute: int
    time_zone: str
    months: tuple[int, ...] = EVERY_MONTH
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def unit(self) -> PeriodUnit:
        """A month."""
        return PeriodUnit.MONTH

    def day_in(self, period: RunPeriod) -> date | None:
        """Return the day in a month, or None in one that is not named."""
        month = Period.of(period.starts_on)
        return month.anchor_on(self.day) if month.starts_on.month in self.months else None

    def in_words(self) -> str:
        """Such as `31. of 3, 6, 9, 12`."""
        return f"{self.day}." + ("" if self.months == EVERY_MONTH else f" of {', '.join(map(str, self.months))}")


@dataclass(frozen=True)
class WeeklySchedule(RunCalendar):
    """On a day of every week, or of every so many weeks counted from that of the first day."""

    weekday: str
    hour: int
    minute: int
    time_zone: str
    every_weeks: int = 1
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def unit(self) -> PeriodUnit:
        """A week, from Monday on."""
        return PeriodUnit.WEEK

    def day_in(self, period: RunPeriod) -> date | None:
        """Return the day in a week, or None in one between."""
        if not is_counted(period, self.starts_on, self.every_weeks):
            return None
        return period.starts_on + timedelta(days=WEEKDAYS.index(self.weekday))

    def in_words(self) -> str:
        """Such as `every 2 weeks on friday`."""
        return f"{'weekly' if self.every_weeks == 1 else f'every {self.every_weeks} weeks'} on {self.weekday}"


@dataclass(frozen=True)
class DailySchedule(RunCalendar):
    """Every day, or every so many days counted from the first."""

    every_days: int
    hour: int
    minute: int
    time_zone: str
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def unit(self) -> PeriodUnit:
        """A day."""
        return PeriodUnit.DAY

    def day_in(self, period: RunPeriod) -> date | None:
        """Return the day itself, or None where it lies between."""
        return period.starts_on if is_counted(period, self.starts_on, self.every_days) else None

    def in_words(self) -> str:
        """Such as `every 10 days`."""
        return "daily" if self.every_days == 1 else f"every {self.every_days} days"


@dataclass(frozen=True)
class IntervalSchedule(RunCalendar):
    """Every so many minutes of a day, counted from midnight in UTC; the first and the last day are the time zone's."""

    every_minutes: int
    time_zone: str
    starts_on: date | None = None
    ends_on: date | None = None
    hour: int = 0
    minute: int = 0

    @property
    def unit(self) -> PeriodUnit:
        """So many minutes."""
        return PeriodUnit.MINUTES

    def day_in(self, period: RunPeriod) -> date | None:
        """Return the day of a period, or None of one that lies between."""
        return None if period.minute % self.every_minutes else period.starts_on

    def due_in(self, period: RunPeriod) -> datetime | None:
        """Return when a period's run is due: when it begins. None where it lies between, or outside of the days."""
        if period.unit is not self.unit or self.day_in(period) is None:
            return None
        first, end = self.bound(self.starts_on), self.bound(self.ends_on, is_end=True)
        at = period.begins_at
        return None if (first and at < first) or (end and at >= end) else at

    def in_words(self) -> str:
        """Such as `every 15 minutes`, or `every 6 hours`."""
        hours, minutes = divmod(self.every_minutes, 60)
        if minutes:
            return f"every {self.every_minutes} minutes"
        return "hourly" if hours == 1 else f"every {hours} hours"

    def describe(self) -> str:
        """Return it as people read it."""
        bounds = [f"{word} {on}" for word, on in (("from", self.starts_on), ("until", self.ends_on)) if on is not None]
        return " ".join([f"{self.in_words()} from 00:00 UTC on", *bounds])

    def require_its_time(self) -> None:
        """Raise InvalidScheduleError where its time zone is none: no clock skips a time in UTC."""
        self._zone()


@dataclass(frozen=True)
class OneOffSchedule(RunCalendar):
    """Once, on a day."""

    on: date
    hour: int
    minute: int
    time_zone: str
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def unit(self) -> PeriodUnit:
        """A day."""
        return PeriodUnit.DAY

    def day_in(self, period: RunPeriod) -> date | None:
        """Return the day, or None on any other one."""
        return self.on if period.starts_on == self.on else None

    def in_words(self) -> str:
        """Such as `once on 2026-11-27`."""
        return f"once on {self.on}"

    def _checked_days(self) -> Iterator[date]:
        yield self.on


# By the field that only it has, in the document and in the database.
CALENDARS: Mapping[str, type[MonthlySchedule | WeeklySchedule | DailySchedule | IntervalSchedule | OneOffSchedule]] = {
    "day": MonthlySchedule,
    "weekday": WeeklySchedule,
    "every_days": DailySchedule,
    "every_minutes": IntervalSchedule,
    "on": OneOffSchedule,
}


def calendar_of(stored: Mapping[str, Any] | None) -> RunCalendar | None:
    """Return the calendar that the database keeps, or None where there is none."""
    if not stored:
        return None
    (kind,) = [calendar for field, calendar in CALENDARS.items() if field in stored]
    dates = {name: date.fromisoformat(stored[name]) for name in ("on", "starts_on", "ends_on") if stored.get(name)}
    months = {"months": tuple(stored["months"])} if "months" in stored else {}
    known = {field.name for field in fields(kind)}
    return kind(**{**{name: value for name, value in stored.items() if name in known}, **dates, **months})


def day_rules(day: int, months: tuple[int, ...] = EVERY_MONTH) -> tuple[DayRule, ...]:
    """Return the days whose union is `day` in each of the months, clamped to the month's end."""
    if day <= 28:
        return (DayRule(day, months),)
    february = (DayRule(28, (2,), in_leap_years=False), DayRule(29, (2,), in_leap_years=True))
    long = (DayRule(31, _LONG), DayRule(30, _SHORT)) if day == 31 else (DayRule(day, tuple(sorted((*_LONG, *_SHORT)))),)
    rules = (*long, *february)
    limited = (DayRule(rule.day, tuple(m for m in rule.months if m in months), rule.in_leap_years) for rule in rules)
    return tuple(rule for rule in limited if rule.months)
