"""`billing`: billing runs, which make the invoices that payment runs collect."""

import typer

from commands.options import DefinitionId, FollowSeconds, Json, NotDueYet, PeriodText, RunId, Wait
from commands.runner import perform

app = typer.Typer(help="Billing runs: invoices for every subscription that is due.", no_args_is_help=True)


@app.command("start")
def start_billing(
    definition: DefinitionId,
    period: PeriodText,
    wait: Wait = False,
    wait_seconds: FollowSeconds = None,
    not_due_yet: NotDueYet = False,
    as_json: Json = False,
) -> None:
    """Start the billing run of a definition for a period: billing/DEFINITION/PERIOD.

    There is one run for a definition and period, however often it is asked for. A period that is not due is refused,
    for an invoice is for ever.
    """
    from commands.runs.start import start
    from models.runs.process_run import RunKind

    perform(
        lambda output: start(
            output, RunKind.BILLING, definition, period, wait=wait, wait_seconds=wait_seconds, not_due_yet=not_due_yet
        ),
        as_json=as_json,
    )


@app.command("show")
def show_billing(run: RunId, as_json: Json = False) -> None:
    """Show where a billing run stands: subscriptions and money by outcome and reason."""
    from commands.runs.show import show

    perform(lambda output: show(output, run), as_json=as_json)
