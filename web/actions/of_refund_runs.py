"""Actions on refund runs: today's is begun, one that goes on is paused and resumed."""

from datetime import UTC, datetime

from commands.console.limited import AskedAction, Carry
from commands.output import ExitCode, Failure, Output
from commands.runs.refund_runs import run, run_of, steer
from models.console.roles import Permission
from models.operator_command import OperatorCommand
from web.actions.action import Action, FormField

# A run without members is refused at once; whoever started one with some follows it on its page.
_FIRST_SECONDS = 3.0
_RUNNING = frozenset({"running"})


async def _start(output: Output, asked: AskedAction) -> None:
    today = datetime.now(UTC).date()
    over_nobody = asked["over_nobody"] == "yes"
    try:
        await run(output, today, not_due_yet=False, over_nobody=over_nobody, wait_seconds=_FIRST_SECONDS)
    except Failure as failure:
        if failure.code is not ExitCode.UNREACHABLE or {one.rule for one in failure.problems} != {"answered_in_time"}:
            raise
        output.note(f"{run_of(today)} has begun, and goes on.")


def _of_run(update: str) -> Carry:
    async def carry(output: Output, asked: AskedAction) -> None:
        await steer(output, asked.id, update, OperatorCommand(asked.actor, asked.reason))

    return carry


ACTIONS = (
    Action(
        *("refund-runs", "start", "Run today's refunds", "refunds run", Permission.RUN),
        "What is due goes back through the gateway: rewards, and where the rules say so, accounts in credit.",
        _start,
        (FormField("over_nobody", "Close the day, also where nobody is due anything", "checkbox"),),
        final="Money goes back to everybody who is due, and the day (UTC) is closed.",
        is_of_list=True,
    ),
    Action(
        *("refund-runs", "pause", "Pause", "refunds pause", Permission.RUN),
        "The run begins with nobody else. What it has asked for, a page of members at most, goes back all the same.",
        _of_run("pause"),
        states=_RUNNING,
    ),
    Action(
        *("refund-runs", "resume", "Resume", "refunds resume", Permission.RUN),
        "A paused run goes on with the next members.",
        _of_run("resume"),
        states=_RUNNING,
    ),
)
