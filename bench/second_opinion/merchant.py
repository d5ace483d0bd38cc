"""A merchant whose gateway is localstripe: Duly's whole stack, the adapter in place of Stripe's address."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace

import stripe
from temporalio.client import Client

from activities.database import Database, create_engine
from activities.reductions.merchants import Merchants, MerchantsDocument
from bench.merchant import who_pay
from bench.second_opinion.customers import LocalstripeCustomers
from bench.second_opinion.processes import API_KEY, AdapterControl, running_adapter, running_localstripe
from sandbox.customers.catalogue import CURRENCIES
from sandbox.customers.gateway_customers import stripe_client
from sandbox.customers.load import load
from sandbox.customers.merchant import configure
from sandbox.data_folder import temporary_folder
from sandbox.servers.processes import together
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.workers import running_worker

DATABASE_TIMEOUT_SECONDS = 60.0
RATE = 200.0
SHOPS = MerchantsDocument.model_validate(
    {"merchants": [{"id": code.lower(), "name": code, "currency": code, "reduction": {}} for code in CURRENCIES]}
)


@dataclass(frozen=True)
class ForeignMerchant:
    """What is needed to run months and to read both books. `declining` of the accounts have a card that declines."""

    client: Client
    database: Database
    adapter: AdapterControl
    localstripe: str
    accounts: int
    declining: int


@contextlib.asynccontextmanager
async def running_foreign_merchant(accounts: int, *, gateway_timeout_seconds: float) -> AsyncIterator[ForeignMerchant]:
    """Start localstripe, the adapter, the stack and its workers, and open so many accounts with a card each."""
    async with contextlib.AsyncExitStack() as running:
        folder = running.enter_context(temporary_folder())
        localstripe = await running.enter_async_context(running_localstripe(folder.log("localstripe")))
        adapter = await running.enter_async_context(running_adapter(localstripe, folder.log("adapter")))
        with _environment({"STRIPE_API_BASE": adapter.url, "STRIPE_API_KEY": API_KEY}):
            stack = await running.enter_async_context(running_stack(StackOptions(ui=False)))
        database = Database(
            create_engine(stack.settings.database_url, pool=4), timeout_seconds=DATABASE_TIMEOUT_SECONDS
        )
        running.push_async_callback(database.dispose)
        await configure(database)
        await Merchants(database).apply(SHOPS)
        customers = LocalstripeCustomers(await running.enter_async_context(_directly(stack, localstripe)))
        workers = _for_workers(stack, gateway_timeout_seconds)
        await together(
            load(who_pay(accounts), customers, database, stack.folder.path / "customers"),
            *(running.enter_async_context(running_worker(workers, role)) for role in ("workflow", "gateway")),
        )
        yield ForeignMerchant(
            await client_of(stack.settings), database, adapter, localstripe, accounts, customers.declining
        )


def _directly(stack: Stack, localstripe: str) -> contextlib.AbstractAsyncContextManager[stripe.StripeClient]:
    """Open the SDK on localstripe itself, past the adapter."""
    settings = stack.settings.model_copy(update={"stripe_api_base": localstripe})
    return stripe_client(replace(stack, settings=settings))


def _for_workers(stack: Stack, gateway_timeout_seconds: float) -> Stack:
    # Nobody is sent a message here.
    environment = {
        "DULY_GATEWAY_RATE": f"{RATE:g}",
        "DULY_GATEWAY_TIMEOUT_SECONDS": f"{gateway_timeout_seconds:g}",
        "DULY_LOG_LEVEL": "WARNING",
        "DULY_SMTP_URL": "",
    }
    return replace(stack, environment={**stack.environment, **environment})


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Give the stack a gateway of its user's own, as anybody does who has one: by the environment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
