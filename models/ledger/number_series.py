"""The series that number what is posted (F28): their kind, and how their numbers are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.ledger.transaction import Classification

# The law of many countries wants these without gaps.
GAP_FREE_BY_DEFAULT = frozenset(
    {Classification.INVOICE, Classification.CREDIT_NOTE, Classification.INVOICE_CANCELLATION}
)
# As many digits as a number is written with.
_WIDTH = 10
# A prefix of so many letters is no word that people write before numbers.
_PLAIN = 3
# What may stand between a prefix and its number: keyboards and banks make other signs of a hyphen, and add blanks.
_BETWEEN = r"(?:\s?[-\u00ad\u2010-\u2015\u2212.:#]\s?|\s)"
# Where a bank has cut a text, in the place of a blank.
CUT = "\x1f"
# What a number is part of another's by: `KINV1`, `A-INV-1`, `inv1a`, `INV-1-2026`, `INV-1/05`, `INV-1.2`,
# `INV-1/ 2026`. One in the frame of a creditor reference is read with its check digits or not at all.
_BEFORE = r"(?<![^\W_])(?<![^\W_][-_])(?<!\bRF[0-9]{2}\s)"
_AFTER = r"(?![^\W_]|_|[-/.][0-9]|-[^\W_]|[-/]\s[0-9]|\s[-/][0-9]{4})"


@dataclass(frozen=True)
class NumberSeries:
    """A prefix, and whether its numbers begin anew each year: `INV-0000000007`, `INV2026-0000000007`."""

    prefix: str
    is_per_year: bool = False

    def numbers_in(self, text: str) -> Iterator[str]:
        """Yield the numbers that a person meant: `invoice inv 7` or `Inv-0007` is `INV-0000000007`.

        A number stands alone: what goes on before or behind it is somebody else's. One that is written with its zeros
        and lacks digits, which follow behind blanks or new lines, was cut there and is read whole. One that has not all
        its digits and stands beside a cut may be half of somebody else's, and behind a prefix of one or two letters
        anything: `A 12` is a house.
        """
        for found in self._written.finditer(text):
            count = self._mended(found) or found["count"]
            if len(count) == _WIDTH or (not _is_cut(found) and self._says_enough(found)):
                yield self._as_given(found, count)

    def number_of(self, text: str) -> str:
        """Return the number that a text is, however it is written; empty if it is none."""
        found = self._written.fullmatch(text)
        return self._as_given(found, found["count"]) if found else ""

    @property
    def _written(self) -> re.Pattern[str]:
        year = rf"(?P<year>[0-9]{{4}})(?:{_BETWEEN}|/)" if self.is_per_year else rf"(?P<year>)(?P<between>{_BETWEEN})?"
        number = rf"{re.escape(self.prefix)}{year}(?P<count>[0-9]{{1,{_WIDTH}}})"
        return re.compile(f"{_BEFORE}{number}{_AFTER}", re.IGNORECASE)

    def _says_enough(self, found: re.Match[str]) -> bool:
        """Say whether a number without all its digits is one: behind one letter, or two and a blank, it is a word."""
        if len(self.prefix) >= _PLAIN or self.is_per_year:
            return True
        return len(self.prefix) == _PLAIN - 1 and (found["between"] is None or bool(found["between"].strip()))

    def _mended(self, found: re.Match[str]) -> str:
        """Return the digits of a number that was cut into parts, whole; empty if it was not."""
        digits, end = found["count"], found.end()
        if not digits.startswith("0"):
            return ""
        while len(digits) < _WIDTH:
            part = re.compile(rf"\s([0-9]{{1,{_WIDTH - len(digits)}}}){_AFTER}").match(found.string, end)
            if part is None:
                return ""
            digits, end = digits + part[1], part.end()
        return digits if digits != found["count"] else ""

    def _as_given(self, found: re.Match[str], count: str) -> str:
        return f"{self.prefix}{found['year']}-{int(count):0{_WIDTH}d}"


def _is_cut(found: re.Match[str]) -> bool:
    before, behind = found.string[: found.start()], found.string[found.end() :]
    return before.rstrip("-_./").endswith(CUT) or behind.lstrip("-_./").startswith(CUT)


INVOICES = NumberSeries("INV")
# Of bills there is one series; the database numbers them.
BILLS = NumberSeries("BIL")
# By this what is tried out and taken back is numbered (duly.number_in_series): none of it is kept.
TRIED_OUT = "TRIED"
