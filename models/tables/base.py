"""What every table shares: one schema, names of constraints, and how enums and collections are stored."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, DateTime, Enum, MetaData, Text
from sqlalchemy.orm import DeclarativeBase

SCHEMA = "duly"

metadata = MetaData(schema=SCHEMA)


class Base(DeclarativeBase):
    """The base of all rows. Tables are read through these classes; money is written by the database's functions."""

    metadata = metadata
    type_annotation_map: dict[Any, Any] = {
        str: Text,
        datetime: DateTime(timezone=True),
        tuple[str, ...]: ARRAY(Text, as_tuple=True),
        StrEnum: Enum(
            StrEnum, native_enum=False, length=40, create_constraint=False, values_callable=lambda kind: list(kind)
        ),
    }
