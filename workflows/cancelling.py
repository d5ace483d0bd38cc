"""What a person's Cancel comes to for a workflow that looks after money: the work goes on, and the workflow answers.

A cancelled coroutine would leave a call at the gateway without anybody who takes its answer. So the work runs in a task
that the cancellation does not reach, and the workflow is asked what a Cancel means for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar, runtime_checkable

from temporalio import workflow

Result = TypeVar("Result")

# Why a person is asked: somebody wanted an end that would leave money unattended. It ends with the next step.
CANCEL_REFUSED = "cancel_refused"


@runtime_checkable
class AnswersCancel(Protocol):
    """A workflow that decides what a Cancel means. Whoever has no such method is cancelled as Temporal does it."""

    async def cancel_asked(self, reason: str) -> str:
        """Do what a Cancel means here, and say in one sentence what that is: it is shown in the UI."""
        ...


async def run_to_its_end(run: Coroutine[Any, Any, Result], take_note: Callable[[str], Awaitable[None]]) -> Result:
    """Run a workflow past a Cancel, which is noted once; Temporal delivers no second one.

    An eviction from the worker's cache cancels as well, every task by itself and without a reason: it is let through.
    """
    work = asyncio.create_task(run, name="work")
    noting: asyncio.Task[None] | None = None
    try:
        while True:
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                reason = workflow.cancellation_reason()
                if reason is None or noting is not None or work.done():
                    raise
                _forget_cancellation()
                noting = asyncio.create_task(_noted(take_note, reason), name="cancel")
    finally:
        if noting is not None:
            await noting


async def _noted(take_note: Callable[[str], Awaitable[None]], reason: str) -> None:
    await take_note(reason)


def _forget_cancellation() -> None:
    if (task := asyncio.current_task()) is not None:
        task.uncancel()
