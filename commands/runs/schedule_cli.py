"""`schedule`: what runs by itself."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AsCsv, DefinitionId, Json, run_period_of
from commands.runner import perform

app = typer.Typer(
    help="Schedules: run definitions that run by themselves, and the sweep of events.", no_args_is_help=True
)

First = Annotated[
    str, typer.Argument(metavar="FROM", parser=run_period_of, help="First period, such as 2026-08 or 2026-W48.")
]
Last = Annotated[
    str, typer.Argument(metavar="TO", parser=run_period_of, help="Last period; it must have been due already.")
]


@app.command("apply")
@changes()
def apply_schedules(as_json: Json = False) -> None:
    """Make Temporal's schedules what run definitions and providers ask for; applying again changes nothing.

    Each effective provider gets `events:PROVIDER`, which looks every 15 minutes for events that never came.
    A definition that has no schedule any more, or is not effective, loses its schedule. A schedule that an operator
    paused stays paused. Days 29 to 31 are the last day of a month that lacks them. A run is skipped while the one
    before still runs, caught up within 3 days after an outage, and a failure pauses the schedule.
    """
    from commands.runs.schedule import apply

    perform(apply, as_json=as_json)


@app.command("list")
def list_schedules(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List the schedules: next run, last run, paused and why, what was missed."""
    from commands.runs.schedule import list_all

    perform(list_all, as_json=as_json, as_csv=as_csv)


@app.command("pause")
@changes()
def pause_schedule(
    definition: DefinitionId,
    note: Annotated[str, typer.Option("--note", help="Why, for whoever reads it.")] = "paused by an operator",
    as_json: Json = False,
) -> None:
    """Pause a schedule: nothing starts by itself until it is resumed."""
    from commands.runs.schedule_state import pause

    perform(lambda output: pause(output, definition, note), as_json=as_json)


@app.command("resume")
@changes()
def resume_schedule(
    definition: DefinitionId,
    note: Annotated[str, typer.Option("--note", help="Why, for whoever reads it.")] = "resumed by an operator",
    as_json: Json = False,
) -> None:
    """Resume a paused schedule."""
    from commands.runs.schedule_state import resume

    perform(lambda output: resume(output, definition, note), as_json=as_json)


@app.command("backfill")
@changes()
def backfill_schedule(
    definition: DefinitionId,
    first: First,
    last: Last,
    as_json: Json = False,
) -> None:
    """Run the periods that were missed, one after the other. One that has its run is left alone."""
    from commands.runs.schedule_state import backfill

    perform(lambda output: backfill(output, definition, first, last), as_json=as_json)


@app.command("delete")
@changes()
def delete_schedule(definition: DefinitionId, as_json: Json = False) -> None:
    """Delete a schedule. What it started goes on; `schedule apply` makes it again while the definition has one."""
    from commands.runs.schedule_state import delete

    perform(lambda output: delete(output, definition), as_json=as_json)
