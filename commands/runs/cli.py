"""`runs`: payment runs, their certificates, and the way from an account to what handled it."""

from enum import StrEnum
from typing import Annotated

import typer

from commands.options import AccountId, DefinitionId, FollowSeconds, Json, Limit, NotDueYet, PeriodText, RunId, Wait
from commands.runner import perform

app = typer.Typer(help="Payment runs: start, follow, and read their certificates.", no_args_is_help=True)


class Kind(StrEnum):
    """Kinds of runs to filter by."""

    BILLING = "billing"
    PAYMENT = "payment"
    SHADOW = "shadow"


@app.command("start")
def start_run(
    definition: DefinitionId,
    period: PeriodText,
    wait: Wait = False,
    wait_seconds: FollowSeconds = None,
    not_due_yet: NotDueYet = False,
    as_json: Json = False,
) -> None:
    """Start the payment run of a definition for a period: run/DEFINITION/PERIOD.

    There is one run for a definition and period, however often it is asked for. A period that is not due is refused.
    """
    from commands.runs.start import start
    from models.runs.process_run import RunKind

    perform(
        lambda output: start(
            output, RunKind.PAYMENT, definition, period, wait=wait, wait_seconds=wait_seconds, not_due_yet=not_due_yet
        ),
        as_json=as_json,
    )


@app.command("list")
def list_runs(
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only runs of this kind.")] = None,
    definition: Annotated[str, typer.Option("--definition", help="Only runs of this definition.")] = "",
    limit: Limit = 24,
    as_json: Json = False,
) -> None:
    """List the latest runs of all kinds, newest period first."""
    from commands.runs.show import list_latest

    perform(lambda output: list_latest(output, kind=kind or "", definition_id=definition, limit=limit), as_json=as_json)


@app.command("show")
def show_run(run: RunId, as_json: Json = False) -> None:
    """Show where a run stands: members and money by outcome and reason."""
    from commands.runs.show import show

    perform(lambda output: show(output, run), as_json=as_json)


@app.command("certificate")
def print_certificate(run: RunId, as_json: Json = False) -> None:
    """Print every member's outcome and why, and compute the seal again: exit code 1 when it does not hold."""
    from commands.runs.certificate import certificate

    perform(lambda output: certificate(output, run), as_json=as_json)


@app.command("link")
def link_account(run: RunId, account: AccountId, as_json: Json = False) -> None:
    """Print the links into the Temporal UI of what handled an account in a run: its shard, and its collection."""
    from commands.runs.link import link

    perform(lambda output: link(output, run, account), as_json=as_json)
