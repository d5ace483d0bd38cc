"""Sending an update to a workflow: it is done, or refused with the workflow's own reason."""

from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from commands.runner import unreachable
from models.collections.collection import CommandError, OperatorCommand
from models.problem import RefusedError, refusal

# An update is done when a worker has carried it out, which takes less than a second unless the gateway is asked.
ANSWER_WITHIN = timedelta(seconds=60)

Answer = TypeVar("Answer")


async def ask(
    client: Client, workflow_id: str, update: str, command: Any, answer: type[Answer], *, noun: str
) -> Answer:
    """Ask a workflow for something and return its answer. Raises RefusedError, naming the field and the rule."""
    try:
        answered: Answer = await client.get_workflow_handle(workflow_id).execute_update(
            update, command, result_type=answer, rpc_timeout=ANSWER_WITHIN
        )
    except WorkflowUpdateFailedError as error:
        raise refusal_of(error, noun) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        problem = "no worker answered yet; the command is carried out when one does"
        raise unreachable("worker", "worker_answers", problem) from error
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise refusal(noun, f"{noun}_under_way", f"{workflow_id} is not under way: see {noun}s show") from error
    return answered


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
