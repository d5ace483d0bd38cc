"""Steering a run: the command goes to its workflow, which does it or says why not."""

from dataclasses import asdict
from datetime import timedelta

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from commands.formatting import money
from commands.links import workflow_link
from commands.output import Output, table
from commands.runner import unreachable
from commands.session import read_settings, temporal_of
from models.collections.collection import OperatorCommand
from models.problem import RefusedError, refusal
from models.runs.run_control import RunStatus

# An update is done when the shards have been told, which takes a worker and less than a second.
ANSWER_WITHIN = timedelta(seconds=30)


async def steer(output: Output, run_id: str, update: str, command: OperatorCommand) -> None:
    """Ask a run for something and show where it stands then. Raises RefusedError with the run's own reason."""
    settings = read_settings()
    status = await _ask(await temporal_of(settings), run_id, update, command)
    link = workflow_link(settings, run_id)
    output.answer(
        {"run_id": run_id, **asdict(status), "link": link},
        table("", "Run", run_id, rows=_facts(status, link)),
        table("Decisions", "What was decided", rows=[(decision,) for decision in status.decisions]),
    )


async def _ask(client: Client, run_id: str, update: str, command: OperatorCommand) -> RunStatus:
    try:
        status: RunStatus = await client.get_workflow_handle(run_id).execute_update(
            update, command, result_type=RunStatus, rpc_timeout=ANSWER_WITHIN
        )
    except WorkflowUpdateFailedError as error:
        raise _refusal(error) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        problem = "no worker answered yet; the command is carried out when one does"
        raise unreachable("worker", "worker_answers", problem) from error
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise refusal("run", "run_under_way", f"{run_id} is not under way: see runs show {run_id}") from error
    return status


def _refusal(error: WorkflowUpdateFailedError) -> RefusedError:
    """Put a run's refusal into our form. Its message opens with the field that is wrong."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = cause.message if isinstance(cause, ApplicationError) else str(cause)
    field, found, message = text.partition(": ")
    rule = "run_can_be_steered" if not isinstance(cause, ApplicationError) else cause.type or "run_can_be_steered"
    rule = "run_can_be_steered" if rule == "CommandError" else rule
    return refusal(field, rule, message) if found else refusal("run", rule, text)


def _facts(status: RunStatus, link: str) -> list[tuple[str, object]]:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in status.totals.items())
    charged = ", ".join(
        f"{money(status.charged.get(currency, 0), currency)} of {money(due, currency)}"
        for currency, due in status.due.items()
    )
    facts = [
        ("Stage", status.stage),
        ("Waits for", status.waits_for),
        ("Members", f"{status.done} of {status.members - status.skipped} done, {status.skipped} skipped"),
        ("Outcomes", outcomes),
        ("Charged", charged),
        ("Pace", f"{status.payments_per_minute} a minute"),
        ("Queue's rate", f"{status.calls_per_second} calls a second" if status.calls_per_second else ""),
        ("Temporal UI", link),
    ]
    return [(name, value) for name, value in facts if value]
