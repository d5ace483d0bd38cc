"""The progress of a run on a terminal: what became of its members so far, how fast, and how long it will take."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SHOWN = ("billed", "charged", "in_dunning", "unknown", "parked", "skipped", "released")


class RunProgress:
    """A bar fed with the rows of `duly.run_totals`: outcome, reason, currency, members."""

    def __init__(self, progress: "Progress", task: "TaskID") -> None:
        self._progress = progress
        self._task = task

    def update(self, totals: Iterable[Sequence[Any]]) -> None:
        """Show the totals of the moment."""
        members: Counter[str] = Counter()
        declined = 0
        for outcome, _reason, _currency, count, *_ in totals:
            members[outcome] += count
            declined += count if outcome == "in_dunning" and _reason != "no_card" else 0
        done = members.total() - members["to_do"]
        counts = ", ".join(_counted(outcome, members[outcome], declined) for outcome in SHOWN if members[outcome])
        self._progress.update(
            self._task, total=members.total() or None, completed=done, counts=counts, rate=self._rate(done)
        )

    def _rate(self, done: int) -> str:
        elapsed = self._progress.tasks[self._task].elapsed or 0
        return f"{done / elapsed:.0f}/s" if elapsed > 0 else ""


def _counted(outcome: str, members: int, declined: int) -> str:
    if outcome == "in_dunning":
        return f"{declined} declined, {members} in dunning"
    return f"{members} {outcome}"


@contextmanager
def following(run_id: str) -> Iterator[RunProgress]:
    """Show a run's progress on the terminal, if there is one."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from commands.output import console_on

    console = console_on(sys.stderr)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]} {task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(run_id, total=None, counts="", rate="")
        yield RunProgress(progress, task)
