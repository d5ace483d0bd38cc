"""A database that serves several tests one after the other is, for each, as it was copied."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from sandbox.servers.postgres import PostgresServer
from tests.fixtures.database import Databases
from tests.fixtures.used_databases import TemplateRows
from tests.ledger.books import Books, line

INVOICE = {"key": "1", "account_id": "acc_1", "currency": "EUR", "posted_on": "2026-05-20", "lines": [line(500)]}


async def rows_of(server: PostgresServer, name: str) -> TemplateRows:
    """Everything in a database but its own name."""
    async with await server.superuser_session(name) as connection:
        read = await TemplateRows.read(connection)
    return replace(read, rows={table: rows for table, rows in read.rows.items() if table != "installation"})


async def test_what_a_test_has_written_is_gone_for_the_next_one(
    postgres_server: PostgresServer, databases: Databases
) -> None:
    async with databases.one() as first:
        before = await rows_of(postgres_server, first)
        with closing(Books(postgres_server.owner_url(first))) as books:
            books.run("insert into duly.products (id, name, ledger_account) values ('gold', 'Gold', 'revenue:gold')")
            books.run("update duly.payment_methods set name = 'Another'")
            books.run("select duly.open_account('acc_1', 'EUR', 'Ada Lovelace')")
            books.run("select count(*) from duly.post_invoices(%s)", json.dumps([INVOICE]))
        assert await rows_of(postgres_server, first) != before

    async with databases.one() as second:
        assert (second, await rows_of(postgres_server, second)) == (first, before)


@pytest.mark.parametrize(
    "change",
    [
        "alter table duly.accounts disable trigger user",
        "grant execute on function duly.post_invoices to duly_app",
        "alter database {} set synchronous_commit = off",
        "revoke connect on database {} from public",
        "analyze duly.products",
    ],
)
async def test_a_database_that_a_test_has_changed_otherwise_serves_no_other(
    postgres_server: PostgresServer, databases: Databases, change: str
) -> None:
    async with databases.one() as first:
        with closing(Books(postgres_server.owner_url(first))) as books:
            books.run("insert into duly.products (id, name, ledger_account) values ('gold', 'Gold', 'revenue:gold')")
            books.run(change.format(first))

    async with databases.one() as second:
        assert second != first
