"""What one run of a definition is for: a month (2026-11), an ISO week (2026-W48) or a day (2026-11-27)."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.period import EARLIEST_CLOCK, InvalidPeriodError, Period

RUN_PERIOD_MEANING = "a month like 2026-11, a week like 2026-W48 or a day like 2026-11-27"
RUN_PERIOD_PATTERN = r"(?!0|9999)[0-9]{4}-((0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?|W(0[1-9]|[1-4][0-9]|5[0-3]))"
_RUN_PERIOD = re.compile(RUN_PERIOD_PATTERN)


class PeriodUnit(StrEnum):
    """How long the period of a run is."""

    MONTH = "month"
    WEEK = "week"
    DAY = "day"


@dataclass(frozen=True)
class RunPeriod:
    """A period by its days: the first, and the first after it."""

    unit: PeriodUnit
    starts_on: date
    ends_on: date

    def __str__(self) -> str:
        if self.unit is PeriodUnit.MONTH:
            return f"{self.starts_on:%Y-%m}"
        if self.unit is PeriodUnit.WEEK:
            year, week, _ = self.starts_on.isocalendar()
            return f"{year}-W{week:02d}"
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
    def at(cls, moment: datetime, time_zone: str, unit: PeriodUnit) -> "RunPeriod":
        """The period that a moment lies in, where the clock on the wall counts."""
        return cls.of(moment.astimezone(ZoneInfo(time_zone)).date(), unit)

    def next(self) -> "RunPeriod":
        """The period after this one."""
        return RunPeriod.of(self.ends_on, self.unit)

    @property
    def month(self) -> str:
        """The month that it begins in: what a run collects has its name."""
        return f"{self.starts_on:%Y-%m}"

    def has_begun(self, now: datetime) -> bool:
        """Say whether it has begun somewhere on earth."""
        return self.starts_on <= (now + EARLIEST_CLOCK).date()


def is_counted(period: RunPeriod, first: date | None, every: int) -> bool:
    """Say whether a week or a day is the one that a first day lies in, or so many after it."""
    if every == 1 or first is None:
        return True
    days = (period.starts_on - RunPeriod.of(first, period.unit).starts_on).days
    return days % (every * (period.ends_on - period.starts_on).days) == 0
