"""`messages`: what customers and operators were told, what was not sent, and sending it again."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import ANSWER_SECONDS, After, AsCsv, Json, Limit, Since, Until, WaitSeconds
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.messages.message import MessageState

app = typer.Typer(help="Messages to customers and operators: the outbox.", no_args_is_help=True)

MessageId = Annotated[str, typer.Argument(metavar="MESSAGE", help="Id of a message, such as receipt/acc_1/2026-11.")]


@app.command("list")
def list_messages(
    *,
    state: Annotated[MessageState | None, typer.Option("--state", help="Only messages in this state.")] = None,
    account: Annotated[str, typer.Option("--account", help="Only messages about this account.")] = "",
    communication: Annotated[str, typer.Option("--communication", help="Only letters of this communication.")] = "",
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List messages, the newest first, a page at a time.

    A message that stays `sending` is unsure: a crash came between claiming it and the mail server's answer.
    """
    from commands.messages.messages import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, state=state or "", account_id=account, communication=communication),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("show")
def show_message(message: MessageId, as_json: Json = False) -> None:
    """Show one message: what it tells of, where it stands, and what was decided about it."""
    from commands.messages.messages import show

    perform(lambda output: show(output, message), as_json=as_json)


@app.command("resend")
@changes()
def resend_message(
    message: MessageId,
    actor: Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the message.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the message.")],
    as_json: Json = False,
) -> None:
    """Send a message again that failed, was withheld or is unsure.

    If the first one did arrive, its reader may see it twice: both carry the same Message-ID.
    """
    from commands.messages.messages import resend

    perform(lambda output: resend(output, message, actor=actor, reason=reason), as_json=as_json)


@app.command("bounces")
@changes()
def take_bounces(
    file: Annotated[
        list[str],
        typer.Argument(metavar="PLACE...", help="Files of mail, an mbox, a maildir, a folder of files; - is one mail."),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Read what came back to the sender's mailbox after a mail server had taken it (RFC 3464).

    A message that was given up is `failed`, with the status. Where that says that there is no such address, nothing
    goes to it any more. Whatever is read again changes nothing, and no mail is moved or deleted.
    """
    from commands.messages.returned import take

    perform(lambda output: take(output, file), as_json=as_json)


@app.command("remind")
@changes()
def remind(
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Only list whom it would remind.")] = False,
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Remind customers of invoices that fall due or are overdue, as a schedule does every morning.

    Nobody is reminded of what is settled, being collected, given up or disputed, nor twice of the same.
    """
    from commands.messages.reminders import remind as work

    perform(lambda output: work(output, is_dry=is_dry, wait_seconds=wait_seconds), as_json=as_json)
