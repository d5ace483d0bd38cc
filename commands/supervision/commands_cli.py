"""`commands`: what was changed from the command line, by whom and why."""

from enum import StrEnum
from typing import Annotated

import typer

from commands.options import After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform

app = typer.Typer(help="Commands: what was changed from the command line, by whom and why.", no_args_is_help=True)


class CommandOutcome(StrEnum):
    """What became of a command; one that only began was cut off."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@app.callback()
def commands() -> None:
    """Commands: what was changed from the command line, by whom and why."""


@app.command("list")
def list_commands(
    *,
    actor: Annotated[str, typer.Option("--by", help="Only commands that this person or service gave.")] = "",
    name: Annotated[str, typer.Option("--command", help='Only this command, such as "runs abort".')] = "",
    state: Annotated[CommandOutcome | None, typer.Option("--state", help="Only commands that ended so.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List the commands that changed something, or were to, the newest first, a page at a time."""
    from commands.supervision.commands import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, actor=actor, name=name, state=state or ""),
        as_json=as_json,
        as_csv=as_csv,
    )
