"""Waiting, when a process starts, for what it cannot work without."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

log = structlog.get_logger(__name__)

# What is not ready is asked again after so many seconds, and the last of them from then on.
PAUSES = (1, 2, 5, 15, 30, 60)


async def is_ready(event: str, missing: Callable[[], Awaitable[str]], stop: asyncio.Event, *, advice: str = "") -> bool:
    """Ask what is missing until nothing is, logging the event each time; False when the process is to end before."""
    given = {"advice": advice} if advice else {}
    for tries in itertools.count(1):
        if not (reason := await missing()):
            return True
        pause = PAUSES[min(tries, len(PAUSES)) - 1]
        log.warning(event, reason=reason, tries=tries, next_try_in_seconds=pause, **given)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
        if stop.is_set():
            break
    return False
