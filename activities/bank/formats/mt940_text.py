"""What banks write into MT940 that the standard does not know, rewritten as it does; lines stay where they are."""

import calendar
import re
from collections.abc import Iterator

# A line or balance up to its amount, with its day; a line may have the day of its entry too.
_LINE = re.compile(r"(?mi)^(:61:)(\d{6})(\d{4}|\s{4})?([RE]?[DC][A-Z]?[\n ]?)([\d.,]+)")
_BALANCE = re.compile(r"(?mi)^(:6[0245][FM]?:[DC])(\d{6})([A-Z]{3})([\d.,]+)")
# `1.234,50`, `1,234.50` and `52.58` can be read in one way alone; three digits behind the only mark may be thousands.
_DIVIDED = re.compile(
    r"(?P<whole>\d{1,3}(?:\.\d{3})+),(?P<decimals>\d*)|(?P<thousands>\d{1,3}(?:,\d{3})+)\.(?P<cents>\d*)"
)
_POINT = re.compile(r"(\d+)\.(\d{0,2})")
_START = re.compile(r"(?m)^:61:")
_CLOSING = re.compile(r"(?m)^:62[FM]?:")
# What stands below the balances is about the statement.
_INFORMATION = re.compile(r"(?m)(^:6[245][FM]?:[^\n]*\n(?:(?!:\d\d[A-Z]?:)[^\n]*\n)*):86:(?:(?!^:\d\d[A-Z]?:)[\s\S])*")


def plain(block: str) -> str:
    """Return a statement with days of the calendar, a comma before decimals, and no words behind its balance.

    German banks reckon with 30 days in February. What stands below the closing balance is about the statement; the
    library would take it for words of the last line.
    """
    block = _INFORMATION.sub(r"\1", block)
    block = _LINE.sub(lambda one: f"{one[1]}{_day(one[2])}{_entry(one[2], one[3])}{one[4]}{_amount(one[5])}", block)
    return _BALANCE.sub(lambda one: f"{one[1]}{_day(one[2])}{one[3]}{_amount(one[4])}", block)


def one_by_one(block: str) -> Iterator[str]:
    """Yield each line of a statement as a statement of its own: one that cannot be read costs no other."""
    starts = [found.start() for found in _START.finditer(block)]
    if not starts:
        return
    for start, end in zip(starts, [*starts[1:], len(block)], strict=True):
        closing = _CLOSING.search(block, start, end)
        yield block[: starts[0]] + block[start : closing.start() if closing is not None else end]


def without_lines(block: str) -> str:
    """Return a statement with its head and its balances alone."""
    start, closing = _START.search(block), _CLOSING.search(block)
    head = block if start is None else block[: start.start()]
    return head if closing is None or start is None else head + block[closing.start() :]


def _day(written: str) -> str:
    year, month, day = int(written[:2]) + 2000, int(written[2:4]), int(written[4:])
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return written
    return f"{written[:4]}{min(day, calendar.monthrange(year, month)[1]):02d}"


def _entry(value_on: str, written: str | None) -> str:
    if written is None or not written.strip():
        return written or ""
    return _day(value_on[:2] + written)[2:]


def _amount(written: str) -> str:
    if (divided := _DIVIDED.fullmatch(written)) is not None:
        whole = divided["whole"] or divided["thousands"]
        return f"{re.sub('[.,]', '', whole)},{divided['decimals'] or divided['cents'] or ''}"
    found = _POINT.fullmatch(written)
    return f"{found[1]},{found[2]}" if found else written
