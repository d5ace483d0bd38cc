"""Waiting for a workflow, but not for ever: a worker that is missing is named, and the work goes on without us."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from activities.operations.pollers import POLLED_WITHIN, WORKFLOW_WORK, Work, gateway_work, missing_workers
from commands.failures import unreachable
from commands.output import ExitCode, Failure
from models.problem import Problem
from workflows.visibility import PROVIDER

# How often it is looked whether the workers are there, and how long one may be away, as while it is deployed.
CHECK_SECONDS = 5.0
AWAY_SECONDS = 20.0

Answer = TypeVar("Answer")


async def answer_of(
    client: Client,
    workflow_id: str,
    asked: Coroutine[Any, Any, Answer],
    *,
    wait_seconds: float | None,
    meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> Answer:
    """Return what a workflow answers; without `wait_seconds`, as long as its workers are there.

    Raises Failure (unreachable) when the time is over or a worker has been away for long: what was asked for goes on.
    """
    clock = asyncio.get_running_loop()
    request = asyncio.ensure_future(asked)
    until = None if wait_seconds is None else clock.time() + wait_seconds
    there_at = checked_at = clock.time()
    try:
        while not await _is_done(request, until, within=CHECK_SECONDS if meanwhile is None else 1.0):
            if meanwhile is not None:
                await meanwhile()
            is_over = until is not None and clock.time() >= until
            if not is_over and clock.time() < checked_at + CHECK_SECONDS:
                continue
            works = await _works_of(client, workflow_id)
            missing, checked_at = await missing_workers(client, works), clock.time()
            there_at = there_at if missing else checked_at
            if is_over or checked_at >= there_at + AWAY_SECONDS:
                raise _no_answer(workflow_id, works, missing)
        return await request
    finally:
        request.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await request


async def result_of(
    client: Client,
    handle: WorkflowHandle[Any, Answer],
    *,
    noun: str,
    wait_seconds: float | None,
    meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> Answer:
    """Return what a workflow comes to. Raises Failure when it fails, with its rule, and as `answer_of`."""
    try:
        return await answer_of(client, handle.id, handle.result(), wait_seconds=wait_seconds, meanwhile=meanwhile)
    except WorkflowFailureError as error:
        raise Failure(ExitCode.REFUSED, [_problem_of(error, noun)]) from error


async def _is_done(request: "asyncio.Future[Any]", until: float | None, *, within: float) -> bool:
    left = within if until is None else min(within, until - asyncio.get_running_loop().time())
    done, _ = await asyncio.wait([request], timeout=max(left, 0))
    return bool(done)


async def _works_of(client: Client, workflow_id: str) -> Sequence[Work]:
    """Return whose work a workflow may need: the workflow worker's, and that of its provider, where it says so."""
    try:
        described = await client.get_workflow_handle(workflow_id).describe()
    except RPCError:
        return (WORKFLOW_WORK,)
    provider = described.typed_search_attributes.get(PROVIDER)
    return (WORKFLOW_WORK, gateway_work(provider)) if provider else (WORKFLOW_WORK,)


def _no_answer(workflow_id: str, works: Sequence[Work], missing: Sequence[Work]) -> Failure:
    problems = [
        Problem(
            "worker",
            "worker_answers",
            f"nobody polls {work.queue}: start `worker.py --role {work.role}`, or see in its log why it has ended;"
            f" {workflow_id} goes on when it is there",
        )
        for work in missing
    ]
    if problems:
        return Failure(ExitCode.UNREACHABLE, problems)
    polled = " and ".join(work.queue for work in works)
    lately = f"within the last {POLLED_WITHIN.total_seconds():g} seconds"
    message = f"{workflow_id} has not answered yet; workers polled {polled} {lately}, and it goes on"
    return unreachable("wait_seconds", "answered_in_time", message)


def _problem_of(error: WorkflowFailureError, noun: str) -> Problem:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    message = getattr(cause, "message", None) or str(cause)
    return Problem(noun, str(getattr(cause, "type", None) or f"{noun}_completes"), message)
