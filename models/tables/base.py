"""What every table shares: one schema, and how enums and arrays are stored."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ARRAY, ColumnElement, DateTime, Enum, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.orm import DeclarativeBase

from models.ledger.account import AccountKind
from models.ledger.transaction import Classification, LifeCycleState, Origin, Side

SCHEMA = "duly"

metadata = MetaData(schema=SCHEMA)


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


def stored_as_text(kind: type[StrEnum]) -> Enum:
    """Return the type of a column that holds an enum's values as text, under a CHECK of the migration."""
    return Enum(kind, native_enum=False, create_constraint=False, length=None, values_callable=_values)


def stored_as_enum(kind: type[StrEnum], name: str) -> ENUM:
    """Return the type of a column that holds a PostgreSQL enum made by the migration."""
    return ENUM(kind, name=name, schema=SCHEMA, create_type=False, values_callable=_values)


class Base(DeclarativeBase):
    """The base of all rows. Tables are read through these classes; money is written by the database's functions."""

    metadata = metadata
    type_annotation_map: dict[Any, Any] = {
        str: Text,
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text),
        Classification: stored_as_enum(Classification, "classification"),
        LifeCycleState: stored_as_enum(LifeCycleState, "transaction_state"),
        Side: stored_as_enum(Side, "side"),
        Origin: stored_as_enum(Origin, "origin"),
        AccountKind: stored_as_text(AccountKind),
    }


def whole_row(table: type[Base]) -> ColumnElement[Any]:
    """Return a table's row as one value, for a function of the database that takes a row."""
    return cast("Table", table.__table__).table_valued()
