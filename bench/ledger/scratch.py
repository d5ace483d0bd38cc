"""A ledger on a server of its own, set up as a server of this size would be, for measurements that fill it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import psutil
import psycopg

from bench.ledger.client import plain
from bench.ledger.pgledger import load_pgledger, path_of_pgledger, revision_of
from sandbox.servers.migrate import migrate
from sandbox.servers.postgres import DATABASE, Passwords, running_postgres
from sandbox.servers.postgres_home import temporary_home

# A quarter of the memory, as PostgreSQL's manual advises, and room for the log; fsync and its like stay on.
SETTINGS = {
    "shared_buffers": f"{psutil.virtual_memory().total // 4 // 2**20}MB",
    "max_wal_size": "8GB",
    "wal_buffers": "64MB",
    "checkpoint_timeout": "15min",
}
PGLEDGER, SMALL = "pgledger", "small"
# Taxed: a transfer to revenue, and one to the tax office.
TAX_PERCENT, TRANSFERS_OF_INVOICE = 19, 2
SMALL_TRANSFERS = 10_000
_OPEN = "select duly.open_account(%s || n, 'EUR', 'Ada Lovelace') from generate_series(1, %s) n"
POST_INVOICES = "select count(*) from duly.post_invoices(%s)"


@dataclass(frozen=True)
class Scratch:
    """A ledger with two kinds of accounts, and a copy of it that stays small.

    acc_1 to acc_N are invoiced; quiet_1 to quiet_N never are, so that a payment on them settles nothing.
    `pgledger_revision` is empty when nobody named a clone of pgledger.
    """

    runtime_url: str
    owner_url: str
    pgledger_url: str
    pgledger_revision: str
    accounts: int
    small_urls: tuple[str, str]

    @property
    def small(self) -> "Scratch":
        """The copy that was made in the beginning."""
        runtime_url, owner_url = self.small_urls
        return replace(self, runtime_url=runtime_url, owner_url=owner_url)

    def owner(self) -> psycopg.Connection:
        """Connect as the owner of the tables."""
        return psycopg.connect(plain(self.owner_url), autocommit=True)

    def runtime(self) -> psycopg.Connection:
        """Connect as workers do."""
        return psycopg.connect(plain(self.runtime_url), autocommit=True)


@contextlib.asynccontextmanager
async def scratch_ledger(folder: Path, accounts: int) -> AsyncIterator[Scratch]:
    """Run a server on a disk, migrate it, and open so many accounts; also in pgledger, where there is a clone of it."""
    log, passwords = folder / "postgres.log", Passwords.random()
    with temporary_home() as home:
        async with running_postgres(passwords, home=home, log=log, settings=SETTINGS) as server:
            await migrate(server.owner_url())
            await server.create_database(PGLEDGER)
            repository = path_of_pgledger()
            scratch = Scratch(
                server.runtime_url(),
                server.owner_url(),
                server.owner_url(PGLEDGER),
                revision_of(repository) if repository else "",
                accounts,
                (server.runtime_url(SMALL), server.owner_url(SMALL)),
            )
            _fill(scratch)
            async with server.administration() as administration:
                await administration.create_database(SMALL, template=DATABASE)
            with psycopg.connect(plain(scratch.pgledger_url), autocommit=True) as pgledger:
                pgledger.execute(
                    "create table bare (id bigint generated always as identity primary key, amount bigint)"
                )
                if repository:
                    load_pgledger(repository, pgledger, accounts)
            yield scratch


def _fill(scratch: Scratch) -> None:
    with scratch.owner() as owner:
        owner.execute("insert into duly.products (id, name, ledger_account) values ('gold', 'Gold', 'revenue:gold')")
        # Workers reach these through a billing run alone.
        owner.execute("grant execute on function duly.post_invoices, duly.allocate_accounts to duly_app")
    with scratch.runtime() as connection:
        open_accounts(connection, "acc_", scratch.accounts)
        open_accounts(connection, "quiet_", scratch.accounts)
        for number in range(SMALL_TRANSFERS // TRANSFERS_OF_INVOICE // 1_000):
            connection.execute(POST_INVOICES, [batch("first", number, 1_000, scratch.accounts, TAX_PERCENT)])


def open_accounts(connection: psycopg.Connection, prefix: str, count: int) -> None:
    """Open so many accounts, numbered from 1 behind a prefix."""
    connection.execute(_OPEN, [prefix, count])


def invoice(key: str, account: str, net_minor: int, tax_percent: int = 0) -> dict[str, Any]:
    """Return an invoice of one line, as `post_invoices` takes it."""
    tax = (net_minor * tax_percent + 50) // 100
    line = {
        "product_id": "gold",
        "quantity": 1,
        "unit_price_minor": net_minor,
        "net_minor": net_minor,
        "tax_rate": tax_percent,
        "tax_minor": tax,
        "total_minor": net_minor + tax,
    }
    return {"key": key, "account_id": account, "currency": "EUR", "lines": [line]}


def batch(name: str, number: int, size: int, accounts: int, tax_percent: int = 0) -> str:
    """Return a batch of invoices, each on an account of its own, as JSON."""
    first = number * size
    elements = [
        invoice(f"{name}/{first + n}", f"acc_{(first + n) % accounts + 1}", 10_000, tax_percent) for n in range(size)
    ]
    return orjson.dumps(elements).decode()


def post(connection: psycopg.Connection, elements: list[dict[str, Any]], size: int = 1_000) -> None:
    """Post invoices in batches."""
    for start in range(0, len(elements), size):
        connection.execute(POST_INVOICES, [orjson.dumps(elements[start : start + size]).decode()])
