"""Starting a run, and following it to its certificate."""

from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.database import Database
from activities.runs.queries import RunQueries
from commands.links import link_line, workflow_link
from commands.output import Output
from commands.runs.run_progress import following
from commands.runs.show import show
from commands.session import database_of, read_settings, temporal_of
from commands.waiting.answers import result_of
from models.problem import refusal
from models.runs.process_run import RunKind, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, billing_run_id, payment_run_id
from workflows.visibility import run_label


async def start(
    output: Output,
    kind: RunKind,
    definition_id: str,
    period: str,
    *,
    wait: bool,
    wait_seconds: float | None,
    not_due_yet: bool,
) -> None:
    """Start a run and say where it is, or follow it. Raises RefusedError when it may not start, or is not due."""
    settings = read_settings()
    async with database_of(settings) as database:
        records = RunQueries(database)
        due_by = None if not_due_yet else datetime.now(UTC)
        await records.require_startable(definition_id, kind, period, due_by=due_by)
        request = RunRequest(definition_id, period, not_due_yet=not_due_yet)
        client = await temporal_of(settings)
        handle = await _start(client, kind, request)
        link = workflow_link(settings, handle.id)
        if wait:
            await follow(client, database, handle, wait_seconds=wait_seconds)
    if wait:
        await show(output, handle.id)
        return
    output.answer({"run_id": handle.id, "link": link}, f"Started {handle.id}", *link_line(link))


async def _start(client: Client, kind: RunKind, request: RunRequest) -> WorkflowHandle[Any, Any]:
    is_billing = kind is RunKind.BILLING
    run_id = (billing_run_id if is_billing else payment_run_id)(request.definition_id, request.period)
    try:
        return await client.start_workflow(
            "BillingRun" if is_billing else "PaymentRun",
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
