"""What a worker does around its activities."""

import asyncio
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, WorkerConfig

from activities.build import build_id, hash_of
from activities.interceptors import ANSWERS_A_BATCH, BatchClock, Heartbeats
from workflows.plugin import DULY_PLUGIN


class Call(ActivityInboundInterceptor):
    """A call to the gateway, over when `answered` is set."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        await self.answered.wait()
        return "answered"


async def watched(call: Call, *, silence: timedelta | None) -> tuple[Any, int]:
    """Make a call under a heartbeat time-out that is answered after the first sign of life, if one is waited for."""
    beats: list[Any] = []

    def beat(*details: Any) -> None:
        beats.append(details)
        call.answered.set()

    environment = ActivityEnvironment()
    environment.on_heartbeat = beat
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=silence)
    wrapped = Heartbeats().intercept_activity(call)
    answer = await environment.run(wrapped.execute_activity, ExecuteActivityInput(call.execute_activity, (), None, {}))
    return answer, len(beats)


async def test_a_call_that_takes_long_gives_signs_of_life() -> None:
    assert await watched(Call(), silence=timedelta(milliseconds=3)) == ("answered", 1)


async def test_a_call_that_is_answered_at_once_costs_none() -> None:
    call = Call()
    call.answered.set()

    assert await watched(call, silence=timedelta(seconds=15)) == ("answered", 0)


async def test_a_call_that_nobody_waits_for_signs_of_gives_none() -> None:
    call = Call()
    call.answered.set()

    assert await watched(call, silence=None) == ("answered", 0)


def test_answers_are_held_for_as_long_as_the_gateway_takes_for_twenty_of_them() -> None:
    assert BatchClock(calls_per_second=20).wait(now=100.25) == 0.75


def test_answers_that_come_by_the_dozen_are_held_longer_than_a_cap_far_away_would_have_it() -> None:
    clock = BatchClock(calls_per_second=10_000)

    waits = [clock.wait(now=100 + number / 100) for number in range(ANSWERS_A_BATCH)]

    assert max(waits[:-1]) <= 0.002
    assert 0 < waits[-1] <= 0.2
    assert waits[-1] > 0.002


def test_a_few_answers_at_a_high_rate_are_hardly_held() -> None:
    clock = BatchClock(calls_per_second=10_000)

    assert max(clock.wait(now=float(second)) for second in range(3 * ANSWERS_A_BATCH)) <= 0.002


def test_the_build_of_a_worker_is_named_by_its_code_wherever_that_lies(tmp_path: Path) -> None:
    for folder in ("here", "there", "changed"):
        (tmp_path / folder / "models").mkdir(parents=True)
        (tmp_path / folder / "models" / "money.py").write_text(f"# {folder == 'changed'}\n", encoding="utf-8")

    here, there, changed = (hash_of(tmp_path / folder) for folder in ("here", "there", "changed"))

    assert here == there != changed


async def test_temporal_notes_that_name_with_what_a_worker_has_done() -> None:
    nobody = await Client.connect("127.0.0.1:1", lazy=True)

    configured = DULY_PLUGIN.configure_worker(WorkerConfig(client=nobody, task_queue="any"))

    assert configured.get("build_id") == build_id()
