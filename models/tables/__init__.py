"""Typed tables of SQLAlchemy, for reading and for comparison with the migrations."""

from models.tables import (
    accounts,
    collecting,
    configuration,
    ledger,
    messages,
    movements,
    operations,
    reconciliation,
    reference,
    returns,
    subscriptions,
    transactions,
    views,
)
from models.tables.base import metadata

__all__ = [
    "accounts",
    "collecting",
    "configuration",
    "ledger",
    "messages",
    "metadata",
    "movements",
    "operations",
    "reconciliation",
    "reference",
    "returns",
    "subscriptions",
    "transactions",
    "views",
]
