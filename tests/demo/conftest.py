"""Demos, each run once for all that is asked about it: two without faults, one with all of them."""

from collections.abc import AsyncIterator

import pytest

from sandbox.demo.demo import Demo, DemoOptions, running_demo
from sandbox.demo.display import DemoDisplay

# One customer for each of the eleven kinds of problem, and one without for each.
FAULTLESS = DemoOptions(accounts=22, seed=3, one_in=2, as_json=True)
# As it is shown: eight customers for each of the eleven kinds of problem.
LARGER = DemoOptions(accounts=88, seed=3, as_json=True)
FAULTY = DemoOptions(accounts=48, seed=4, faults=0.2, as_json=True)


@pytest.fixture(scope="session")
async def faultless_demo() -> AsyncIterator[Demo]:
    """A demo without faults, over, its stack still running."""
    async with running_demo(FAULTLESS, DemoDisplay(as_json=True)) as demo:
        yield demo


@pytest.fixture(scope="session")
async def larger_demo() -> AsyncIterator[Demo]:
    """A demo without faults of the usual share of problems, over, its stack still running."""
    async with running_demo(LARGER, DemoDisplay(as_json=True)) as demo:
        yield demo


@pytest.fixture(scope="session")
async def faulty_demo() -> AsyncIterator[Demo]:
    """A demo in which one call of the gateway in five went wrong, over, its stack still running."""
    async with running_demo(FAULTY, DemoDisplay(as_json=True)) as demo:
        yield demo
