"""Starting a run, and following it to its certificate."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.database import Database
from activities.runs.dry_runs import DryRunActivities
from activities.runs.queries import RunQueries
from commands.links import link_line, workflow_link
from commands.output import Output
from commands.runs.run_progress import following
from commands.runs.show import show
from commands.session import database_of, read_settings, temporal_for_orders
from commands.waiting.answers import result_of
from models.problem import refusal
from models.runs.dry_run import DryRunRequest
from models.runs.process_run import RunKind, RunRequest
from models.runs.run_start import CLOSED_RULE, SOMEBODY_RULE
from models.workflow_ids import WORKFLOW_QUEUE, billing_run_id, payment_run_id
from settings import Settings
from workflows.visibility import run_label


async def start(output: Output, kind: RunKind, request: RunRequest, *, wait: bool, wait_seconds: float | None) -> None:
    """Start a run and say where it is, or follow it.

    Raises RefusedError when it may not start, is not due, or is over nobody.
    """
    settings = read_settings()
    async with database_of(settings) as database:
        runs, due_by = RunQueries(database), None if request.not_due_yet else datetime.now(UTC)
        await runs.require_startable(request.definition_id, kind, request.period, due_by=due_by)
        if await runs.run_of(request.definition_id, request.period) is not None:
            # Its members are fixed: who is due beside them is no question of a run that goes on, or is begun again.
            request = replace(request, over_nobody=True)
        await _begin(output, settings, database, kind, request, wait=wait, wait_seconds=wait_seconds)


async def supplement(
    output: Output, kind: RunKind, request: RunRequest, *, wait: bool, wait_seconds: float | None
) -> None:
    """Start a supplement of a closed period; number 0 is the next one.

    Raises RefusedError when the period is not closed, a supplement has that number, or nobody is due.
    """
    settings = read_settings()
    async with database_of(settings) as database:
        following = await RunQueries(database).next_supplement(request.definition_id, kind, request.period)
        request = replace(request, supplement=request.supplement or following)
        if request.supplement != following:
            raise refusal(
                "number", _number_rule(request.supplement, following), _number_problem(kind, request, following)
            )
        await _begin(output, settings, database, kind, request, wait=wait, wait_seconds=wait_seconds)


def _number_rule(number: int, following: int) -> str:
    return "one_run_a_period" if number < following else CLOSED_RULE


def _number_problem(kind: RunKind, request: RunRequest, following: int) -> str:
    run_id = run_id_of(kind, request)
    if request.supplement < following:
        return f"{run_id} has its certificate"
    return f"the next supplement is {following}; {run_id} comes after it"


async def _begin(
    output: Output,
    settings: Settings,
    database: Database,
    kind: RunKind,
    request: RunRequest,
    *,
    wait: bool,
    wait_seconds: float | None,
) -> None:
    await _require_somebody(database, kind, request)
    client = await temporal_for_orders(settings)
    handle = await _start(client, kind, request)
    link = workflow_link(settings, handle.id)
    if wait:
        await follow(client, database, handle, wait_seconds=wait_seconds)
        await show(output, handle.id)
        return
    output.answer({"run_id": handle.id, "link": link}, f"Started {handle.id}", *link_line(link))


def run_id_of(kind: RunKind, request: RunRequest) -> str:
    """Return the natural id of a run."""
    make = billing_run_id if kind is RunKind.BILLING else payment_run_id
    return make(request.definition_id, request.period, request.supplement)


async def _require_somebody(database: Database, kind: RunKind, request: RunRequest) -> None:
    """Raise RefusedError when nobody is due: the run would close its period."""
    if request.over_nobody:
        return
    members = DryRunRequest(request.definition_id, request.period, supplement=request.supplement)
    if await DryRunActivities(database).is_over_nobody(kind, members):
        run_id = run_id_of(kind, request)
        problem = f"{run_id} is over nobody; with --over-nobody it closes its period all the same"
        raise refusal("period", SOMEBODY_RULE, problem)


async def _start(client: Client, kind: RunKind, request: RunRequest) -> WorkflowHandle[Any, Any]:
    run_id = run_id_of(kind, request)
    try:
        return await client.start_workflow(
            "BillingRun" if kind is RunKind.BILLING else "PaymentRun",
            request,
            id=run_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            **run_label(kind, request, run_id),
        )
    except WorkflowAlreadyStartedError as error:
        problem = f"{run_id} has been started before; see runs show {run_id}"
        raise refusal("period", "one_run_a_period", problem) from error


async def follow(
    client: Client, database: Database, handle: WorkflowHandle[Any, Any], *, wait_seconds: float | None
) -> None:
    """Show the progress until the run is closed. Ctrl-C stops the watching, never the run."""
    records = RunQueries(database)
    with following(handle.id) as progress:

        async def show_progress() -> None:
            progress.update([tuple(row) for row in await records.totals(handle.id)])

        await result_of(client, handle, noun="run", wait_seconds=wait_seconds, meanwhile=show_progress)
