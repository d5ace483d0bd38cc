"""Typed tables of SQLAlchemy, for reading and for comparison with the migrations."""

from models.tables import accounts, ledger, reference, transactions
from models.tables.base import metadata

__all__ = ["accounts", "ledger", "metadata", "reference", "transactions"]
