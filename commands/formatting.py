"""How values look to people."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from models.gateway.amounts import books_text

# The time zone of whoever reads; none for the command line, which shows UTC.
_zone: ContextVar[ZoneInfo | None] = ContextVar("zone", default=None)


@contextmanager
def shown_in(zone: ZoneInfo) -> Iterator[None]:
    """Show moments in a time zone meanwhile."""
    token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(token)


def shown_zone() -> ZoneInfo:
    """Return the time zone in which moments are shown, and in which days of lists begin."""
    return _zone.get() or ZoneInfo("UTC")


def local(at: datetime, pattern: str) -> str:
    """Return a moment in the time zone in which moments are shown, by a pattern of strftime with its zone behind."""
    return at.astimezone(shown_zone()).strftime(f"{pattern} %Z")


def money(amount_minor: int, currency: str) -> str:
    """Return an amount in major units with its currency, such as 12.34 EUR, or as the gateway has it (from_books)."""
    return books_text(amount_minor, currency)


def amount(amount_minor: int, currency: str) -> str:
    """Return an amount in major units where a column or a line says the currency already."""
    return money(amount_minor, currency).removesuffix(f" {currency}")


def moment(at: datetime | None) -> str:
    """Return a moment to the minute: in UTC, with a Z, or in the time zone of whoever reads, with its letters."""
    if at is None:
        return ""
    is_utc = shown_zone().key == "UTC"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z" if is_utc else local(at, "%Y-%m-%d %H:%M")


def document(row: Row[Any]) -> Mapping[str, Any]:
    """Return a row as a JSON object."""
    return dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it


def expiry(row: Row[Any]) -> str:
    """Return the month to which a card is valid, or nothing as long as no gateway has named it."""
    return f"{row.exp_year}-{row.exp_month:02d}" if row.exp_year else ""
