"""Typed tables of SQLAlchemy, for reading and for comparison with the migrations."""

from models.tables.base import metadata

__all__ = ["metadata"]
