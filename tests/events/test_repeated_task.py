"""A task of a process goes on whatever goes wrong, says how it is doing, and ends when it is asked to."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from activities.events.repeated_task import RepeatedTask, TaskHealth

AT_ONCE = (0.0, 0.01)


def repeated(step: Callable[[], Awaitable[object]], *, every: float = 0.0, timeout: float = 5.0) -> RepeatedTask:
    return RepeatedTask("test", step, every_seconds=every, timeout_seconds=timeout, pauses=AT_ONCE)


async def ended(running: "asyncio.Task[None]") -> bool:
    """Ask a task to end; whether it did, by its own cancellation."""
    running.cancel()
    await asyncio.wait([running], timeout=5)
    return running.cancelled()


@pytest.mark.parametrize("error", [ValueError, ConnectionError, RecursionError, asyncio.CancelledError, TimeoutError])
async def test_no_error_of_a_step_ends_the_task(error: type[BaseException]) -> None:
    steps, good = 0, asyncio.Event()

    async def step() -> None:
        nonlocal steps
        steps += 1
        if steps <= 3:
            raise error
        good.set()

    task = repeated(step)
    running = asyncio.create_task(task.run())
    async with asyncio.timeout(30):
        await good.wait()
        while task.health().failures:  # noqa: ASYNC110 - the step ends before it is counted
            await asyncio.sleep(0.001)

    assert task.health() == TaskHealth(is_running=True)
    assert await ended(running)
    assert task.health() == TaskHealth(is_running=False)


async def test_a_task_that_fails_says_since_when_and_why() -> None:
    failed = asyncio.Event()

    async def step() -> None:
        failed.set()
        raise ValueError

    task = repeated(step)
    running = asyncio.create_task(task.run())
    async with asyncio.timeout(30):
        await failed.wait()
        while task.health().failures < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    health = task.health()

    assert (health.is_running, health.error) == (True, "ValueError")
    assert health.failing_for_seconds > 0
    assert await ended(running)


async def test_a_step_that_hangs_is_given_up_and_made_again() -> None:
    steps, twice = 0, asyncio.Event()

    async def step() -> None:
        nonlocal steps
        steps += 1
        if steps == 2:
            twice.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(repeated(step, timeout=0.05).run())
    async with asyncio.timeout(30):
        await twice.wait()

    assert await ended(running)


async def test_a_task_that_is_woken_does_its_step_at_once() -> None:
    done = asyncio.Semaphore(0)

    async def step() -> None:
        done.release()

    task = repeated(step, every=3600)
    running = asyncio.create_task(task.run())
    async with asyncio.timeout(30):
        await done.acquire()
        task.wake()
        await done.acquire()

    assert await ended(running)


async def test_a_cancellation_at_the_very_moment_of_waking_is_not_swallowed() -> None:
    waiting = asyncio.Semaphore(0)

    async def step() -> None:
        waiting.release()

    for _ in range(200):
        task = repeated(step, every=3600)
        running = asyncio.create_task(task.run())
        await waiting.acquire()
        await asyncio.sleep(0)
        task.wake()
        assert await ended(running)
