"""Commands to a run: each goes to its workflow, which does it or says why not."""

from dataclasses import asdict

from commands.formatting import money
from commands.links import workflow_link
from commands.output import Output, table
from commands.session import read_settings, temporal_for_orders
from commands.updates import ask
from models.operator_command import OperatorCommand
from models.runs.run_control import RunStatus


async def send_update(output: Output, run_id: str, update: str, command: OperatorCommand) -> None:
    """Ask a run for something and show where it stands then. Raises RefusedError with the run's own reason."""
    settings = read_settings()
    status = await ask(await temporal_for_orders(settings), run_id, update, command, RunStatus, noun="run")
    link = workflow_link(settings, run_id)
    output.answer(
        {"run_id": run_id, **asdict(status), "stage": status.stage.word, "link": link},
        table("", "Run", run_id, rows=_facts(status, link)),
        table("Decisions", "What was decided", rows=[(decision,) for decision in status.decisions]),
    )


def _facts(status: RunStatus, link: str) -> list[tuple[str, object]]:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in status.totals.items())
    charged = ", ".join(
        f"{money(status.charged.get(currency, 0), currency)} of {money(due, currency)}"
        for currency, due in status.due.items()
    )
    facts = [
        ("Stage", status.stage.word),
        ("Waits for", status.waits_for),
        ("Members", f"{status.done} of {status.members - status.skipped} done, {status.skipped} skipped"),
        ("Outcomes", outcomes),
        ("Charged", charged),
        ("Pace", f"{status.payments_per_minute} a minute"),
        ("Queue's rate", f"{status.calls_per_second} calls a second" if status.calls_per_second else ""),
        ("Temporal UI", link),
    ]
    return [(name, value) for name, value in facts if value]
