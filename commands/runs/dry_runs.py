"""Dry runs and shadow runs."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.runs.dry_runs import DryRunActivities
from activities.runs.queries import RunQueries
from commands.formatting import money
from commands.links import link_line, workflow_link
from commands.output import Output, Stream, table
from commands.runs.show import require_run
from commands.runs.start import follow
from commands.session import database_of, read_settings, temporal_of
from models.problem import refusal
from models.runs.dry_run import Difference, DryRunMember, DryRunRequest
from models.runs.process_run import RunKind, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, shadow_run_id
from workflows.visibility import run_label

PAGE = 500
CHARGED = "charged"


async def dry_run(output: Output, definition_id: str, period: str) -> None:
    """Print who would be charged and why others would not, page by page, then the totals."""
    members: Counter[tuple[str, str]] = Counter()
    amounts: defaultdict[tuple[str, str], int] = defaultdict(int)
    async with database_of(read_settings()) as database:
        dry_runs = DryRunActivities(database)
        request = DryRunRequest(definition_id, period, limit=PAGE)
        page = await dry_runs.dry_run_page(request)
        with output.stream("members") as stream:
            while page.after:
                for member in page.members:
                    key = (member.reason or CHARGED, member.currency)
                    members[key] += 1
                    amounts[key] += member.amount_minor
                stream.rows((asdict(member) for member in page.members), _members(page.members))
                page = await dry_runs.dry_run_page(DryRunRequest(definition_id, period, page.after, PAGE))
            totals = [
                {"outcome": outcome, "currency": currency, "members": count, "amount_minor": amounts[outcome, currency]}
                for (outcome, currency), count in sorted(members.items())
            ]
            shown = [(*key, count, money(amounts[key], key[1])) for key, count in sorted(members.items())]
            columns = ("Would be", "Currency", "Members", "Amount")
            stream.finish({"totals": totals}, table("Totals", *columns, rows=shown, right=columns[2:]))


async def shadow_run(
    output: Output, definition_id: str, period: str, *, wait: bool, wait_seconds: float | None
) -> None:
    """Start a shadow run, or follow it and print what differs. Raises RefusedError while one is under way."""
    settings = read_settings()
    client = await temporal_of(settings)
    run_id, request = shadow_run_id(definition_id, period), RunRequest(definition_id, period, is_shadow=True)
    async with database_of(settings) as database:
        # A definition that may not run is refused here, where somebody is listening.
        await DryRunActivities(database).dry_run_page(DryRunRequest(definition_id, period, limit=1))
        try:
            handle = await client.start_workflow(
                "PaymentRun",
                request,
                id=run_id,
                task_queue=WORKFLOW_QUEUE,
                **run_label(RunKind.PAYMENT, request, run_id),
            )
        except WorkflowAlreadyStartedError as error:
            raise refusal("run", "one_shadow_at_a_time", f"{run_id} is under way") from error
        if wait:
            await follow(client, database, handle, wait_seconds=wait_seconds)
    if wait:
        await differences(output, run_id)
        return
    link = workflow_link(settings, run_id)
    output.answer({"run_id": run_id, "link": link}, f"Started {run_id}", *link_line(link))


async def differences(output: Output, run_id: str) -> None:
    """Print in what a shadow run differs from the last certified run. Raises RefusedError when it is not done."""
    async with database_of(read_settings()) as database:
        run = await require_run(RunQueries(database), run_id)
        if run.kind != "shadow" or run.certificate is None:
            raise refusal("run", "shadow_completed", f"{run_id} is no shadow run that has come to its end")
        dry_runs = DryRunActivities(database)
        with output.stream("differences") as stream:
            await _stream_differences(dry_runs, run_id, stream)
            comparison = run.certificate["comparison"]
            beside = comparison["baseline_id"] or "no certified run"
            rows = sorted(comparison["members"].items())
            view = table("", "Members are", "Number", rows=rows, right=("Number",))
            stream.finish({"run_id": run_id, "comparison": comparison}, f"{run_id} beside {beside}", view)


async def _stream_differences(dry_runs: DryRunActivities, run_id: str, stream: Stream) -> None:
    after = ""
    while page := await dry_runs.differences(run_id, after=after, limit=PAGE):
        stream.rows((asdict(one) for one in page), _differences(page))
        after = page[-1].account_id


def _members(page: Sequence[DryRunMember]) -> Table:
    rows = [(m.account_id, money(m.amount_minor, m.currency), m.card, m.reason or CHARGED) for m in page]
    return table("", "Account", "Amount", "Card", "Would be", rows=rows, right=("Amount",))


def _differences(page: Sequence[Difference]) -> Table:
    rows = [
        (
            one.account_id,
            f"{one.difference} {one.reason}".strip(),
            _side(one.before_minor, one.before_currency, one.before_card),
            _side(one.amount_minor, one.currency, one.card),
        )
        for one in page
    ]
    return table("", "Account", "Difference", "Before", "Now", rows=rows)


def _side(amount_minor: int | None, currency: str | None, card: str | None) -> str:
    if amount_minor is None or currency is None:
        return ""
    return f"{money(amount_minor, currency)}, {card}"
