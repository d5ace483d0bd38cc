"""Two demos, each run once for all that is asked about it: one without faults, one with all of them."""

from collections.abc import AsyncIterator

import pytest

from sandbox.demo.demo import Demo, DemoOptions, running_demo
from sandbox.demo.display import DemoDisplay

# Eight customers for each of the eleven kinds of problem.
FAULTLESS = DemoOptions(accounts=88, seed=3, as_json=True)
FAULTY = DemoOptions(accounts=48, seed=4, faults=0.2, as_json=True)


@pytest.fixture(scope="session")
async def faultless_demo() -> AsyncIterator[Demo]:
    """A demo without faults, over, its stack still running."""
    async with running_demo(FAULTLESS, DemoDisplay(as_json=True)) as demo:
        yield demo


@pytest.fixture(scope="session")
async def faulty_demo() -> AsyncIterator[Demo]:
    """A demo in which one call of the gateway in five went wrong, over, its stack still running."""
    async with running_demo(FAULTY, DemoDisplay(as_json=True)) as demo:
        yield demo
