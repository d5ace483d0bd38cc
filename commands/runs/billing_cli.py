"""`billing`: billing runs, which make the invoices that payment runs collect."""

import typer

from commands.changing.changes import changes
from commands.options import (
    AsCsv,
    DefinitionId,
    FollowSeconds,
    Json,
    NotDueYet,
    OfSupplement,
    OverNobody,
    PeriodText,
    RunId,
    SupplementNumber,
    Wait,
)
from commands.runner import perform

app = typer.Typer(help="Billing runs: invoices for every subscription that is due.", no_args_is_help=True)


@app.command("start")
@changes(final="Invoices are posted for everybody who is due, and the period is closed.")
def start_billing(
    definition: DefinitionId,
    period: PeriodText,
    wait: Wait = False,
    wait_seconds: FollowSeconds = None,
    not_due_yet: NotDueYet = False,
    over_nobody: OverNobody = False,
    as_json: Json = False,
) -> None:
    """Start the billing run of a definition for a period: billing/DEFINITION/PERIOD.

    There is one run for a definition and period, however often it is asked for. A period that is not due is refused,
    for an invoice is for ever, and so is a run over nobody, for it would close the period.
    """
    from commands.runs.start import start
    from models.runs.process_run import RunKind, RunRequest

    request = RunRequest(definition, period, not_due_yet=not_due_yet, over_nobody=over_nobody)
    perform(
        lambda output: start(output, RunKind.BILLING, request, wait=wait, wait_seconds=wait_seconds), as_json=as_json
    )


@app.command("supplement")
@changes(final="Invoices are posted for everybody who is due.")
def supplement_billing(
    definition: DefinitionId,
    period: PeriodText,
    number: SupplementNumber = None,
    wait: Wait = False,
    wait_seconds: FollowSeconds = None,
    over_nobody: OverNobody = False,
    as_json: Json = False,
) -> None:
    """Bill in a closed period what its run did not have: billing/DEFINITION/PERIOD/supplement-1, -2, ...

    Members are subscriptions that are due and were in no run of the period, and those parked there. Each supplement
    has a certificate of its own, and all of them add up. The same number is the same run; without one it is the next.
    """
    from commands.runs.start import supplement
    from models.runs.process_run import RunKind, RunRequest

    request = RunRequest(definition, period, over_nobody=over_nobody, supplement=number or 0)
    perform(
        lambda output: supplement(output, RunKind.BILLING, request, wait=wait, wait_seconds=wait_seconds),
        as_json=as_json,
    )


@app.command("dry-run")
def dry_run_billing(
    definition: DefinitionId,
    period: PeriodText,
    of_supplement: OfSupplement = False,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """Tell what would be billed, net, tax and total, and why some is not; write nothing."""
    from commands.runs.dry_runs import billing_dry_run

    perform(
        lambda output: billing_dry_run(output, definition, period, of_supplement=of_supplement),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("show")
def show_billing(run: RunId, as_json: Json = False) -> None:
    """Show where a billing run stands: subscriptions and money by outcome and reason."""
    from commands.runs.show import show

    perform(lambda output: show(output, run), as_json=as_json)
