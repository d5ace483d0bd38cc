"""A company on a server whose clock jumps, one of whose activities fails."""

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from settings import Settings
from tests.fixtures.refunds import RefundClient
from tests.supervision.failing_activities import FailingActivities, Failure
from tests.supervision.scenario import Company
from tests.support.builders import Merchant
from tests.support.gateways import HeldGateway
from tests.support.run_control import duly_at


@pytest.fixture
def failing() -> FailingActivities:
    """Activities of which one is refused once."""
    return FailingActivities(Failure.REFUSED)


@pytest.fixture
async def company(
    time_skipping: WorkflowEnvironment,
    failing: FailingActivities,
    database: Database,
    held: HeldGateway,
    settings: Settings,
    merchant: Merchant,
    period: str,
) -> AsyncIterator[Company]:
    """A company on a server whose clock jumps, one of whose activities fails."""
    config = time_skipping.client.config()
    config["interceptors"] = [*config["interceptors"], failing]
    time_skipping._client = type(time_skipping.client)(**config)
    async with duly_at(time_skipping, database, held, settings) as duly:
        refunds = RefundClient(duly, merchant, database, held, merchant.engine, merchant.sandbox)
        yield Company(duly, merchant, database, held, merchant.sandbox, refunds, period)
        held.let_go()
