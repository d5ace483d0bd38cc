"""What one run of a definition is for: a month (2026-11), an ISO week (2026-W48), a day (2026-11-27), or a time."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.period import EARLIEST_CLOCK, InvalidPeriodError, Period

RUN_PERIOD_MEANING = (
    "a month like 2026-11, a week like 2026-W48, a day like 2026-11-27 or a time like 2026-11-27T14:30Z"
)
RUN_PERIOD_PATTERN = (
    r"(?!0|9999)[0-9]{4}-((0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]Z)?)?"
    r"|W(0[1-9]|[1-4][0-9]|5[0-3]))"
)
# A run takes what it charges from everybody who owes: less often than that it is done before the next one begins.
MINUTES_LEAST = 5
DAY_MINUTES = 24 * 60
MINUTES_MEANING = "so many minutes as divide a day, 5 at least: 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720"
_RUN_PERIOD = re.compile(RUN_PERIOD_PATTERN)


class PeriodUnit(StrEnum):
    """How long the period of a run is."""

    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    MINUTES = "minutes"


@dataclass(frozen=True)
class RunPeriod:
    """A period by its days: the first, and the first after it. Of so many minutes it is the time at which they begin.

    `minute` counts from midnight in UTC, where no clock is put forward or back.
    """

    unit: PeriodUnit
    starts_on: date
    ends_on: date
    minute: int = 0

    def __str__(self) -> str:
        if self.unit is PeriodUnit.MONTH:
            return f"{self.starts_on:%Y-%m}"
        if self.unit is PeriodUnit.WEEK:
            year, week, _ = self.starts_on.isocalendar()
            return f"{year}-W{week:02d}"
        if self.unit is PeriodUnit.MINUTES:
            return f"{self.begins_at:%Y-%m-%dT%H:%MZ}"
        return f"{self.starts_on}"

    @classmethod
    def parse(cls, text: str) -> "RunPeriod":
        """Read the name of a period. Raises InvalidPeriodError."""
        if _RUN_PERIOD.fullmatch(text) is None:
            raise InvalidPeriodError(text, RUN_PERIOD_MEANING)
        try:
            if "W" in text:
                return cls.of(date.fromisocalendar(int(text[:4]), int(text[6:]), 1), PeriodUnit.WEEK)
            if len(text) == len("2026-11"):
                return cls.of(Period.parse(text).starts_on, PeriodUnit.MONTH)
            if "T" in text:
                return cls.of_minutes(datetime.fromisoformat(text), 1)
            return cls.of(date.fromisoformat(text), PeriodUnit.DAY)
        except ValueError as error:
            raise InvalidPeriodError(text, RUN_PERIOD_MEANING) from error

    @classmethod
    def of(cls, day: date, unit: PeriodUnit) -> "RunPeriod":
        """The period that a day lies in."""
        if unit is PeriodUnit.MONTH:
            month = Period.of(day)
            return cls(unit, month.starts_on, month.ends_on)
        if unit is PeriodUnit.WEEK:
            monday = day - timedelta(days=day.weekday())
            return cls(unit, monday, monday + timedelta(days=7))
        return cls(unit, day, day + timedelta(days=1))

    @classmethod
    def of_minutes(cls, moment: datetime, every: int) -> "RunPeriod":
        """The period of so many minutes, counted from midnight in UTC, that a moment lies in."""
        at = moment.astimezone(UTC)
        minute = at.hour * 60 + at.minute
        return cls(PeriodUnit.MINUTES, at.date(), at.date() + timedelta(days=1), minute - minute % every)

    @classmethod
    def at(cls, moment: datetime, time_zone: str, unit: PeriodUnit, every: int = 1) -> "RunPeriod":
        """The period that a moment lies in, where the clock on the wall counts; `every` is how many minutes it has."""
        if unit is PeriodUnit.MINUTES:
            return cls.of_minutes(moment, every)
        return cls.of(moment.astimezone(ZoneInfo(time_zone)).date(), unit)

    def next(self) -> "RunPeriod":
        """The period after this one; after a time the next minute, which may be one."""
        if self.unit is PeriodUnit.MINUTES:
            return RunPeriod.of_minutes(self.begins_at + timedelta(minutes=1), 1)
        return RunPeriod.of(self.ends_on, self.unit)

    @property
    def begins_at(self) -> datetime:
        """When it begins, as if all clocks were in UTC: of two of a unit, the later one has more."""
        midnight = datetime(self.starts_on.year, self.starts_on.month, self.starts_on.day, tzinfo=UTC)
        return midnight + timedelta(minutes=self.minute)

    @property
    def month(self) -> str:
        """The month that it begins in: what a run collects has its name."""
        return f"{self.starts_on:%Y-%m}"

    def has_begun(self, now: datetime) -> bool:
        """Say whether it has begun somewhere on earth."""
        if self.unit is PeriodUnit.MINUTES:
            return self.begins_at <= now
        return self.starts_on <= (now + EARLIEST_CLOCK).date()


def is_counted(period: RunPeriod, first: date | None, every: int) -> bool:
    """Say whether a week or a day is the one that a first day lies in, or so many after it."""
    if every == 1 or first is None:
        return True
    days = (period.starts_on - RunPeriod.of(first, period.unit).starts_on).days
    return days % (every * (period.ends_on - period.starts_on).days) == 0
