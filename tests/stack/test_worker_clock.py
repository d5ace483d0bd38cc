"""A worker whose own clock is wrong says so when it starts."""

import sys

import pytest

from sandbox.servers.processes import Child, Command
from sandbox.stack import running_stack
from sandbox.workers import ROOT
from tests.stack.test_waiting_for_the_gateway import says
from tests.support.wrong_clocks import HOUR, wrong_clock


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "where"), [(HOUR, "behind"), pytest.param(-HOUR, "ahead of", marks=pytest.mark.nightly)]
)
async def test_a_worker_an_hour_off_names_both_others_as_wrong(
    everything_given: dict[str, str], seconds: int, where: str
) -> None:
    with wrong_clock() as clock:
        clock.set(seconds)
        async with running_stack() as stack:
            environment = {**stack.environment, **clock.environment()}
            argv = (sys.executable, str(ROOT / "worker.py"), "--role=gateway")
            child = Child(Command("Worker", argv, stack.folder.log("worker-clock"), ROOT, environment))
            try:
                printed = await says(child, "clocks_differ")
            finally:
                await child.stop()

    assert printed["verdict"] == "too_far_apart"
    assert f" s {where} that of this machine" in printed["reason"]
