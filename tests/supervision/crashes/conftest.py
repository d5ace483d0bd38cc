"""A company whose workers may die in any activity, on a server whose clock jumps."""

from collections.abc import AsyncIterator

import pytest

from tests.supervision.crashes.crashing_activities import CrashingActivities
from tests.supervision.scenario import Company, CompanyWith
from tests.support.gateways import HeldGateway


@pytest.fixture
def crashing() -> CrashingActivities:
    """Activities of which one may crash."""
    return CrashingActivities()


@pytest.fixture
async def crashing_company(
    company_with: CompanyWith, crashing: CrashingActivities, held: HeldGateway
) -> AsyncIterator[Company]:
    """A company at work."""
    async with company_with(crashing) as company:
        yield company
        held.let_go()
