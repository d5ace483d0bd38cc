"""What a worker does around its activities."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.interceptors import Heartbeats


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
