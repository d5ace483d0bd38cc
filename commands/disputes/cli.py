"""`disputes`: payments that their cardholders dispute, and what is said in defence."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import After, Json, Limit
from commands.runner import perform
from models.disputes.dispute import DisputeState

app = typer.Typer(help="Disputes: what cardholders dispute, and our evidence.", no_args_is_help=True)

DisputeId = Annotated[str, typer.Argument(metavar="DISPUTE", help="The gateway's id of a dispute.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the dispute.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the dispute.")]


@app.command("list")
def list_disputes(
    account: Annotated[str, typer.Option("--account", help="Only disputes of this account.")] = "",
    state: Annotated[DisputeState | None, typer.Option("--state", help="Only disputes in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    as_json: Json = False,
) -> None:
    """List disputes, a page at a time."""
    from commands.disputes.disputes import list_page

    perform(
        lambda output: list_page(output, account_id=account, state=state or "", after=after, limit=limit),
        as_json=as_json,
    )


@app.command("show")
def show_dispute(dispute: DisputeId, as_json: Json = False) -> None:
    """Show one dispute: where it stands, until when evidence is taken, and what was decided."""
    from commands.disputes.disputes import show

    perform(lambda output: show(output, dispute), as_json=as_json)


@app.command("submit-evidence")
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
def accept_dispute(dispute: DisputeId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Give the money up: the dispute is lost, the payment cancelled, and its invoices open again."""
    from commands.disputes.disputes import accept

    perform(lambda output: accept(output, dispute, actor=actor, reason=reason), as_json=as_json)


@app.command("check")
def check_dispute(dispute: DisputeId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Ask the gateway now how a dispute stands."""
    from commands.disputes.disputes import check

    perform(lambda output: check(output, dispute, actor=actor, reason=reason), as_json=as_json)
