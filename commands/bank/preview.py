"""What a file of the bank would do: imported as it will be, shown, and taken back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from activities.bank.refund_confirmation import Confirmed, RefundConfirm
from activities.bank.statement_import import Result
from activities.console.dry_run import dry_run
from commands.bank.refund_confirmation import apply_answers, read_all
from commands.bank.statement_import import ImportedStatement, import_files
from commands.session import database_of, read_settings
from models.problem import Problem


@dataclass
class StatementPreview:
    """What would become of a statement: line by line, what is wrong, and what it comes to."""

    results: list[Result] = field(default_factory=list)
    done: ImportedStatement = field(default_factory=ImportedStatement)


@dataclass(frozen=True)
class AnswersPreview:
    """What the bank's answers would do to refunds, and which are wrong."""

    confirmed: Sequence[Confirmed]
    problems: Sequence[Problem]


async def preview_statement(file: Path, *, actor: str, layout: str = "") -> StatementPreview:
    """Import a statement, by a layout where one is named, and take it back. Raises RefusedError when the file is none.

    Raises DatabaseUnavailableError for one that takes longer than others may wait for what it locks.
    """
    found = StatementPreview()
    async with database_of(read_settings()) as database, dry_run(database) as trying:
        async for results in import_files(trying, file, found.done, actor=actor, layout=layout, is_dry_run=True):
            found.results += results
    return found


async def preview_answers(file: Path, *, actor: str, rejection_reason: str) -> AnswersPreview:
    """Apply answers about refunds and take it back. Raises RefusedError when the file holds none."""
    # Beside the event loop, and before anything is locked.
    answers = await asyncio.to_thread(lambda: list(read_all(file)))
    async with database_of(read_settings()) as database, dry_run(database) as trying:
        confirming = RefundConfirm(trying, actor=actor, rejection_reason=rejection_reason)
        results = await apply_answers(confirming, answers)
    return AnswersPreview(
        [one for one in results if isinstance(one, Confirmed)], [one for one in results if isinstance(one, Problem)]
    )
