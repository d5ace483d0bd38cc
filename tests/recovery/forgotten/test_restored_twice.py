"""A backup that is recovered, worked with, and restored once more: nothing that left the house means two things."""

from temporalio.client import Client

from activities.database import Database
from activities.recovery.temporal_memory import TemporalMemory
from models.recovery.beat import Beat
from sandbox.servers.postgres import PostgresServer
from tests.recovery.conftest import Backup, Books, Watching
from tests.recovery.steps import owner_of, recovered
from tests.support.builders import Merchant

NUMBER = "select number from duly.transaction_numbers where transaction_id = :id"


async def brought_back(books: Books, watching: Watching, server: PostgresServer, memory: TemporalMemory) -> int:
    """Recover a restored database, as `recover` leads through it; return its epoch."""
    await watching(books.database).compare()
    await recovered(books, owner_of(books, server))
    view = await books.database.call("recovery_view", provider_id="stripe")
    await memory.remember_beat(Beat(view["installation"], view["epoch"], 0))
    return int(view["epoch"])


async def test_numbers_and_ids_of_both_times_differ(
    merchant: Merchant, watching: Watching, backup: Backup, database: Database, postgres_server: PostgresServer,
    temporal_server: Client,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=1000)
    bring_back = await backup()
    await watching(database).compare()
    memory = TemporalMemory(temporal_server)
    epochs, ids, numbers = [], [], []

    for _ in range(3):
        books = await bring_back()
        epochs.append(await brought_back(books, watching, postgres_server, memory))
        ids.append(await books.merchant.invoice(account, 500))
        numbers.append(await books.merchant.value(NUMBER, id=ids[-1]))
        assert list(await books.merchant.run("select * from duly.invariant_violations")) == []

    assert epochs == [2, 3, 4]
    assert numbers == ["INV-0001000001", "INV-0002000001", "INV-0003000001"]
    assert len(set(ids)) == len(ids)
