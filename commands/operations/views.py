"""`views`: the lists that operators keep open, as links into the Temporal UI."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Json
from commands.runner import perform


def views(
    run: Annotated[str, typer.Option("--run", help="Fill this run in where a view is about one.")] = "",
    account: Annotated[str, typer.Option("--account", help="Fill this account in where a view is about one.")] = "",
    page: Annotated[
        Path | None, typer.Option("--page", dir_okay=False, help="Write a page of links to this file as well.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print queries and links of views: who needs a person, what is unknown for over an hour, what comes in 24 hours.

    Opening a link keeps the view in that browser, under Saved Views. A view of a run or an account is printed when it
    is named. Queries know no "now": moments are those of the printing.
    """
    from commands.operations.views_work import show

    perform(lambda output: show(output, run, account, page), as_json=as_json)
