"""How values look to people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from models.gateway.amounts import books_text


def money(amount_minor: int, currency: str) -> str:
    """Return an amount in major units with its currency, such as 12.34 EUR, or as the gateway has it (from_books)."""
    return books_text(amount_minor, currency)


def amount(amount_minor: int, currency: str) -> str:
    """Return an amount in major units where a column or a line says the currency already."""
    return money(amount_minor, currency).removesuffix(f" {currency}")


def moment(at: datetime | None) -> str:
    """Return a moment in UTC to the minute."""
    return f"{at:%Y-%m-%d %H:%M}Z" if at else ""


def document(row: Row[Any]) -> Mapping[str, Any]:
    """Return a row as a JSON object."""
    return dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it


def expiry(row: Row[Any]) -> str:
    """Return the month to which a card is valid, or nothing as long as no gateway has named it."""
    return f"{row.exp_year}-{row.exp_month:02d}" if row.exp_year else ""
