"""A company whose workers may die in any activity, on a server whose clock jumps."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from settings import Settings
from tests.fixtures.refunds import RefundClient
from tests.supervision.crashes.crashing_activities import CrashingActivities
from tests.supervision.scenario import Company
from tests.support.builders import Merchant
from tests.support.gateways import HeldGateway
from tests.support.run_control import duly_at


@pytest.fixture
def crashing() -> CrashingActivities:
    """Activities of which one may crash."""
    return CrashingActivities()


@pytest.fixture
async def crashing_company(
    time_skipping: WorkflowEnvironment,
    crashing: CrashingActivities,
    database: Database,
    held: HeldGateway,
    settings: Settings,
    merchant: Merchant,
    period: str,
) -> AsyncIterator[Company]:
    """A company at work."""
    config = time_skipping.client.config()
    config["interceptors"] = [*config["interceptors"], crashing]
    time_skipping._client = Client(**config)
    async with duly_at(time_skipping, database, held, settings) as duly:
        refunds = RefundClient(duly, merchant, database, held, merchant.engine, merchant.sandbox)
        yield Company(duly, merchant, database, held, merchant.sandbox, refunds, period)
        held.let_go()
