"""Comparing what is open with its workflows, on Temporal or right here."""

from dataclasses import asdict

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from activities.database import Database
from activities.supervision.supervision import Progress, Supervision
from commands.output import Output, table
from commands.session import database_of, read_settings, temporal_for_orders
from commands.updates import require_who_and_why
from commands.waiting.answers import result_of
from models.problem import refusal
from models.supervision.supervision import (
    ObjectKind,
    Supervised,
    SupervisionReport,
    SupervisionRequest,
)
from models.workflow_ids import SUPERVISOR, WORKFLOW_QUEUE
from workflows.supervision.resumption import resumable_of
from workflows.supervision.supervisor import Supervisor


async def supervise_all(output: Output, wait_seconds: float) -> None:
    """Let the supervisor look at everything now, and say what it did."""
    client = await temporal_for_orders(read_settings())
    handle = await client.start_workflow(
        Supervisor.run,
        SupervisionRequest(),
        id=SUPERVISOR,
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="Looks for what is open and has no workflow, by command",
    )
    report = await result_of(client, handle, noun="supervisor", wait_seconds=wait_seconds)
    show_report(output, report)


async def resume_one(output: Output, workflow_id: str, actor: str, reason: str) -> None:
    """Resume one workflow from its row, at once. Raises RefusedError when nothing of that id is open without one."""
    require_who_and_why(actor, reason)
    settings = read_settings()
    client = await temporal_for_orders(settings)
    request = SupervisionRequest(only=workflow_id, actor=actor, reason=reason)
    async with database_of(settings) as database:
        report = await compare_all(database, client, request)
    if not any(one.open for one in report.kinds):
        raise refusal("only", "workflow_of_open_object", f"nothing that is open has the workflow {workflow_id!r}")
    show_report(output, report)


async def compare_all(database: Database, client: Client, request: SupervisionRequest) -> SupervisionReport:
    """Compare every kind, from this process."""
    supervision = Supervision(database, client, resumable_of)
    kinds: list[Supervised] = []
    for kind in ObjectKind:
        begun = Progress((), Supervised(kind))
        kinds.append(await supervision.compare(kind, request, begun=begun, beat=lambda _: None))
        if request.only and kinds[-1].open:
            break
    return SupervisionReport(tuple(kinds))


def show_report(output: Output, report: SupervisionReport) -> None:
    """Print what was found; what asks a person is no good state."""
    counts = [(one.kind, one.open, one.running, one.resumed, one.waiting, one.in_review) for one in report.kinds]
    found = [(one.workflow_id, one.next_step, one.how, one.actor, one.reason) for one in report.stopped]
    columns = ("Kind", "Open", "Have a workflow", "Resumed", "Wait", "Ask a person")
    document = {
        "kinds": [{key: value for key, value in asdict(one).items() if key != "stopped"} for one in report.kinds],
        "stopped": [asdict(one) | {"command": one.command} for one in report.stopped],
    }
    output.answer(
        document,
        table("", *columns, rows=counts, right=columns[1:]),
        *([table("", "Without a workflow", "NextStep", "How", "Who", "Why", rows=found)] if found else []),
        *(one.command for one in report.stopped if one.next_step != "resume"),
        is_good=not report.in_review,
    )
