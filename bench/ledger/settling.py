"""Bulk FIFO over very many documents, and the statement of a long account."""

import random
import time
from dataclasses import dataclass
from statistics import median

import orjson
import psycopg

from activities.database import Database, create_engine
from activities.ledger.statement_queries import StatementQueries
from bench.ledger.client import watched_memory
from bench.ledger.scratch import Scratch, invoice, open_accounts, post

LONG_ACCOUNT = "acc_long"
STATEMENTS = 20
EACH_SIDE = 10
_TAKE_BACK = (
    "insert into duly.deallocations (allocation_id) select id from duly.current_allocations where account_id = any (%s)"
)
_DOCUMENTS = "select duly.write_documents('credit_note', %s, false)"


@dataclass(frozen=True)
class BulkFifo:
    """So many credits were allocated to as many invoices in one commit, and what that took of the server's memory."""

    credits: int
    invoices: int
    allocations: int
    seconds: float
    grew_mib: float


@dataclass(frozen=True)
class LongStatement:
    """Reading the statement of an account with so many transactions: the median, in milliseconds."""

    transactions: int
    milliseconds: float


def measure_bulk_fifo(scratch: Scratch, *, documents: int) -> BulkFifo:
    """Settle accounts that have ten open credits and ten open invoices each, all of them at once."""
    accounts = [f"bulk_{n}" for n in range(1, documents // EACH_SIDE + 1)]
    with scratch.owner() as owner, scratch.runtime() as connection:
        _leave_open(owner, connection, accounts)
        with watched_memory(connection.info.backend_pid) as held:
            began = time.perf_counter()
            made = connection.execute("select duly.allocate_accounts(%s)", [accounts]).fetchone()
            seconds = time.perf_counter() - began
        assert made is not None
        return BulkFifo(
            credits=len(accounts) * EACH_SIDE,
            invoices=len(accounts) * EACH_SIDE,
            allocations=int(made[0]),
            seconds=round(seconds, 2),
            grew_mib=round(max(held) - held[0], 1),
        )


async def measure_statement(scratch: Scratch, *, transactions: int) -> LongStatement:
    """Read the statement of a long account, again and again."""
    with scratch.runtime() as connection:
        connection.execute("select duly.open_account(%s, 'EUR', 'Ada Lovelace')", [LONG_ACCOUNT])
        post(connection, [invoice(f"long/{n}", LONG_ACCOUNT, 100) for n in range(transactions)])
    database = Database(create_engine(scratch.runtime_url, pool=1), timeout_seconds=60)
    took = []
    for _ in range(STATEMENTS):
        began = time.perf_counter()
        rows = await StatementQueries(database).statement(LONG_ACCOUNT, None, None)
        took.append((time.perf_counter() - began) * 1000)
        assert len(rows) == transactions
    await database.dispose()
    return LongStatement(transactions, round(median(took), 1))


def _leave_open(owner: psycopg.Connection, connection: psycopg.Connection, accounts: list[str]) -> None:
    """Post as many credits as invoices, and take back what the ledger settled by itself."""
    rng = random.Random(3)
    open_accounts(connection, "bulk_", len(accounts))
    for kind in ("credit", "invoice"):
        elements = [
            invoice(f"bulk/{kind}/{account}/{n}", account, rng.randint(1, 1_000))
            for account in accounts
            for n in range(EACH_SIDE)
        ]
        if kind == "invoice":
            post(connection, elements)
            continue
        for start in range(0, len(elements), 1_000):
            owner.execute(_DOCUMENTS, [orjson.dumps(elements[start : start + 1_000]).decode()])
    owner.execute(_TAKE_BACK, [accounts])
    owner.execute("vacuum analyze duly.open_items")
