"""What a worker does around its activities."""

import asyncio
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.testing import ActivityEnvironment
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    WorkerConfig,
)

from activities.build import build_id, hash_of
from activities.interceptors import ANSWERS_A_BATCH, BatchClock, Heartbeats
from workflows.plugin import DULY_PLUGIN


class Call(ActivityInboundInterceptor):
    """A call to the gateway that reports how far it is, and is over when so many heartbeats have been seen."""

    def __init__(self, *, reports: tuple[str, ...] = (), beats: int = 1) -> None:
        self.reports, self.beats = reports, beats
        self.seen: list[tuple[str, ...]] = []
        self.answered = asyncio.Event()

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self.outbound = outbound

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        for page in self.reports:
            self.outbound.heartbeat(page)
        await self.answered.wait()
        return "answered"


class Server(ActivityOutboundInterceptor):
    """Whoever gets the heartbeats of a call."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def heartbeat(self, *details: str) -> None:
        self.call.seen.append(details)
        if len(self.call.seen) == self.call.beats:
            self.call.answered.set()


async def watched(call: Call, *, silence: timedelta | None, reached: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Make a call under a heartbeat time-out, and return its heartbeats; the try before had reached something."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_timeout=silence, heartbeat_details=reached)
    wrapped = Heartbeats().intercept_activity(call)

    async def made() -> Any:
        wrapped.init(Server(call))
        return await wrapped.execute_activity(ExecuteActivityInput(call.execute_activity, (), None, {}))

    assert await environment.run(made) == "answered"
    return call.seen


async def test_a_call_that_takes_long_gives_signs_of_life() -> None:
    assert await watched(Call(), silence=timedelta(milliseconds=3)) == [()]


async def test_a_sign_of_life_repeats_how_far_the_call_is() -> None:
    call = Call(reports=("page 7", "page 8"), beats=4)

    assert await watched(call, silence=timedelta(milliseconds=3)) == [("page 7",), *[("page 8",)] * 3]


async def test_until_a_retry_reports_itself_its_signs_of_life_say_how_far_the_try_before_was() -> None:
    assert await watched(Call(), silence=timedelta(milliseconds=3), reached=("page 6",)) == [("page 6",)]


async def test_a_call_that_is_answered_at_once_costs_none() -> None:
    call = Call()
    call.answered.set()

    assert await watched(call, silence=timedelta(seconds=15)) == []


async def test_a_call_that_nobody_waits_for_signs_of_gives_none() -> None:
    call = Call()
    call.answered.set()

    assert await watched(call, silence=None) == []


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
