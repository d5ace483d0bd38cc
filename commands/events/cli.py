"""`events`: what the gateway has sent, what became of it, and delivering it again."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.gateway.events import EventState

app = typer.Typer(help="Events: what the gateway has sent, and whether it was delivered.", no_args_is_help=True)

EventId = Annotated[str, typer.Argument(metavar="EVENT", help="Id of an event, such as evt_1.")]


@app.command("list")
def list_events(
    *,
    state: Annotated[EventState | None, typer.Option("--state", help="Only events in this state.")] = None,
    type_: Annotated[str, typer.Option("--type", help="Only events of this type, such as refund.failed.")] = "",
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List events, the newest first, a page at a time.

    An event that `needs_review` is about nothing that is known here, though it was looked for a day and longer.
    """
    from commands.events.events import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, state=state or "", type_=type_),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("show")
def show_event(event: EventId, as_json: Json = False) -> None:
    """Show one event: what it is about, where it stands, and what was decided about it."""
    from commands.events.events import show

    perform(lambda output: show(output, event), as_json=as_json)


@app.command("replay")
@changes()
def replay_event(
    event: EventId,
    actor: Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the event.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the event.")],
    as_json: Json = False,
) -> None:
    """Deliver an event again. Its workflow looks at the gateway once more; nothing is done twice for it."""
    from commands.events.events import replay

    perform(lambda output: replay(output, event, actor=actor, reason=reason), as_json=as_json)
