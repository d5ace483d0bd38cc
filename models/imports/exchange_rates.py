"""Reference rates of exchange as the European Central Bank publishes them: what one euro is in a currency on a day.

Its files are `eurofxref-daily.xml`, `eurofxref-hist.xml` and `eurofxref-hist-90d.xml`, and `eurofxref.csv` and
`eurofxref-hist.csv`, which come in ZIP files. A file of another bank's rates is taken where it is written like these.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from models.problem import Problem

EURO = "EUR"
DATE_COLUMN = "date"
# The first day on which there were any.
FIRST_DAY = date(1999, 1, 4)
# What no rate is beyond: from a thousandth of a unit to a thousand million for a euro.
LEAST, MOST = Decimal("0.0001"), Decimal("1E9")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
# How a day is written in the file of history, and in that of today.
_DAYS = ("%Y-%m-%d", "%d %B %Y")
_NONE = frozenset({"", "N/A"})


@dataclass(frozen=True)
class ReferenceRate:
    """Units of a currency for one euro on a day."""

    currency: str
    rate_on: date
    per_euro: Decimal


class RateReader:
    """Reads the rates of one file, names what is wrong with each bad one, and knows what was there already."""

    def __init__(self, source: str, today: date) -> None:
        self._source = source
        self._today = today
        self._seen: dict[tuple[str, date], Decimal] = {}

    def day_rates(self, line: int, day: str, rates: Iterable[tuple[str, str]]) -> Iterator[ReferenceRate | Problem]:
        """Yield the rates of one day; what is said twice alike is one, and `N/A` is none."""
        rate_on = _day_of(day)
        if rate_on is None:
            yield self._problem(line, "date", "date_written", f"{day[:40]!r} is no day like 2026-11-27")
            return
        if not FIRST_DAY <= rate_on <= self._today:
            what = f"{rate_on} is not between {FIRST_DAY} and today, {self._today}"
            yield self._problem(line, "date", "date_in_range", what)
            return
        for currency, text in rates:
            if text.strip().upper() not in _NONE:
                yield from self._rate(line, rate_on, currency.strip(), text.strip())

    def _rate(self, line: int, rate_on: date, currency: str, text: str) -> Iterator[ReferenceRate | Problem]:
        where = f"{currency[:10]} of {rate_on}"
        if not _CURRENCY.fullmatch(currency):
            yield self._problem(line, "currency", "currency_written", f"{currency[:10]!r} is no currency like USD")
            return
        per_euro = _rate_of(text)
        if per_euro is None:
            what = f"{text[:40]!r} is no rate like 1.0573 between {LEAST} and {MOST:f}"
            yield self._problem(line, "rate", "rate_written", what, where)
        elif currency == EURO:
            yield self._problem(line, "currency", "currency_is_not_the_euro", "rates are for one euro", where)
        elif (before := self._seen.setdefault((currency, rate_on), per_euro)) != per_euro:
            yield self._problem(line, "rate", "rate_once", f"is {per_euro} here and {before} before", where)
        else:
            yield ReferenceRate(currency, rate_on, per_euro)

    def _problem(self, line: int, field: str, rule: str, message: str, id: str = "") -> Problem:
        return Problem(field, rule, message, self._source, line, id)


def columns_of_rates(header: list[str]) -> Mapping[int, str]:
    """Return the currency of each column behind the date; columns without a name end the line."""
    return {place: name.strip() for place, name in enumerate(header) if place and name.strip()}


def _day_of(text: str) -> date | None:
    for written in _DAYS:
        try:
            return datetime.strptime(text.strip(), written).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    return None


def _rate_of(text: str) -> Decimal | None:
    try:
        rate = Decimal(text) if re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,12})?", text) else None
    except InvalidOperation:
        return None
    return rate if rate is not None and LEAST <= rate <= MOST else None
