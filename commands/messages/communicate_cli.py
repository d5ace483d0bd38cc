"""`communicate`: a letter by a template, about transactions or to a segment, and who is not written to."""

from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform

app = typer.Typer(help="Letters to customers by templates with tags, each once.", no_args_is_help=True)

Template = Annotated[str, typer.Argument(metavar="TEMPLATE", help="Id of a template of the definitions.")]
About = Annotated[
    list[str] | None, typer.Option("--about", metavar="NUMBER", help="A transaction, by number or id; may be repeated.")
]
SegmentOption = Annotated[str, typer.Option("--segment", help="Everything that this segment has now.")]
Who = Annotated[str, typer.Option("--actor", help="Who asks for it; kept with it.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]


class StopKind(StrEnum):
    """Why an account is not written to."""

    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"


@app.command("preview")
def preview_communication(
    template: Template,
    *,
    about: About = None,
    segment: SegmentOption = "",
    since: Since = None,
    until: Until = None,
    letters: Annotated[int, typer.Option("--letters", min=0, max=100, help="Show so many letters.")] = 1,
    member: Annotated[
        str, typer.Option("--member", metavar="ID", help="Those to this account, or about this transaction, alone.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show who would be written to, who is left out and why, and the first letters as they would be sent now."""
    from commands.messages.communicating import preview

    days = (since, until)
    perform(
        lambda output: preview(output, template, about or [], segment, days, letters=letters, member=member),
        as_json=as_json,
    )


@app.command("send")
@changes(final="Customers are written to; a letter that was sent stays sent.")
def send_communication(
    template: Template,
    *,
    id: Annotated[str, typer.Option("--id", help="Names it: a repeat with the same id sends nothing.")],
    actor: Who,
    reason: Why,
    about: About = None,
    segment: SegmentOption = "",
    since: Since = None,
    until: Until = None,
    at_most: Annotated[
        int | None,
        typer.Option("--at-most", min=1, help="Send nothing if it is more letters, as the preview counted them."),
    ] = None,
    as_previewed: Annotated[
        str | None,
        typer.Option(
            "--as-previewed",
            metavar="BASIS",
            help="Send nothing if template, segment or days are not those of the preview.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a letter about each transaction, or to each account of a segment, and send them.

    Left out are accounts without an address, whose address bounced, that opted out, or that are terminated. The text
    is the template's of this moment, with `--as-previewed` that of the preview or nothing is sent; what its tags say is
    as of the sending. `messages list --communication ID` lists the letters.
    """
    from commands.messages.communicating import send

    days, who = (since, until), {"actor": actor, "reason": reason}
    perform(
        lambda output: send(
            output, id, template, about or [], segment, days, **who, at_most=at_most, as_previewed=as_previewed
        ),
        as_json=as_json,
    )


@app.command("list")
def list_communications(
    *,
    segment: Annotated[str, typer.Option("--segment", help="Only those to this segment.")] = "",
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List what was communicated, the newest first, a page at a time: by whom, why, and how many letters."""
    from commands.messages.communicating import list_page

    page = list_page_of(after, limit, since, until)
    perform(lambda output: list_page(output, page, segment=segment), as_json=as_json, as_csv=as_csv)


@app.command("stop")
@changes()
def stop_mail(
    account: AccountId,
    *,
    why: Annotated[StopKind, typer.Option("--kind", help="What has happened.")] = StopKind.OPTED_OUT,
    actor: Who,
    reason: Why,
    as_json: Json = False,
) -> None:
    """Send an account no letters any more: it opted out, or its address bounced.

    Who opted out gets no communications; receipts, reminders and what a payment needs still go out. To an address that
    bounced nothing goes, until the account has another one. A mail server's answer that there is no such address is
    noted by itself.
    """
    from commands.messages.communicating import stop

    perform(lambda output: stop(output, account, why, actor=actor, reason=reason), as_json=as_json)


@app.command("allow")
@changes()
def allow_mail(
    account: AccountId,
    *,
    why: Annotated[StopKind, typer.Option("--kind", help="What is over.")] = StopKind.OPTED_OUT,
    actor: Who,
    reason: Why,
    as_json: Json = False,
) -> None:
    """Let letters go to an account again."""
    from commands.messages.communicating import allow

    perform(lambda output: allow(output, account, why, actor=actor, reason=reason), as_json=as_json)


@app.command("stops")
def show_stops(account: AccountId, as_json: Json = False) -> None:
    """Show why an account is not written to, if it is not."""
    from commands.messages.communicating import show_stops as work

    perform(lambda output: work(output, account), as_json=as_json)
