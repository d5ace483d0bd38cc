"""A company on the development server, which has all the buttons, with a gateway whose calls can be held."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, Interceptor
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.fixtures.refunds import RefundClient
from tests.supervision.scenario import Company, CompanyWith
from tests.support.builders import Merchant
from tests.support.gateways import HeldGateway
from tests.support.run_control import duly_at


@pytest.fixture
async def held(stripe_sandbox: SandboxControl) -> AsyncIterator[HeldGateway]:
    """A gateway that lets everybody through until a test holds its calls."""
    gateway = HeldGateway(stripe_sandbox)
    yield gateway
    gateway.let_go()
    await gateway.close()


@pytest.fixture
async def company(
    temporal_server: Client,
    database: Database,
    held: HeldGateway,
    settings: Settings,
    merchant: Merchant,
    stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine,
    period: str,
) -> AsyncIterator[Company]:
    """A company at work."""
    async with duly_at(WorkflowEnvironment.from_client(temporal_server), database, held, settings) as duly:
        refunds = RefundClient(duly, merchant, database, held, owner_engine, stripe_sandbox)
        yield Company(duly, merchant, database, held, stripe_sandbox, refunds, period)
        held.let_go()


@pytest.fixture
def company_with(
    time_skipping: WorkflowEnvironment,
    database: Database,
    held: HeldGateway,
    settings: Settings,
    merchant: Merchant,
    period: str,
) -> CompanyWith:
    """A company on a server whose clock jumps, all of whose calls go through an interceptor."""

    @asynccontextmanager
    async def at_work(interceptor: Interceptor) -> AsyncIterator[Company]:
        config = time_skipping.client.config()
        config["interceptors"] = [*config["interceptors"], interceptor]
        time_skipping._client = Client(**config)
        async with duly_at(time_skipping, database, held, settings) as duly:
            refunds = RefundClient(duly, merchant, database, held, merchant.engine, merchant.sandbox)
            yield Company(duly, merchant, database, held, merchant.sandbox, refunds, period)

    return at_work
