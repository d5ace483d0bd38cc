"""The series that number what is posted (F28): their kind, and how their numbers are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.ledger.transaction import Classification

# The law of many countries wants these without gaps.
GAP_FREE_BY_DEFAULT = frozenset(
    {Classification.INVOICE, Classification.CREDIT_NOTE, Classification.INVOICE_CANCELLATION}
)


@dataclass(frozen=True)
class NumberSeries:
    """A prefix, and whether its numbers begin anew each year: `INV-0000000007`, `INV2026-0000000007`."""

    prefix: str
    is_per_year: bool = False

    def numbers_in(self, text: str) -> Iterator[str]:
        """Yield the numbers that a person meant: `invoice inv 7` or `Inv-0007` is `INV-0000000007`."""
        yield from map(self._as_given, self._written.finditer(text))

    def number_of(self, text: str) -> str:
        """Return the number that a text is, however it is written; empty if it is none."""
        found = self._written.fullmatch(text)
        return self._as_given(found) if found else ""

    @property
    def _written(self) -> re.Pattern[str]:
        year = r"(?P<year>[0-9]{4})[-/\s]" if self.is_per_year else r"(?P<year>)[-\s]?"
        return re.compile(rf"{self.prefix}{year}0*(?P<count>[0-9]{{1,10}})", re.IGNORECASE)

    def _as_given(self, found: re.Match[str]) -> str:
        return f"{self.prefix}{found['year']}-{int(found['count']):010d}"


INVOICES = NumberSeries("INV")
