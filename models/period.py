"""A period is a pair of dates, never an instant: month ends, leap years and time zones cannot double or lose one."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# The last year of the calendar is left out, for its December has no next month.
_MONTH = re.compile(r"(?!9999)([1-9][0-9]{3})-(0[1-9]|1[0-2])")

# A receivable is named by its month, or by its month with a suffix: `2026-11-again` is what a returned payment leaves
# open.
RECEIVABLE_PATTERN = r"(?!0|9999)[0-9]{4}-(0[1-9]|1[0-2])(-[A-Za-z0-9][A-Za-z0-9_.-]{0,59})?"
RECEIVABLE_MEANING = "a month like 2026-11, or one with a suffix like 2026-11-order-4711"
_RECEIVABLE = re.compile(RECEIVABLE_PATTERN)
_MONTH_LENGTH = len("2026-11")


DUE_RULE = "period_is_due"

# A day begins on the islands in the east so long before it begins in UTC.
EARLIEST_CLOCK = timedelta(hours=14)


class InvalidPeriodError(ValueError):
    """A period that is not a month, or no name of a receivable."""

    def __init__(self, text: str, meaning: str = "a month like 2026-11") -> None:
        super().__init__(f"period: {text!r} is not {meaning}")


def receivable_name(text: str) -> str:
    """Check the name of a receivable. Raises InvalidPeriodError."""
    if _RECEIVABLE.fullmatch(text) is None:
        raise InvalidPeriodError(text, RECEIVABLE_MEANING)
    return text


def month_of(receivable: str) -> str:
    """Return the month that a receivable is named by."""
    return receivable[:_MONTH_LENGTH]


@dataclass(frozen=True)
class Period:
    """One month: the first day, and the first day after it."""

    starts_on: date
    ends_on: date

    def __str__(self) -> str:
        return f"{self.starts_on:%Y-%m}"

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read `2026-11`. Raises InvalidPeriodError."""
        match = _MONTH.fullmatch(text)
        if match is None:
            raise InvalidPeriodError(text)
        return cls.of(date(int(match[1]), int(match[2]), 1))

    @classmethod
    def of(cls, day: date) -> "Period":
        """The month that a day lies in."""
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=31)).replace(day=1))

    @classmethod
    def at(cls, moment: datetime, time_zone: str) -> "Period":
        """The month that a moment lies in, where the clock on the wall counts."""
        return cls.of(moment.astimezone(ZoneInfo(time_zone)).date())

    def next(self) -> "Period":
        """The month after this one."""
        return Period.of(self.ends_on)

    def anchor_on(self, billing_day: int) -> date:
        """The billing day in this month; a day that the month lacks becomes its last (F116)."""
        last = calendar.monthrange(self.starts_on.year, self.starts_on.month)[1]
        return self.starts_on.replace(day=min(billing_day, last))


def has_begun(period: Period, now: datetime) -> bool:
    """Say whether a month has begun somewhere on earth."""
    return period.starts_on <= (now + EARLIEST_CLOCK).date()
