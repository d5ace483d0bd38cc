"""A company on a server whose clock jumps, one of whose activities fails."""

from collections.abc import AsyncIterator

import pytest

from tests.supervision.failing_activities import FailingActivities, Failure
from tests.supervision.scenario import Company, CompanyWith


@pytest.fixture
def failing() -> FailingActivities:
    """Activities of which one is refused once."""
    return FailingActivities(Failure.REFUSED)


@pytest.fixture
async def company(company_with: CompanyWith, failing: FailingActivities) -> AsyncIterator[Company]:
    """A company on a server whose clock jumps, one of whose activities fails."""
    async with company_with(failing) as company:
        yield company
