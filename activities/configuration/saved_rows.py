"""Rows of the configuration: written only where something is new or different, and said which of them it was."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.tables.base import Base


class PartChange(StrEnum):
    """What a document does with a part of the configuration. What is retired is updated: it is only out of use."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


async def save(
    connection: AsyncConnection, row: type[Base], key: Mapping[str, Any], given: Mapping[str, Any]
) -> PartChange:
    """Make the row of a key say what is given, and leave its other columns as they are.

    Whoever calls it holds the lock of the configuration: nobody else writes the row in between.
    """
    this = [getattr(row, column) == value for column, value in key.items()]
    columns = [getattr(row, column) for column in {**key, **given}]
    stored = (await connection.execute(select(*columns).where(*this))).first()
    if stored is None:
        await connection.execute(insert(row).values(**key, **given))
        return PartChange.CREATED
    if all(getattr(stored, column) == value for column, value in given.items()):
        return PartChange.UNCHANGED
    await connection.execute(update(row).where(*this).values(**given))
    return PartChange.UPDATED


async def upsert(connection: AsyncConnection, statement: str, values: Mapping[str, Any]) -> PartChange:
    """Run an upsert that returns a row only when it wrote, saying whether the row is new."""
    row = (await connection.execute(text(statement), values)).first()
    if row is None:
        return PartChange.UNCHANGED
    return PartChange.CREATED if row.is_new else PartChange.UPDATED


def together(changes: list[PartChange]) -> PartChange:
    """Return what happened to a whole, of whose parts the first is the one that it stands by."""
    if changes[0] is PartChange.CREATED or set(changes) == {PartChange.UNCHANGED}:
        return changes[0]
    return PartChange.UPDATED
