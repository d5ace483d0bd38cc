"""Two demos, each run once for all that is asked about it: a calm one, and one whose gateway fails in every way."""

from collections.abc import AsyncIterator

import pytest

from sandbox.demo.demo import Demo, DemoOptions, running_demo
from sandbox.demo.display import DemoDisplay

# Eight customers for each of the eleven kinds of problem.
CALM = DemoOptions(accounts=88, seed=3, as_json=True)
STORMY = DemoOptions(accounts=48, seed=4, faults=0.2, as_json=True)


@pytest.fixture(scope="session")
async def calm_demo() -> AsyncIterator[Demo]:
    """A demo without faults, over, its stack still running."""
    async with running_demo(CALM, DemoDisplay(as_json=True)) as demo:
        yield demo


@pytest.fixture(scope="session")
async def stormy_demo() -> AsyncIterator[Demo]:
    """A demo in which one call of the gateway in five went wrong, over, its stack still running."""
    async with running_demo(STORMY, DemoDisplay(as_json=True)) as demo:
        yield demo
