"""A gateway that is away when its worker starts is waited for; a key that it does not take is not."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.servers.processes import Child, Command, choose_port
from sandbox.servers.stripe_process import StripeAccount, running_stripe
from sandbox.servers.temporal import client_of
from sandbox.stack import Stack, running_stack
from sandbox.workers import ROOT, _polls, _queues
from tests.fixtures.stripe import WEBHOOK_SECRET
from tests.support.builders import API_KEY

TIMEOUT_SECONDS = 60


@pytest.fixture
def away(everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of a gateway that is not there yet."""
    port = choose_port("gateway", 0)
    monkeypatch.setenv("STRIPE_API_BASE", f"http://127.0.0.1:{port}")
    return port


@asynccontextmanager
async def worker(stack: Stack, role: str) -> AsyncIterator[Child]:
    """A worker's process, from its start on."""
    argv = (sys.executable, str(ROOT / "worker.py"), f"--role={role}")
    child = Child(Command("Worker", argv, stack.folder.log("worker-waiting"), ROOT, stack.environment))
    try:
        yield child
    finally:
        await child.stop()


def logged(child: Child) -> list[dict[str, Any]]:
    """What a process has logged, line by line."""
    lines = child.command.log.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


async def says(child: Child, event: str) -> dict[str, Any]:
    """Wait until a process logs an event."""

    async def has_printed() -> bool:
        return any(line["event"] == event for line in logged(child))

    await child.wait_until(has_printed, timeout_seconds=TIMEOUT_SECONDS)
    return next(line for line in logged(child) if line["event"] == event)


async def polls(stack: Stack, child: Child, role: str) -> bool:
    """Whether a process takes work of a role."""
    return await _polls(await client_of(stack.settings), child.pid, _queues(role, stack.settings.provider))


@pytest.mark.slow
async def test_a_gateway_that_comes_later_is_waited_for(away: int, tmp_path: Path) -> None:
    async with running_stack() as stack, worker(stack, "gateway") as waiting:
        result = await says(waiting, "gateway_away")
        polled_before = await polls(stack, waiting, "gateway")

        account = StripeAccount(API_KEY, WEBHOOK_SECRET)
        async with running_stripe(account, folder=tmp_path, log=tmp_path / "stripe.log", port=away):
            await says(waiting, "worker_started")
            await waiting.wait_until(lambda: polls(stack, waiting, "gateway"), timeout_seconds=TIMEOUT_SECONDS)

    assert not polled_before
    assert (result["reason"], result["tries"], result["next_try_in_seconds"]) == ("APIConnectionError", 1, 1)
    assert waiting.exit_code == 0


@pytest.mark.nightly
async def test_workflows_do_not_wait_for_the_gateway(away: int) -> None:
    async with running_stack() as stack, worker(stack, "all") as waiting:
        await says(waiting, "gateway_away")
        await waiting.wait_until(lambda: polls(stack, waiting, "workflow"), timeout_seconds=TIMEOUT_SECONDS)

    assert waiting.exit_code == 0


@pytest.mark.nightly
async def test_a_worker_that_waits_ends_when_it_is_told_to(away: int) -> None:
    async with running_stack() as stack, worker(stack, "gateway") as waiting:
        await says(waiting, "gateway_away")
        async with asyncio.timeout(30):
            await waiting.stop()

    assert waiting.exit_code == 0


@pytest.mark.nightly
async def test_a_key_that_the_gateway_does_not_take_ends_its_worker_and_is_said(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", f"{API_KEY}_wrong")

    async with running_stack() as stack, worker(stack, "gateway") as refused:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while refused.exit_code is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        result = logged(refused)[-1]["event"]

    assert (refused.exit_code, result) == (1, "gateway_refuses_key")
