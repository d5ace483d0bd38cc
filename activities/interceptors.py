"""What a worker does around every activity: completions in batches, and heartbeats while one runs."""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.common import Priority
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

# A run's answers are held until about so many are there: a second at twenty payments a second.
ANSWERS_A_BATCH = 20
# While so many come within a second they are held for this long at least, whatever the gateway would allow: what a
# machine can do is far less than a cap that is never reached.
BATCH_SECONDS = 0.2


class BatchClock:
    """How long the batches of answers last: as the gateway's rate says, and longer while answers come by the dozen."""

    def __init__(self, calls_per_second: float) -> None:
        self._every_seconds = ANSWERS_A_BATCH / calls_per_second
        self._answered: deque[float] = deque(maxlen=ANSWERS_A_BATCH)

    def wait(self, now: float) -> float:
        """Take note of an answer, and return the seconds until its batch is over. `now` is a clock that nobody sets."""
        self._answered.append(now)
        every = self._every_seconds
        if len(self._answered) == ANSWERS_A_BATCH and now - self._answered[0] < 1:
            every = max(every, BATCH_SECONDS)
        return every - now % every


class BatchedCompletions(Interceptor):
    """Holds the answers to calls of one priority until the next tick of a clock that all of them share.

    A shard that takes in ten answers at once is woken once for them, not ten times (decision 0017). What was answered
    is committed by then: after a worker's death the call is repeated and returns what is stored. A failure is not held,
    for Temporal's retry has its own pause.
    """

    def __init__(self, priority: Priority, calls_per_second: float) -> None:
        self._priority = priority
        self._clock = BatchClock(calls_per_second)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap a worker's activities."""
        return _Held(next, self._priority, self._clock)


class _Held(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, priority: Priority, clock: BatchClock) -> None:  # noqa: A002
        super().__init__(next)
        self._priority = priority
        self._clock = clock

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        answer = await super().execute_activity(input)
        if activity.info().priority.priority_key == self._priority.priority_key:
            await asyncio.sleep(self._clock.wait(asyncio.get_running_loop().time()))
        return answer


class Heartbeats(Interceptor):
    """Heartbeats for activities that have a heartbeat time-out, three to a time-out.

    The first goes out after a third of it, when nearly every call is over: a call that is answered in time costs no
    heartbeat, and one whose worker died is repeated after the time-out. What an activity has reported itself is
    reported again, so that a retry goes on from there.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap a worker's activities."""
        return _Alive(next)


class _Alive(ActivityInboundInterceptor):
    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._reported = _Reported(outbound)
        super().init(self._reported)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        beating = asyncio.create_task(self._reported.again(timeout / 3))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


class _Reported(ActivityOutboundInterceptor):
    """Keeps the last progress that an activity has reported."""

    def __init__(self, next: ActivityOutboundInterceptor) -> None:  # noqa: A002
        super().__init__(next)
        self._progress: tuple[Any, ...] = tuple(activity.info().heartbeat_details)

    def heartbeat(self, *details: Any) -> None:
        self._progress = details
        super().heartbeat(*details)

    async def again(self, pause: timedelta) -> None:
        """Report it again and again, until cancelled."""
        while True:
            await asyncio.sleep(pause.total_seconds())
            super().heartbeat(*self._progress)
