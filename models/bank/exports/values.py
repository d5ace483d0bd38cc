"""Days and amounts of a bank's own CSV export, strictly by its layout: nothing is guessed (F122)."""

import re
from datetime import date
from functools import cache

from models.moment import YEARS, YEARS_MEANING
from models.money import Money

_PARTS = re.compile(r"YYYY|YY|MMM|MM|M|DD|D")
_PATTERNS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "YY": "(?P<year>[0-9]{2})",
    "MMM": "(?P<month>[A-Za-z]{3})",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BETWEEN = frozenset(". -/")
# A time of day, with or without its zone.
_TIME = r"(?:[ T]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?(?:Z|UTC|[AP]M|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
_THOUSANDS = {" ": " \u00a0\u202f", "'": "'\u2019"}
_SYMBOLS = "€$£¥"
_MINUS = "-\u2212"


def is_date_format(written: str) -> bool:
    """Say whether a format has a day, a month and a year, once each, and nothing else but dots, dashes and slashes."""
    parts = [part[0] for part in _PARTS.findall(written)]
    return sorted(parts) == ["D", "M", "Y"] and set(_PARTS.sub("", written)) <= _BETWEEN


def day_of(text: str, date_format: str) -> date:
    """Return a day, written in a format such as `DD.MM.YY`; a time behind it is not read. Raises ValueError."""
    found = _day_pattern(date_format).fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not written {date_format}")
    month = found["month"].lower()
    if month.isalpha() and month not in _MONTHS:
        raise ValueError(f"{text!r} names no month")
    number = _MONTHS.index(month) + 1 if month.isalpha() else int(month)
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    try:
        day = date(year, number, int(found["day"]))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a day of the calendar") from error
    if day.year not in YEARS:
        raise ValueError(f"{day} is not within {YEARS_MEANING}")
    return day


def minor_of(text: str, currency: str, decimal_mark: str, thousands_mark: str) -> int:
    """Return an amount in minor units, below zero with a minus before or behind it, or in parentheses.

    Raises ValueError (MoneyError is one): other marks than the layout's, marks of thousands elsewhere than every three
    digits, more decimals than the currency has.
    """
    plain = text.strip().removesuffix(currency).removeprefix(currency).strip().strip(_SYMBOLS).strip()
    is_below = plain.startswith("(") and plain.endswith(")")
    plain = plain[1:-1].strip() if is_below else plain
    if plain[:1] in {"+", *_MINUS} or plain[-1:] in {"+", *_MINUS}:
        sign, plain = (plain[0], plain[1:]) if plain[:1] in {"+", *_MINUS} else (plain[-1], plain[:-1])
        is_below = is_below or sign in _MINUS
    plain = plain.strip().strip(_SYMBOLS).strip()
    found = _amount_pattern(decimal_mark, thousands_mark).fullmatch(plain)
    if found is None:
        raise ValueError(f"{text!r} is no amount with {decimal_mark!r} before its decimals")
    whole = re.sub("[^0-9]", "", found["whole"])
    decimals = (found["decimals"] or "").rstrip("0")
    minor = Money.parse(f"{whole}.{decimals}" if decimals else whole, currency).amount_minor
    return -minor if is_below else minor


@cache
def _day_pattern(date_format: str) -> re.Pattern[str]:
    read, end = [], 0
    for found in _PARTS.finditer(date_format):
        read += [re.escape(date_format[end : found.start()]), _PATTERNS[found.group()]]
        end = found.end()
    return re.compile("".join(read) + re.escape(date_format[end:]) + _TIME)


@cache
def _amount_pattern(decimal_mark: str, thousands_mark: str) -> re.Pattern[str]:
    mark = f"[{re.escape(_THOUSANDS.get(thousands_mark, thousands_mark))}]" if thousands_mark else ""
    grouped = f"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|" if mark else ""
    return re.compile(f"(?P<whole>{grouped}[0-9]+)(?:{re.escape(decimal_mark)}(?P<decimals>[0-9]+))?")
