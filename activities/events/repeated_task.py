"""One thing that is done again and again for as long as a process lives, whatever goes wrong meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import structlog

log = structlog.get_logger(__name__)

# Pauses after errors in a row, in seconds: whatever is away is asked for at once, then ever more rarely.
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)


@dataclass(frozen=True)
class TaskHealth:
    """How a task is doing: since when it fails, in seconds, how often in a row, and with which error."""

    is_running: bool
    failing_for_seconds: float = 0.0
    failures: int = 0
    error: str = ""


class RepeatedTask:
    """Repeats a step, at the latest after `every_seconds`, at once when woken, and after a growing pause on errors."""

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[object]],
        *,
        every_seconds: float,
        timeout_seconds: float = 600.0,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._name = name
        self._step = step
        self._every_seconds = every_seconds
        self._timeout_seconds = timeout_seconds
        self._pauses = pauses
        self._wanted = asyncio.Event()
        self._is_running = False
        self._failing_since: float | None = None
        self._failures = 0
        self._error = ""

    def wake(self) -> None:
        """Let the next step come at once, unless the last ones failed."""
        self._wanted.set()

    def health(self) -> TaskHealth:
        """Say how it is doing."""
        failing_for = time.monotonic() - self._failing_since if self._failing_since is not None else 0.0
        return TaskHealth(self._is_running, failing_for, self._failures, self._error)

    async def run(self) -> NoReturn:
        """Repeat the step until this is cancelled: no error ends it."""
        self._is_running = True
        try:
            while True:
                self._wanted.clear()
                await self._attempt()
                await self._pause()
        finally:
            self._is_running = False

    async def _attempt(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._step()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # A library cancelled its own work: nobody asked us to stop.
            self._failed("CancelledError")
        except Exception as error:
            self._failed(type(error).__name__)
            # Where it comes from is worth a page the first time, and a word from then on.
            shown = error if self._failures == 1 else None
            log.warning("task_failed", task=self._name, error=self._error, failures=self._failures, exc_info=shown)
        else:
            if self._failures:
                log.info("task_recovered", task=self._name, failures=self._failures)
            self._failing_since, self._failures, self._error = None, 0, ""

    def _failed(self, error: str) -> None:
        self._failing_since = self._failing_since if self._failing_since is not None else time.monotonic()
        self._failures += 1
        self._error = error

    async def _pause(self) -> None:
        if self._failures:
            await asyncio.sleep(self._pauses[min(self._failures, len(self._pauses)) - 1])
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._every_seconds):
                await self._wanted.wait()
