"""What the database holds, table by table, and what its log was told."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection, sql

from activities.database import Database
from bench.ledger.client import plain

_SIZES = """
    select c.relname as name, pg_table_size(c.oid) as table_bytes, pg_indexes_size(c.oid) as index_bytes,
        greatest(c.reltuples, 0)::bigint as estimated_rows
    from pg_class c where c.relnamespace = 'duly'::regnamespace and c.relkind in ('r', 'p')"""
_LOGGED = "select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint"


@dataclass(frozen=True)
class StoredBytes:
    """Bytes of a table and of its indexes."""

    table: int
    indexes: int


@dataclass(frozen=True)
class StorageReading:
    """The size of every table, and how many bytes were written to the log since the server was made."""

    tables: Mapping[str, StoredBytes]
    logged_bytes: int


@dataclass(frozen=True)
class TableGrowth:
    """What one more of something adds to a table and its indexes, in bytes; and its size when all was done."""

    name: str
    row_bytes: float
    index_bytes: float
    size_bytes: int

    @property
    def all_bytes(self) -> float:
        """The table and its indexes."""
        return self.row_bytes + self.index_bytes


@dataclass(frozen=True)
class VacuumedTable:
    """How long a vacuum of one table took, in seconds, and how many bytes it and its indexes had."""

    name: str
    table_bytes: int
    index_bytes: int
    seconds: float


async def vacuum_largest(owner_url: str, tables: Mapping[str, StoredBytes], count: int) -> tuple[VacuumedTable, ...]:
    """Vacuum the largest tables, one after the other, as the server does it by itself in the background."""
    largest = sorted(tables, key=lambda name: tables[name].table + tables[name].indexes, reverse=True)[:count]
    found = []
    async with await AsyncConnection.connect(plain(owner_url), autocommit=True) as connection:
        for name in largest:
            began = time.monotonic()
            await connection.execute(sql.SQL("vacuum (analyze, freeze) {}").format(sql.Identifier("duly", name)))
            seconds = round(time.monotonic() - began, 2)
            found.append(VacuumedTable(name, tables[name].table, tables[name].indexes, seconds))
    return tuple(found)


async def read_storage(database: Database) -> StorageReading:
    """Read all sizes as they are now."""
    rows = await database.rows(_SIZES)
    [[logged]] = await database.rows(_LOGGED)
    return StorageReading({row.name: StoredBytes(row.table_bytes, row.index_bytes) for row in rows}, int(logged))


def growth(before: StorageReading, after: StorageReading, units: int) -> tuple[TableGrowth, ...]:
    """Return what each of so many units has added to each table, the most first; what did not grow is left out."""
    found = []
    for name, now in after.tables.items():
        was = before.tables.get(name, StoredBytes(0, 0))
        table, indexes = now.table - was.table, now.indexes - was.indexes
        if table + indexes >= units:
            size = now.table + now.indexes
            found.append(TableGrowth(name, round(table / units, 1), round(indexes / units, 1), size))
    return tuple(sorted(found, key=lambda each: each.all_bytes, reverse=True))
