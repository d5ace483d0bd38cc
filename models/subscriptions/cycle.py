"""The billing periods of a subscription: a month, a quarter or a year each, from its billing day on."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from models.period import Period


class Term(StrEnum):
    """How long a billing period is; a price is for one of it."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """How many months it has."""
        return {Term.MONTH: 1, Term.QUARTER: 3, Term.YEAR: 12}[self]

    @classmethod
    def of(cls, months: int) -> "Term":
        """Return the term of so many months."""
        return next(term for term in cls if term.months == months)


@dataclass(frozen=True)
class DateRange:
    """Days from the first up to, not including, the end."""

    starts_on: date
    ends_on: date

    @property
    def length(self) -> int:
        """How many days it has."""
        return (self.ends_on - self.starts_on).days

    @property
    def last_on(self) -> date:
        """The last day in it."""
        return self.ends_on - timedelta(days=1)

    def until(self, day: date) -> int:
        """How many of its days are over when a day begins, none or all of them beyond its ends."""
        return min(max((day - self.starts_on).days, 0), self.length)


@dataclass(frozen=True)
class BillingCycle:
    """Periods of a term that begin on the billing day of a month; one of them begins in the month of `anchor_on`.

    A day that a month lacks becomes its last (F116).
    """

    term: Term
    billing_day: int
    anchor_on: date

    def period_of(self, day: date) -> DateRange:
        """Return the billing period that a day lies in."""
        months = self.term.months
        month = _month_number(day) - (_month_number(day) - _month_number(self.anchor_on)) % months
        if self._start_in(month) > day:
            month -= months
        return DateRange(self._start_in(month), self._start_in(month + months))

    def first_start(self, day: date) -> date:
        """Return the first day on or after a day on which a period begins."""
        period = self.period_of(day)
        return day if period.starts_on == day else period.ends_on

    def _start_in(self, month: int) -> date:
        return Period.of(date(month // 12, month % 12 + 1, 1)).anchor_on(self.billing_day)


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1
