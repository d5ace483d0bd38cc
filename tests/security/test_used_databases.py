"""A database that serves several tests one after the other is, for each, as it was copied."""

import json
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from sandbox.servers.postgres import PostgresServer
from tests.fixtures.database import Databases
from tests.fixtures.used_databases import TemplateRows
from tests.ledger.books import Books, line

INVOICE = {"key": "1", "account_id": "acc_1", "currency": "EUR", "posted_on": "2026-05-20", "lines": [line(500)]}

WRITTEN = """
    select relname from pg_stat_all_tables where schemaname = 'duly' and n_tup_ins + n_tup_upd + n_tup_del > 0
"""


async def rows_of(server: PostgresServer, name: str) -> TemplateRows:
    """Everything in a database but its own name."""
    async with await server.superuser_session(name) as connection:
        read = await TemplateRows.read(connection)
    return replace(read, rows={table: rows for table, rows in read.rows.items() if table != "installation"})


async def oid_of(server: PostgresServer, name: str) -> int:
    """Which database has a name."""
    async with await server.superuser_session(name) as connection:
        found = await connection.execute("select oid from pg_database where datname = current_database()")
        return int((await found.fetchone() or (0,))[0])


async def test_what_a_test_has_written_is_gone_for_the_next_one(
    postgres_server: PostgresServer, databases: Databases
) -> None:
    found, served = [], []
    for _ in range(4):
        async with databases.one() as name:
            found.append(await rows_of(postgres_server, name))
            served.append(await oid_of(postgres_server, name))
            with closing(Books(postgres_server.owner_url(name))) as books:
                books.run("insert into duly.products (id, name, ledger_account) values ('gold', 'Au', 'revenue:gold')")
                books.run("update duly.payment_methods set name = 'Another'")
                books.run("select duly.open_account('acc_1', 'EUR', 'Ada Lovelace')")
                books.run("select count(*) from duly.post_invoices(%s)", json.dumps([INVOICE]))
            assert await rows_of(postgres_server, name) != found[0]

    assert [rows == found[0] for rows in found] == [True] * 4
    # A database that the server vacuums, or whose connection it has not ended yet, serves no other: a copy is made.
    assert len(set(served)) < len(served)


async def test_a_number_that_a_test_has_taken_alone_is_given_to_the_next_one(
    postgres_server: PostgresServer, databases: Databases
) -> None:
    taken = []
    for _ in range(3):
        async with databases.one() as name:
            with closing(Books(postgres_server.owner_url(name))) as books:
                [sequence] = books.run("select min(sequencename) from pg_sequences where schemaname = 'duly'")[0]
                taken.append(books.value("select nextval(format('duly.%%I', %s::text))", sequence))

    assert len(set(taken)) == 1


async def test_whoever_belongs_to_an_earlier_test_and_comes_late_finds_no_database(
    postgres_server: PostgresServer, databases: Databases
) -> None:
    async with databases.one() as first:
        late = postgres_server.runtime_url(first)

    async with databases.one() as second:
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            Books(late)
        assert second != first


async def test_a_database_is_asked_for_the_tables_of_its_last_test_alone(
    postgres_server: PostgresServer, databases: Databases
) -> None:
    """What taking rows away writes itself is not counted: else each test would pay for all before it."""
    async with databases.one() as first:
        with closing(Books(postgres_server.owner_url(first))) as books:
            books.run("insert into duly.products (id, name, ledger_account) values ('gold', 'Gold', 'revenue:gold')")

    async with databases.one() as second, await postgres_server.superuser_session(second) as connection:
        written = await (await connection.execute(WRITTEN)).fetchall()

    assert "products" not in {table for (table,) in written}


@pytest.mark.parametrize(
    "change",
    [
        "alter table duly.accounts disable trigger user",
        "grant execute on function duly.post_invoices to duly_app",
        "alter database {} set synchronous_commit = off",
        "alter database {} connection limit 9",
        "revoke connect on database {} from public",
        "analyze duly.products",
        "create unlogged table duly.another ()",
        "comment on table duly.accounts is 'changed'",
        "select lo_create(0)",
        "create publication everything",
        "create type duly.another as enum ('one')",
        "alter sequence duly.{sequence} increment 2",
        "insert into duly.tax_rates (id, name, percent) select 't' || n, 'T', 19 from generate_series(1, 20000) n",
    ],
)
async def test_a_database_that_a_test_has_changed_otherwise_serves_no_other(
    postgres_server: PostgresServer, databases: Databases, change: str
) -> None:
    async with databases.one() as first:
        served = await oid_of(postgres_server, first)
        with closing(Books(postgres_server.owner_url(first))) as books:
            books.run("insert into duly.products (id, name, ledger_account) values ('gold', 'Gold', 'revenue:gold')")
            [sequence] = books.run("select min(sequencename) from pg_sequences where schemaname = 'duly'")[0]
            books.run(change.format(first, sequence=sequence))

    async with databases.one() as second:
        assert await oid_of(postgres_server, second) != served


async def test_a_table_without_rows_that_was_analyzed_serves_no_other(
    postgres_server: PostgresServer, databases: Databases
) -> None:
    """Nothing is written to the statistics then, and the planner takes it for empty all the same."""
    async with databases.one() as first:
        served = await oid_of(postgres_server, first)
        with closing(Books(postgres_server.owner_url(first))) as books:
            books.run("analyze duly.disputes")

    async with databases.one() as second:
        assert await oid_of(postgres_server, second) != served
