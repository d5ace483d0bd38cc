"""`books`: periods that are closed, and who may post there all the same."""

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import Reason, changes
from commands.options import Actor, Json, Limit, day_of
from commands.runner import perform

app = typer.Typer(help="Closed periods, and the right to post outside the open days.", no_args_is_help=True)

Day = Annotated[date, typer.Argument(metavar="DAY", parser=day_of, help="A day, such as 2026-10-31.")]
Holder = Annotated[str, typer.Argument(metavar="ACTOR", help="Whose right it is: the name that --actor says.")]


class AuditedKind(StrEnum):
    """What a change was of."""

    TRANSACTION = "transaction"
    ACCOUNT = "account"
    CONFIGURATION = "configuration"


@app.command("close")
@changes()
def close_books(day: Day, actor: Actor = "", reason: Reason = "", as_json: Json = False) -> None:
    """Close every day up to this one: nothing is posted there any more. The day must be over in every time zone.

    Money that moved at a gateway or a bank is never refused: it is posted on the first open day, and its own is kept.
    """
    from commands.books.closings import close

    perform(lambda output: close(output, day, actor=actor, reason=reason), as_json=as_json)


@app.command("reopen")
@changes()
def reopen_books(day: Day, actor: Actor = "", reason: Reason = "", as_json: Json = False) -> None:
    """Open a closed day again, and every day after it."""
    from commands.books.closings import reopen

    perform(lambda output: reopen(output, day, actor=actor, reason=reason), as_json=as_json)


@app.command("grant")
@changes()
def grant_right(holder: Holder, actor: Actor = "", reason: Reason = "", as_json: Json = False) -> None:
    """Let somebody else post on days that are closed or have not come yet, each time with a reason (`--any-day`)."""
    from commands.books.closings import set_right

    perform(lambda output: set_right(output, holder, is_granted=True, actor=actor, reason=reason), as_json=as_json)


@app.command("revoke")
@changes()
def revoke_right(holder: Holder, actor: Actor = "", reason: Reason = "", as_json: Json = False) -> None:
    """Take the right to post outside the open days away."""
    from commands.books.closings import set_right

    perform(lambda output: set_right(output, holder, is_granted=False, actor=actor, reason=reason), as_json=as_json)


@app.command("history")
def show_history(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="[SUBJECT]", help="A transaction, an account, a run definition, or a table such as products."
        ),
    ] = "",
    *,
    kind: Annotated[AuditedKind | None, typer.Option("--kind", help="Only changes of this kind.")] = None,
    actor: Annotated[str, typer.Option("--by", help="Only what this person or service did.")] = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show who created, edited, posted, ended or configured something, when and why, the newest first."""
    from commands.books.history import show

    perform(lambda output: show(output, subject, kind=kind or "", actor=actor, limit=limit), as_json=as_json)


@app.command("show")
def show_books(limit: Limit = 50, as_json: Json = False) -> None:
    """Show up to which day the books are closed, who may post there, and each time that somebody did."""
    from commands.books.closings import show

    perform(lambda output: show(output, limit), as_json=as_json)
