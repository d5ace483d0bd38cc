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
from models.tables.console import lists
from models.tables.fraud import charges
from models.tables.merchants import payments
from models.tables.reports import books, gateways, schedules, snapshots

__all__ = [
    "accounts",
    "books",
    "charges",
    "collecting",
    "configuration",
    "gateways",
    "ledger",
    "lists",
    "messages",
    "metadata",
    "movements",
    "operations",
    "payments",
    "reconciliation",
    "reference",
    "returns",
    "schedules",
    "snapshots",
    "subscriptions",
    "transactions",
    "views",
]
