"""Starting a day's refunds, and showing their certificate."""

from dataclasses import asdict
from datetime import UTC, date, datetime

from temporalio.common import WorkflowIDConflictPolicy

from activities.runs.refund_runs import read_certificate
from commands.formatting import money
from commands.links import link_line, workflow_link
from commands.output import Output, table
from commands.session import read_settings, reading_database_of, temporal_for_orders
from commands.updates import ask
from commands.waiting.answers import result_of
from models.operator_command import OperatorCommand
from models.problem import refusal
from models.runs.refund_run import RefundCertificate, RefundRunRequest, RefundRunStatus
from models.workflow_ids import WORKFLOW_QUEUE, refund_run_id
from models.workflow_inputs import DAY_RULE
from settings import Settings
from workflows.runs.refund_run import RefundRun
from workflows.visibility import refund_run_label


async def run(
    output: Output, day: date | None, *, not_due_yet: bool, over_nobody: bool, wait_seconds: float | None
) -> None:
    """Run a day's refunds to their certificate; a day that has been run answers with its own.

    Raises RefusedError for a day that has not begun, and Failure for one over nobody, unless that is asked for.
    """
    settings = read_settings()
    now = datetime.now(UTC)
    day = day or now.date()
    if day > now.date() and not not_due_yet:
        raise refusal("day", DAY_RULE, f"{day} has not begun; with --not-due-yet it runs all the same")
    client = await temporal_for_orders(settings)
    handle = await client.start_workflow(
        RefundRun.run,
        RefundRunRequest(settings.provider, day, not_due_yet=not_due_yet, over_nobody=over_nobody),
        id=refund_run_id(settings.provider, f"{day}"),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **refund_run_label(settings.provider, f"{day}"),
    )
    certificate = await result_of(client, handle, noun="run", wait_seconds=wait_seconds)
    _answer(output, settings, certificate)


async def show(output: Output, day: date) -> None:
    """Show a certificate."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        certificate = await read_certificate(database, refund_run_id(settings.provider, f"{day}"))
    if certificate is None:
        raise refusal("day", "run_is_certified", f"the refunds of {day} have no certificate")
    _answer(output, settings, certificate)


async def steer(output: Output, run_id: str, update: str, command: OperatorCommand) -> None:
    """Ask a refund run for something and show where it stands then. Raises RefusedError with the run's own reason."""
    settings = read_settings()
    client = await temporal_for_orders(settings)
    status = await ask(client, run_id, update, command, RefundRunStatus, noun="run")
    link = workflow_link(settings, run_id)
    rows = [("Stage", status.stage.word), ("Members", f"{status.sent} of {status.members} were sent")]
    output.answer(
        {"run_id": run_id, **asdict(status), "stage": status.stage.word, "link": link},
        table("", "Run", run_id, rows=rows),
        table("Decisions", "What was decided", rows=[(decision,) for decision in status.decisions]),
        *link_line(link),
    )


def run_of(day: date) -> str:
    """Return the id of a day's run through the provider of the settings."""
    return refund_run_id(read_settings().provider, f"{day}")


def _answer(output: Output, settings: Settings, certificate: RefundCertificate) -> None:
    link = workflow_link(settings, certificate.run_id)
    rows = [
        (
            total.kind,
            total.outcome,
            total.members,
            money(total.amount_minor, total.currency),
            money(total.refunded_minor, total.currency),
        )
        for total in certificate.totals
    ]
    heads = ("Kind", "Outcome", "Members", "Asked", "Refunded")
    output.answer(
        {"certificate": asdict(certificate), "link": link},
        table(f"Refunds of {certificate.day}", *heads, rows=rows, right=heads[2:]),
        f"Seal: {certificate.sha256}",
        *link_line(link),
    )
