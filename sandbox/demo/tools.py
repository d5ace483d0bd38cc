"""Connections to every service of a demo's stack, and what is done through them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import stripe
from temporalio.client import Client

from activities.database import Database, create_engine
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.customers.gateway_customers import GatewayCustomers, stripe_client
from sandbox.demo.report import Auditor
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack
from sandbox.stripe.control.client import SandboxControl

GATEWAY_TIMEOUT_SECONDS = 2.0
# Longer than the client waits and its first repeat takes: a slow answer comes when it has already been asked for again.
SLOW_SECONDS = GATEWAY_TIMEOUT_SECONDS + 4.0


@dataclass(frozen=True)
class Tools:
    """Connections to every service of the stack."""

    client: Client
    database: Database
    control: SandboxControl
    gateway: stripe.StripeClient
    customers: GatewayCustomers
    auditor: Auditor
    folder: Path

    def calls(self) -> int:
        """Count the calls that the gateway has had so far."""
        return sum(self.control.request_counts().values())

    @contextlib.asynccontextmanager
    async def faults(self, share: float, seed: int) -> AsyncIterator[None]:
        """Let calls go wrong meanwhile; afterwards wait until the slowest of them has had its effect."""
        if not share:
            yield
            return
        self.control.mixed_faults(share, seed=seed, delay_seconds=SLOW_SECONDS)
        try:
            yield
        finally:
            self.control.clear_faults()
        await asyncio.sleep(SLOW_SECONDS)


@contextlib.asynccontextmanager
async def running_tools(stack: Stack) -> AsyncIterator[Tools]:
    """Connect to the services of a stack."""
    settings = stack.settings
    async with contextlib.AsyncExitStack() as running:
        control = running.enter_context(SandboxControl(stack.control))
        client = await running.enter_async_context(stripe_client(stack))
        gateway = StripeGateway(
            settings.stripe_api_key.get_secret_value(), api_base=settings.stripe_api_base, timeout_seconds=20
        )
        running.push_async_callback(gateway.close)
        database = Database(create_engine(settings.database_url, pool=2), timeout_seconds=60)
        running.push_async_callback(database.dispose)
        yield Tools(
            client=await client_of(settings),
            database=database,
            control=control,
            gateway=client,
            customers=GatewayCustomers(client, control),
            auditor=Auditor(database, gateway, client, control),
            folder=stack.folder.path / "customers",
        )
