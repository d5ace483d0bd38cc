"""Commands to runs: pause, resume, abort, rate; and dry runs and shadow runs."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AsCsv, DefinitionId, FollowSeconds, Json, OfSupplement, RunId, RunPeriodText, Wait
from commands.runner import perform

app = typer.Typer()

Actor = Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the run.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the run and printed on its certificate.")]


@app.command("pause")
@changes()
def pause_run(run: RunId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Let a run start nothing new. Payments in flight settle."""
    from commands.runs.control import send_update
    from models.operator_command import OperatorCommand

    perform(lambda output: send_update(output, run, "pause", OperatorCommand(actor, reason)), as_json=as_json)


@app.command("resume")
@changes()
def resume_run(run: RunId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """Let a paused run go on.

    A run that waits for the gateway asks it again at once.
    """
    from commands.runs.control import send_update
    from models.operator_command import OperatorCommand

    perform(lambda output: send_update(output, run, "resume", OperatorCommand(actor, reason)), as_json=as_json)


@app.command("abort")
@changes(final="The run ends for good; whoever was not asked yet is released.")
def abort_run(run: RunId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """End a run and release the rest of it.

    Charged stays charged, collections go on, and everyone else is free for the next run. The certificate says so.
    """
    from commands.runs.control import send_update
    from models.operator_command import OperatorCommand

    perform(lambda output: send_update(output, run, "abort", OperatorCommand(actor, reason)), as_json=as_json)


@app.command("rate")
@changes()
def change_rate(
    run: RunId,
    actor: Actor,
    reason: Reason,
    calls_per_second: Annotated[
        int | None, typer.Argument(metavar="[CALLS]", help="Calls a second that the provider's queue lets through.")
    ] = None,
    is_given_back: Annotated[
        bool, typer.Option("--give-back", help="Go back to the rate that the workers were started with.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change the provider's rate until the run ends.

    It holds for all that is asked of the provider. A worker never asks faster than its own DULY_GATEWAY_RATE.
    """
    from commands.runs.control import send_update
    from models.runs.run_control import RateCommand

    if (calls_per_second is None) is not is_given_back:
        raise typer.BadParameter("give a number of calls or --give-back", param_hint="CALLS")
    command = RateCommand(actor, reason, calls_per_second)
    perform(lambda output: send_update(output, run, "change_rate", command), as_json=as_json)


@app.command("dry-run")
def dry_run(
    definition: DefinitionId,
    period: RunPeriodText,
    of_supplement: OfSupplement = False,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """Tell who would be charged; write nothing.

    It tells what, on which card, and why others are passed over, as it is while it reads: a run freezes its members
    when it starts.
    """
    from commands.runs.dry_runs import dry_run

    perform(
        lambda output: dry_run(output, definition, period, of_supplement=of_supplement), as_json=as_json, as_csv=as_csv
    )


@app.command("shadow")
@changes()
def shadow_run(
    definition: DefinitionId,
    period: RunPeriodText,
    wait: Wait = False,
    wait_seconds: FollowSeconds = None,
    as_json: Json = False,
) -> None:
    """Do the whole run without charging.

    The gateway is one that does nothing, and the result is compared with the last certified run. Its id is
    shadow/DEFINITION/PERIOD. It may be run again; the new one replaces the old.
    """
    from commands.runs.dry_runs import shadow_run

    perform(
        lambda output: shadow_run(output, definition, period, wait=wait, wait_seconds=wait_seconds), as_json=as_json
    )


@app.command("differences")
def show_differences(run: RunId, as_csv: AsCsv = False, as_json: Json = False) -> None:
    """Print how a shadow run differs.

    Beside the last certified run: who is new or gone, whose amount or card is another.
    """
    from commands.runs.dry_runs import differences

    perform(lambda output: differences(output, run), as_json=as_json, as_csv=as_csv)
