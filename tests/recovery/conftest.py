"""A database that is restored from a backup while the gateway goes on."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import stripe
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client

from activities.collections.collect import CollectActivities
from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database, create_engine
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.temporal_memory import TemporalMemory
from activities.recovery.watch import RestoreWatch
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import Merchant
from tests.support.invariants import complaints
from tests.upgrades.postgres_tools import dump, restore

Watching = Callable[[Database], RestoreWatch]


@dataclass(frozen=True)
class Books:
    """A database as it stood at a backup, and what works on it from now on."""

    url: str
    merchant: Merchant
    database: Database
    collecting: CollectActivities
    pages: PaymentPageActivities
    gateway: StripeGateway

    async def wrong(self) -> list[str]:
        """What the gateway's books, the ledger and its laws say against us."""
        return await complaints(self.merchant.sandbox, self.database, self.gateway)

    async def unequal(self) -> list[tuple[str, int, int]]:
        """Accounts that were charged other than what they were invoiced; account, invoiced, charged."""
        groups = self.merchant.sandbox.movements(group_by=("duly_account",)).groups
        charged = {book.metadata["duly_account"]: book.charges.amount_minor for book in groups}
        rows = await self.merchant.run(
            "select account_id, sum(total_minor)::bigint as invoiced from duly.financial_transactions"
            " where classification = 'invoice' and state = 'posted' group by 1 order by 1"
        )
        return [
            (row.account_id, row.invoiced, charged.get(row.account_id, 0))
            for row in rows
            if row.invoiced != charged.get(row.account_id, 0)
        ]


@pytest.fixture
def watching(gateway: StripeGateway, temporal_server: Client) -> Watching:
    """The watch of a process that has just started."""
    return lambda database: RestoreWatch(database, "stripe", gateway, TemporalMemory(temporal_server))


# Takes a backup at once; what it returns restores it.
Backup = Callable[[], Awaitable[Callable[[], Awaitable[Books]]]]


@pytest.fixture
async def backup(
    postgres_server: PostgresServer, database_name: str, tmp_path: Path, gateway: StripeGateway,
    stripe_client: stripe.StripeClient, stripe_sandbox: SandboxControl,
) -> AsyncIterator[Backup]:  # fmt: skip
    """Dump the test's database; the dump can be restored into a database of its own."""
    numbers = itertools.count(1)

    async with AsyncExitStack() as stack:

        async def take() -> Callable[[], Awaitable[Books]]:
            file = tmp_path / f"backup-{next(numbers)}.sql"
            await dump(postgres_server, file, database_name)

            async def bring_back() -> Books:
                name = f"{database_name}_restored_{next(numbers)}"
                await postgres_server.create_database(name)
                stack.push_async_callback(postgres_server.drop_database, name)
                await restore(postgres_server, file, name)
                url = postgres_server.runtime_url(name)
                database = Database(create_engine(url, pool=8), timeout_seconds=5)
                stack.push_async_callback(database.dispose)
                engine = create_async_engine(postgres_server.owner_url(name))
                stack.push_async_callback(engine.dispose)
                merchant = Merchant(engine, stripe_client, stripe_sandbox, itertools.count(100))
                collecting = CollectActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1))
                pages = PaymentPageActivities(database, gateway, Clocks(database, gateway), "https://duly.example/paid")
                return Books(url, merchant, database, collecting, pages, gateway)

            return bring_back

        yield take
