"""What a file of the bank would do: imported as it will be, shown, and taken back."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from activities.bank.formats.layouts import statement_layouts
from activities.bank.refund_confirmation import Confirmed, RefundConfirm
from activities.bank.statement_import import Result
from activities.console.dry_run import dry_run
from commands.bank.refund_confirmation import apply_answers, read_all
from commands.bank.statement_files import read_entries
from commands.bank.statement_import import ImportedStatement, import_files
from commands.session import database_of, read_settings, reading_database_of
from models.bank.entry import BankEntry
from models.bank.exports.layout import StatementLayout
from models.imports.columns import BANK
from models.problem import Problem


@dataclass
class StatementPreview:
    """What would become of a statement: line by line, what is wrong, and what it comes to."""

    results: list[Result] = field(default_factory=list)
    done: ImportedStatement = field(default_factory=ImportedStatement)


@dataclass
class StatementCount:
    """What a statement has, read alone: lines, credits and debits by currency in minor units, and what is wrong."""

    lines: int = 0
    credits: Counter[str] = field(default_factory=Counter)
    debits: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


@dataclass
class AnswersCount:
    """What a file of answers has, read alone: how many of each status, and what is wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


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
    async with reading_database_of(read_settings()) as database:
        layouts = await statement_layouts(database)
    # Beside the event loop, and before anything is locked.
    answers = await asyncio.to_thread(lambda: list(read_all(file, layouts)))
    async with database_of(read_settings()) as database, dry_run(database) as trying:
        confirming = RefundConfirm(trying, actor=actor, rejection_reason=rejection_reason)
        results = await apply_answers(confirming, answers)
    return AnswersPreview(
        [one for one in results if isinstance(one, Confirmed)], [one for one in results if isinstance(one, Problem)]
    )


async def count_statement(file: Path, *, layout: str = "") -> StatementCount:
    """Read a statement, and nothing else: whose each line is stays open. Raises RefusedError when the file is none."""
    async with reading_database_of(read_settings()) as database:
        layouts = await statement_layouts(database, layout)
    return await asyncio.to_thread(_counted, file, layouts, by_layout=bool(layout))


def _counted(file: Path, layouts: Sequence[StatementLayout], *, by_layout: bool) -> StatementCount:
    found = StatementCount()
    for one in read_entries(file, layouts, by_layout=by_layout):
        if isinstance(one, BankEntry):
            found.lines += 1
            (found.credits if one.is_credit else found.debits)[one.currency] += one.amount_minor
        elif isinstance(one, Problem):
            found.problems.append(one)
        elif (wrong := one.problem(BANK)) is not None:
            found.problems.append(wrong)
    return found


async def count_answers(file: Path) -> AnswersCount:
    """Read answers about refunds, and nothing else. Raises RefusedError when the file holds none."""
    found = AnswersCount()
    for one in await asyncio.to_thread(lambda: list(read_all(file))):
        if isinstance(one, Problem):
            found.problems.append(one)
        else:
            found.answers[str(one.status)] += 1
    return found
