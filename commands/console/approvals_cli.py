"""`approvals`: what was asked for in the console above the limits, and waits for another person."""

from typing import Annotated

import typer

from commands.changing.changes import Reason, changes, person_of
from commands.options import Actor, After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.console.approval import ApprovalState

app = typer.Typer(
    help="Requests of the console above the limits: another person, a user who may, approves or rejects them.",
    no_args_is_help=True,
)

Approval = Annotated[str, typer.Argument(metavar="REQUEST", help="Id of a request, apv_….")]


@app.command("list")
def list_approvals(
    state: Annotated[ApprovalState | None, typer.Option("--state", help="Only those in this state.")] = None,
    account: Annotated[str, typer.Option("--account", help="Only of this account.")] = "",
    asked_by: Annotated[str, typer.Option("--asked-by", help="Only what this user has asked for.")] = "",
    *,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List requests, the newest first, a page at a time."""
    from commands.console.approvals import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, state=state or "", account_id=account, asked_by=asked_by),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("show")
def show_approval(approval: Approval, as_json: Json = False) -> None:
    """Show a request: what was asked for, by whom and why, and what was decided."""
    from commands.console.approvals import show

    perform(lambda output: show(output, approval), as_json=as_json)


@app.command("ask")
@changes()
def ask_approval(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="credit-note, payment, move, suspense-move, refund, …")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="In major units, such as 50.00.")],
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="Such as EUR.")],
    account: Annotated[str, typer.Option("--account", help="Whose it is; of a statement nobody's.")] = "",
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Ask another person for what is above the limits: once approved, the actor does up to as much of it."""
    from commands.console.giving import ask, kind_given

    perform(
        lambda output: ask(output, kind_given(kind), amount, currency, account, actor=person_of(actor), reason=reason),
        as_json=as_json,
    )


@app.command("approve")
@changes(final="What was asked for is carried out.")
def approve_request(approval: Approval, actor: Actor = "", reason: Reason = "", as_json: Json = False) -> None:
    """Approve a request as another person than who asked, and carry it out. The actor is a user who may."""
    from commands.console.approvals import approve

    perform(lambda output: approve(output, approval, actor=person_of(actor), reason=reason), as_json=as_json)


@app.command("reject")
@changes()
def reject_request(approval: Approval, actor: Actor = "", reason: Reason = "", as_json: Json = False) -> None:
    """Reject a request as another person than who asked: nothing is carried out."""
    from commands.console.approvals import reject

    perform(lambda output: reject(output, approval, actor=person_of(actor), reason=reason), as_json=as_json)


@app.command("withdraw")
@changes()
def withdraw_request(approval: Approval, actor: Actor = "", reason: Reason = "", as_json: Json = False) -> None:
    """Withdraw a request as who has asked for it."""
    from commands.console.approvals import withdraw

    perform(lambda output: withdraw(output, approval, actor=person_of(actor), reason=reason), as_json=as_json)
