"""A merchant that is switched on, and somebody who owns it."""

from collections.abc import AsyncIterator

import pytest

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from tests.merchants.onboarding import Owner, owner_at, participating
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly


@pytest.fixture
async def owner(database: Database, standing_duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Owner]:
    """The owner of a merchant, with a browser."""
    async with owner_at(database, standing_duly, gateway) as somebody:
        yield somebody


@pytest.fixture
async def bakery(merchant: Merchant, period: str) -> str:
    """A merchant that is switched on; no other test has its id."""
    return await participating(merchant, f"bakery-{period}")
