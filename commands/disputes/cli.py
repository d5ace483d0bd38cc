"""`disputes`: payments that their cardholders dispute, and what is said in defence."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.disputes.dispute import DisputeState

app = typer.Typer(help="Disputes: what cardholders dispute, and our evidence.", no_args_is_help=True)

DisputeId = Annotated[str, typer.Argument(metavar="DISPUTE", help="The gateway's id of a dispute.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the dispute.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the dispute.")]


@app.command("list")
def list_disputes(
    *,
    account: Annotated[str, typer.Option("--account", help="Only disputes of this account.")] = "",
    state: Annotated[DisputeState | None, typer.Option("--state", help="Only disputes in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List disputes, the newest first, a page at a time."""
    from commands.disputes.disputes import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, account_id=account, state=state or ""), as_json=as_json, as_csv=as_csv
    )


@app.command("show")
def show_dispute(dispute: DisputeId, as_json: Json = False) -> None:
    """Show one dispute: where it stands, until when evidence is taken, and what was decided."""
    from commands.disputes.disputes import show

    perform(lambda output: show(output, dispute), as_json=as_json)


@app.command("submit-evidence")
@changes(final="Evidence is handed to the bank once.")
def submit_evidence(
    dispute: DisputeId,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A TOML document of texts."),
    ],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Hand the evidence of a file to the bank, once. It goes to the gateway alone and is kept nowhere here.

    The file names what is said, such as `product_description = "..."`; a name that is none is refused with the list.
    """
    from commands.disputes.disputes import submit

    perform(lambda output: submit(output, dispute, file, actor=actor, reason=reason), as_json=as_json)


@app.command("accept")
@changes(final="The dispute is lost, and the payment with it.")
def accept_dispute(dispute: DisputeId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Give the money up: the dispute is lost, the payment cancelled, and its invoices open again."""
    from commands.disputes.disputes import accept

    perform(lambda output: accept(output, dispute, actor=actor, reason=reason), as_json=as_json)


@app.command("check")
@changes()
def check_dispute(dispute: DisputeId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Ask the gateway now how a dispute stands."""
    from commands.disputes.disputes import check

    perform(lambda output: check(output, dispute, actor=actor, reason=reason), as_json=as_json)
