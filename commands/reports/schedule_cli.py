"""`reports schedule`: reports that are written by a calendar, kept, and mailed."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes, person_of
from commands.options import Actor, AsCsv, Json, RunPeriodText, WaitSeconds
from commands.runner import perform

app = typer.Typer(help="Reports by a calendar: written once a period, kept, and mailed.", no_args_is_help=True)

Scheduled = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Id of a report's schedule.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the schedule.")]


@app.command("list")
def list_schedules(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List the reports by a calendar: when each is written, as what, to how many, and what was written last."""
    from commands.reports.scheduling import list_all

    perform(list_all, as_json=as_json, as_csv=as_csv)


@app.command("show")
def show_schedule(definition: Scheduled, as_csv: AsCsv = False, as_json: Json = False) -> None:
    """Show what was written for the periods of a schedule, the newest first; those of one that was removed too."""
    from commands.reports.scheduling import show

    perform(lambda output: show(output, definition), as_json=as_json, as_csv=as_csv)


@app.command("set")
@changes()
def set_schedule(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="A report by a calendar, TOML or JSON."
        ),
    ],
    *,
    reason: Why = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Set a report by a calendar, and its Temporal schedule; the newest document counts from now on.

    The definition is kept as it is now: neither a new release nor a changed file changes what is written.
    """
    from commands.reports.scheduling import set_to

    perform(lambda output: set_to(output, file, actor=person_of(actor), reason=reason), as_json=as_json)


@app.command("remove")
@changes()
def remove_schedule(definition: Scheduled, *, reason: Why = "", actor: Actor = "", as_json: Json = False) -> None:
    """Remove a report by a calendar. What it has written stays to be fetched."""
    from commands.reports.scheduling import remove

    perform(lambda output: remove(output, definition, actor=person_of(actor), reason=reason), as_json=as_json)


@app.command("run")
@changes()
def run_schedule(
    definition: Scheduled,
    period: RunPeriodText,
    *,
    wait_seconds: WaitSeconds = 120.0,
    as_json: Json = False,
) -> None:
    """Write the report of a period that is due already, now: one that was missed, or could not be written.

    A period that has its file is left alone, and nobody is mailed it again.
    """
    from commands.reports.scheduling import run

    perform(lambda output: run(output, definition, period, wait_seconds=wait_seconds), as_json=as_json)


@app.command("fetch")
def fetch_report(
    definition: Scheduled,
    period: RunPeriodText,
    *,
    target: Annotated[
        Path | None, typer.Option("--output", dir_okay=False, help="The file to write; else it has the report's name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the file that is kept for a period, as it was mailed."""
    from commands.reports.scheduling import fetch

    perform(lambda output: fetch(output, definition, period, target), as_json=as_json)
