"""`segments`: groups of accounts or transactions by criteria; the definitions document names them."""

from typing import Annotated

import typer

from commands.options import AsCsv, Json, Since, Until
from commands.runner import perform

app = typer.Typer(help="Segments: accounts or transactions by the criteria of the configuration.", no_args_is_help=True)

SegmentId = Annotated[str, typer.Argument(metavar="SEGMENT", help="Id of a segment.")]


@app.command("list")
def list_segments(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List the segments with their criteria. They are made and changed by `definitions apply`."""
    from commands.configuration.segments import list_all

    perform(list_all, as_json=as_json, as_csv=as_csv)


@app.command("show")
def show_segment(segment: SegmentId, *, since: Since = None, until: Until = None, as_json: Json = False) -> None:
    """Count what a segment has now, by currency, and what it comes to.

    Days are those of the posting, and count instead of its own; accounts have none.
    """
    from commands.configuration.segments import show

    perform(lambda output: show(output, segment, since, until), as_json=as_json)


@app.command("members")
def list_members(
    segment: SegmentId,
    *,
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List everything that a segment has now: accounts with their balances, or transactions. None is left out."""
    from commands.configuration.segments import members

    perform(lambda output: members(output, segment, since, until), as_json=as_json, as_csv=as_csv)
