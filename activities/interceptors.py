"""What a worker does around every activity: completions in batches, and heartbeats while one runs."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.common import Priority
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class BatchedCompletions(Interceptor):
    """Holds the answers to calls of one priority until the next tick of a clock that all of them share.

    A shard that takes in ten answers at once is woken once for them, not ten times (decision 0017). What was answered
    is committed by then: after a worker's death the call is repeated and returns what is stored. A failure is not held,
    for Temporal's retry has its own pause.
    """

    def __init__(self, priority: Priority, *, every_seconds: float) -> None:
        self._priority = priority
        self._every_seconds = every_seconds

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap a worker's activities."""
        return _Held(next, self._priority, self._every_seconds)


class _Held(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, priority: Priority, every_seconds: float) -> None:  # noqa: A002
        super().__init__(next)
        self._priority = priority
        self._every_seconds = every_seconds

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        answer = await super().execute_activity(input)
        if activity.info().priority.priority_key == self._priority.priority_key:
            await asyncio.sleep(self._every_seconds - asyncio.get_running_loop().time() % self._every_seconds)
        return answer


class Heartbeats(Interceptor):
    """Heartbeats for activities that have a heartbeat time-out, three to a time-out.

    The first goes out after a third of it, when nearly every call is over: a call that is answered in time costs no
    heartbeat, and one whose worker died is repeated after the time-out.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap a worker's activities."""
        return _Alive(next)


class _Alive(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        beating = asyncio.create_task(_beat(timeout / 3))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


async def _beat(pause: timedelta) -> None:
    while True:
        await asyncio.sleep(pause.total_seconds())
        activity.heartbeat()
