"""What lists are asked for, and what they come to."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_ABBREVIATIONS = {"atv", "bic", "cltv", "csv", "iban", "ip", "mrr", "pdf", "url", "vat", "xlsx"}


@dataclass(frozen=True)
class ListPage:
    """A page of a list: so many rows behind one of them, of days in a time zone, the first and the last included.

    What all pages come to is counted too, unless nobody waits for that (`is_totalled`).
    """

    after: str = ""
    limit: int = 50
    since: date | None = None
    until: date | None = None
    is_totalled: bool = True
    zone: tzinfo = UTC

    @property
    def starts_at(self) -> datetime | None:
        """The first moment of the days."""
        return _midnight(self.since, self.zone) if self.since else None

    @property
    def ends_at(self) -> datetime | None:
        """The first moment after the days."""
        return _midnight(self.until + timedelta(days=1), self.zone) if self.until else None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def heading_of(name: str) -> str:
    """Return a field's name as the head of a column: `mrr_lost_minor` is "MRR lost"."""
    first, *others = name.removesuffix("_minor").split("_")
    return " ".join((_upper(first) or first.capitalize(), *(_upper(other) or other for other in others)))


def _upper(word: str) -> str:
    return word.upper() if word in _ABBREVIATIONS else ""
