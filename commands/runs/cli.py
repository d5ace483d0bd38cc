"""`runs`: payment runs, their certificates, and the way from an account to what handled it."""

from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import (
    AccountId,
    After,
    AsCsv,
    DefinitionId,
    FollowSeconds,
    Json,
    Limit,
    NotDueYet,
    OverNobody,
    RunId,
    RunPeriodText,
    Since,
    SupplementNumber,
    Until,
    Wait,
)
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.runs.run_control import ListedRun

app = typer.Typer(help="Payment runs: start, follow, and read their certificates.", no_args_is_help=True)


class Kind(StrEnum):
    """Kinds of runs to filter by."""

    BILLING = "billing"
    PAYMENT = "payment"
    SHADOW = "shadow"


@app.command("start")
@changes(final="Everybody who is due is charged, and the period is closed.")
def start_run(
    definition: DefinitionId,
    period: RunPeriodText,
    wait: Wait = False,
    wait_seconds: FollowSeconds = None,
    not_due_yet: NotDueYet = False,
    over_nobody: OverNobody = False,
    as_json: Json = False,
) -> None:
    """Start the payment run of a definition for a period: run/DEFINITION/PERIOD.

    There is one run for a definition and period, however often it is asked for. A period that is not due is refused,
    and so is a run over nobody: either would close the period.
    """
    from commands.runs.start import start
    from models.runs.process_run import RunKind, RunRequest

    request = RunRequest(definition, period, not_due_yet=not_due_yet, over_nobody=over_nobody)
    perform(
        lambda output: start(output, RunKind.PAYMENT, request, wait=wait, wait_seconds=wait_seconds), as_json=as_json
    )


@app.command("supplement")
@changes(final="Everybody who is due is charged.")
def supplement_run(
    definition: DefinitionId,
    period: RunPeriodText,
    number: SupplementNumber = None,
    wait: Wait = False,
    wait_seconds: FollowSeconds = None,
    over_nobody: OverNobody = False,
    as_json: Json = False,
) -> None:
    """Collect a closed period from whom its run did not have: run/DEFINITION/PERIOD/supplement-1, -2, ...

    Members are accounts that owe something and were in no run of the period, and those passed over or let go there
    that can be charged now. Each supplement has a certificate of its own, and all of them add up. The same number is
    the same run; without one it is the next.
    """
    from commands.runs.start import supplement
    from models.runs.process_run import RunKind, RunRequest

    request = RunRequest(definition, period, over_nobody=over_nobody, supplement=number or 0)
    perform(
        lambda output: supplement(output, RunKind.PAYMENT, request, wait=wait, wait_seconds=wait_seconds),
        as_json=as_json,
    )


@app.command("list")
def list_runs(
    *,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only runs of this kind.")] = None,
    definition: Annotated[str, typer.Option("--definition", help="Only runs of this definition.")] = "",
    state: Annotated[ListedRun | None, typer.Option("--state", help="Only runs in this state.")] = None,
    limit: Limit = 24,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List runs of all kinds, the newest first, a page at a time."""
    from commands.runs.show import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, kind=kind or "", definition_id=definition, state=state or ""),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("show")
def show_run(run: RunId, as_json: Json = False) -> None:
    """Show where a run stands: members and money by outcome and reason."""
    from commands.runs.show import show

    perform(lambda output: show(output, run), as_json=as_json)


@app.command("certificate")
def print_certificate(run: RunId, as_csv: AsCsv = False, as_json: Json = False) -> None:
    """Print every member's outcome and why, and compute the seal again: exit code 1 when it does not hold."""
    from commands.runs.certificate import certificate

    perform(lambda output: certificate(output, run), as_json=as_json, as_csv=as_csv)


@app.command("link")
def link_account(run: RunId, account: AccountId, as_json: Json = False) -> None:
    """Print the links into the Temporal UI of what handled an account in a run: its shard, and its collection."""
    from commands.runs.link import link

    perform(lambda output: link(output, run, account), as_json=as_json)
