"""Typed tables of SQLAlchemy, for reading and for comparison with the migrations."""

from models.tables import accounts, collecting, configuration, ledger, messages, reference, returns, transactions, views
from models.tables.base import metadata

__all__ = [
    "accounts",
    "collecting",
    "configuration",
    "ledger",
    "messages",
    "metadata",
    "movements",
    "reference",
    "returns",
    "transactions",
    "views",
]
