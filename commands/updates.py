"""Asking a workflow by an update: it is done, or refused with the workflow's own reason."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from commands.options import ANSWER_SECONDS
from commands.waiting.answers import answer_of
from commands.waiting.targets import NO_SUCH_UPDATE, refused_target
from models.operator_command import CommandError, OperatorCommand
from models.problem import RefusedError, refusal

Answer = TypeVar("Answer")

# The server's words, which come with no type, and how long a workflow has to go on as new before it is asked again.
TASK_THROWN_AWAY = "unexpected workflow task failure"
ASKED_AGAIN_SECONDS = 0.1

# An update without an argument, which is another than one whose argument is None.
NOTHING_GIVEN = object()


async def ask(
    client: Client, workflow_id: str, update: str, command: Any, answer: type[Answer], *, noun: str
) -> Answer:
    """Ask a workflow for something and return its answer. Raises RefusedError, naming the field and the rule."""
    handle = client.get_workflow_handle(workflow_id)

    async def execute() -> Answer:
        given = () if command is NOTHING_GIVEN else (command,)
        answered: Answer = await handle.execute_update(update, args=given, result_type=answer)
        return answered

    asked = until_accepted(execute)
    try:
        return await answer_of(client, workflow_id, asked, wait_seconds=ANSWER_SECONDS)
    except WorkflowUpdateFailedError as error:
        if NO_SUCH_UPDATE in str(error.cause):
            raise await refused_target(client, workflow_id, noun) from error
        raise refusal_of(error, noun) from error
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise await refused_target(client, workflow_id, noun) from error


async def until_accepted(asked: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again while the server throws the workflow's task away, as when it goes on as new: nothing was accepted."""
    while True:
        try:
            return await asked()
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION or TASK_THROWN_AWAY not in error.message:
                raise
        await asyncio.sleep(ASKED_AGAIN_SECONDS)


async def start_and_ask(
    client: Client,
    operation: Callable[[], WithStartWorkflowOperation[Any, Any]],
    update: str,
    answer: type[Answer],
    *,
    workflow_id: str,
    noun: str,
    wait_seconds: float = ANSWER_SECONDS,
    given: Any = NOTHING_GIVEN,
) -> Answer:
    """Start a workflow, or find it, and return what it answers. Raises RefusedError, naming the field and the rule.

    `operation` makes the start anew for each try: one that was used is refused by the SDK. Raises
    WorkflowAlreadyStartedError where the start says so.
    """

    async def execute() -> Answer:
        answered: Answer = await client.execute_update_with_start_workflow(
            update, **arguments, start_workflow_operation=operation(), result_type=answer
        )
        return answered

    arguments: dict[str, Any] = {} if given is NOTHING_GIVEN else {"arg": given}
    try:
        return await answer_of(client, workflow_id, until_accepted(execute), wait_seconds=wait_seconds)
    except WorkflowUpdateFailedError as error:
        raise refusal_of(error, noun) from error


def require_who_and_why(actor: str, reason: str) -> None:
    """Raise RefusedError unless a person says who asks, and why."""
    try:
        OperatorCommand(actor, reason).check()
    except CommandError as error:
        field, _, message = str(error).partition(": ")
        raise refusal(field, "command_says_who_and_why", message) from error


def refusal_of(error: WorkflowUpdateFailedError, noun: str) -> RefusedError:
    """Put a workflow's refusal into our form. Its message opens with the field that is wrong."""
    cause: BaseException = error
    while not isinstance(cause, ApplicationError) and cause.__cause__ is not None:
        cause = cause.__cause__
    text = cause.message if isinstance(cause, ApplicationError) else str(cause)
    rule = cause.type if isinstance(cause, ApplicationError) else None
    named = f"{noun}_accepts_command" if rule in {None, "CommandError"} else str(rule)
    field, found, message = text.partition(": ")
    return refusal(field, named, message) if found else refusal(noun, named, text)
