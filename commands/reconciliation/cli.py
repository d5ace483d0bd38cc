"""`reconcile`: comparing a day at the gateway with the ledger, and ending what differs."""

from datetime import date
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import After, AsCsv, FollowSeconds, Json, Limit, Since, Until, day_of
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.reconciliation.discrepancy import DiscrepancyResolution, DiscrepancyState
from models.reconciliation.reconciliation import YOUNG_MINUTES

app = typer.Typer(help="Reconciliation: gateway against ledger, and what differs.", no_args_is_help=True)

DiscrepancyId = Annotated[str, typer.Argument(metavar="DISCREPANCY", help="Id of a discrepancy, such as disc_1.")]


@app.command("start")
@changes()
def start_reconciliation(
    day: Annotated[
        date | None,
        typer.Option("--day", parser=day_of, metavar="DAY", help="The day to reconcile, in UTC; else today."),
    ] = None,
    young_minutes: Annotated[
        int,
        typer.Option("--young-minutes", min=0, max=1440, help="What is younger at the gateway is left for later."),
    ] = YOUNG_MINUTES,
    wait_seconds: FollowSeconds = None,
    as_json: Json = False,
) -> None:
    """Compare a day at the gateway with the ledger, both ways, and wait for the certificate.

    Asked for again it reads the day anew. It may run beside live traffic: what has just moved is left for later.
    """
    from commands.reconciliation.reconciliation import start

    perform(
        lambda output: start(output, day, young_minutes=young_minutes, wait_seconds=wait_seconds),
        as_json=as_json,
    )


@app.command("show")
def show_reconciliation(
    day: Annotated[date, typer.Argument(parser=day_of, metavar="DAY", help="A day, such as 2026-11-26.")],
    as_json: Json = False,
) -> None:
    """Show the certificate of a day."""
    from commands.reconciliation.reconciliation import show

    perform(lambda output: show(output, day), as_json=as_json)


@app.command("list")
def list_discrepancies(
    *,
    state: Annotated[
        DiscrepancyState | None,
        typer.Option("--state", help="Only discrepancies in this state; open ones unless said."),
    ] = DiscrepancyState.OPEN,
    kind: Annotated[str, typer.Option("--kind", help="Only discrepancies of this kind, such as double_charge.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Discrepancies in every state.")] = False,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List discrepancies, the newest first, a page at a time: what differs, who looks after it, what helps."""
    from commands.reconciliation.reconciliation import list_page

    wanted = "" if every or state is None else state
    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, state=wanted, kind=kind),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("resolve")
@changes(final="The discrepancy is ended, and not found again.")
def resolve_discrepancy(
    discrepancy: DiscrepancyId,
    actor: Annotated[str, typer.Option("--actor", help="Who decides it; kept with the discrepancy.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the discrepancy.")],
    resolution: Annotated[
        DiscrepancyResolution,
        typer.Option("--as", help="explained: nothing is booked. booked: a payment of no customer of ours is booked."),
    ],
    account: Annotated[str, typer.Option("--account", help="With booked, whose it is; to suspense unless given.")] = "",
    as_json: Json = False,
) -> None:
    """End a discrepancy by decision. One that gateway and ledger agree on by now ends by itself."""
    from commands.reconciliation.reconciliation import resolve

    perform(
        lambda output: resolve(output, discrepancy, resolution, account_id=account, actor=actor, reason=reason),
        as_json=as_json,
    )


@app.command("payout")
@changes(final="The payout is over, and its lines are in suspense no more.")
def end_payout(
    payout: Annotated[str, typer.Argument(metavar="PAYOUT", help="Id of a payout at the gateway, such as po_1.")],
    actor: Annotated[str, typer.Option("--actor", help="Who says so; kept with what is booked.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with what is booked.")],
    payments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PAYMENT]...", help="The payments in suspense that brought it; none of a debit."),
    ] = None,
    fee: Annotated[str, typer.Option("--fee", help="What the bank has kept of it, in major units, such as 0.50.")] = "",
    booked_on: Annotated[
        date | None,
        typer.Option(
            "--on", parser=day_of, metavar="DAY", help="The day of the bank's line; of payments, the last one's."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """End a payout that the bank shows in several lines, or less a fee, or of which it was debited so.

    The payments and the fee must come to the payout. They leave suspense, and the payout is in the bank, in one commit.
    """
    from commands.reconciliation.payouts import EndOfPayout, end

    asked = EndOfPayout(payout, tuple(payments or ()), fee, booked_on)
    perform(lambda output: end(output, asked, actor=actor, reason=reason), as_json=as_json)
