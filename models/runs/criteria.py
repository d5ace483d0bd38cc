"""Whom a payment run is about, in words: what the database keeps of the criteria of its definition (X16, X26)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.money import Money


@dataclass(frozen=True)
class LeftOut:
    """Accounts that owe and that the criteria leave out, by why and currency; what they owe in minor units."""

    reason: str
    currency: str
    accounts: int
    amount_minor: int


def in_words(criteria: Mapping[str, Any]) -> str:
    """Return criteria as people read them; nothing where there are none."""
    return "; ".join(_parts(criteria))


def _parts(criteria: Mapping[str, Any]) -> Iterator[str]:
    if criteria.get("wallet_top_ups"):
        yield "top-ups of wallets"
    for name, meaning in (
        ("segments", "segment"),
        ("classifications", "classification"),
        ("payment_methods", "pays by"),
    ):
        if values := criteria.get(name):
            yield f"{meaning} {' or '.join(values)}"
    for name, meaning in (("minimum_minor", "or more"), ("maximum_minor", "or less")):
        for code, amount in sorted(criteria.get(name, {}).items()):
            yield f"{Money(amount, code)} {meaning}"
    if (due_by := criteria.get("due_by")) is not None:
        yield f"due by {due_by}"
    elif (days := criteria.get("due_within_days")) is not None:
        yield f"due within {days} days"
