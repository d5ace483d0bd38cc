"""The Temporal namespace that Duly works in: `duly namespace`."""

from typing import Annotated

import typer

from commands.options import Json
from commands.runner import perform

app = typer.Typer(help="The Temporal namespace that Duly works in.")

RETENTION_DAYS = 90


@app.callback()
def group() -> None:
    """The Temporal namespace that Duly works in."""


@app.command("prepare")
def prepare(
    retention_days: Annotated[
        int, typer.Option("--retention-days", min=1, max=3650, help="Keep closed workflows at least so many days.")
    ] = RETENTION_DAYS,
    as_json: Json = False,
) -> None:
    """Make DULY_TEMPORAL_NAMESPACE ready to work in, and say what was done: running it again changes nothing.

    Creates the namespace when it is missing, lets it keep closed workflows long enough, registers the search attributes
    that workflows set, and makes the schedules that look after an installation: the supervisor, and for each effective
    provider the sweep of its events, its reconciliation and the ledger's audit. Those that charge, refund or remind are
    made by `schedule apply`. Migrate the database first.
    """
    from commands.operations.namespace_work import prepare_namespace

    perform(lambda output: prepare_namespace(output, retention_days), as_json=as_json)
