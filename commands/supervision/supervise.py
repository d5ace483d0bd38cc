"""`supervise`: what is open and has no workflow goes on from its row."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import ANSWER_SECONDS, Json, WaitSeconds
from commands.runner import perform


@changes()
def supervise(
    only: Annotated[
        str, typer.Option("--only", help="Resume this workflow now, such as collection/acc_1/2026-11.")
    ] = "",
    actor: Annotated[str, typer.Option("--actor", help="Who asks for it; wanted with --only.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it goes on; wanted with --only.")] = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Compare open collections, refunds, reductions, disputes, cards, runs and messages with Temporal's workflows.

    What has none is resumed from its row. After somebody terminated it an hour passes first; a run that a person ended,
    and what was stopped for the fourth time in a day, is only listed, with the command that resumes it. The schedule
    does the same every 15 minutes; `doctor --workflows` says what it would do.
    """
    from commands.supervision.supervise_work import resume_one, supervise_all

    perform(
        lambda output: resume_one(output, only, actor, reason) if only else supervise_all(output, wait_seconds),
        as_json=as_json,
    )
