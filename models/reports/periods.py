"""The days that a report is about: fixed ones, or those that follow from the day on which it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class DaySpan:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def before(self) -> "DaySpan":
        """Return the period before: as many whole months where these are whole months, else as many days."""
        if self.first.day == 1 and (self.last + timedelta(days=1)).day == 1:
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            return DaySpan(months_before(self.first, months), self.first - timedelta(days=1))
        return DaySpan(self.first - (self.last - self.first) - timedelta(days=1), self.first - timedelta(days=1))

    def months(self) -> Iterator[date]:
        """Yield the first day of every month that it touches."""
        month = self.first.replace(day=1)
        while month <= self.last:
            yield month
            month = months_before(month, -1)

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def months_before(day: date, months: int) -> date:
    """Return the first day of the month so many months before a day's."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


# By the words of a definition; the day on which a report is asked for makes days of them.
RELATIVE: Mapping[str, Callable[[date], DaySpan]] = MappingProxyType(
    {
        "today": lambda today: DaySpan(today, today),
        "yesterday": lambda today: DaySpan(_day_before(today), _day_before(today)),
        "last_7_days": lambda today: DaySpan(today - timedelta(days=6), today),
        "last_28_days": lambda today: DaySpan(today - timedelta(days=27), today),
        "this_month": lambda today: DaySpan(today.replace(day=1), _day_before(months_before(today, -1))),
        "last_month": lambda today: DaySpan(months_before(today, 1), _day_before(today.replace(day=1))),
        "last_12_months": lambda today: DaySpan(months_before(today, 12), _day_before(today.replace(day=1))),
        "this_year": lambda today: DaySpan(date(today.year, 1, 1), date(today.year, 12, 31)),
        "last_year": lambda today: DaySpan(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    }
)


def span_of(period: Any, today: date) -> DaySpan | None:
    """Return the days of a period as documents keep it: a word, or days by `from` and `to`; None is no period."""
    if period is None:
        return None
    if isinstance(period, str):
        return RELATIVE[period](today)
    return DaySpan(date.fromisoformat(str(period["from"])), date.fromisoformat(str(period["to"])))
