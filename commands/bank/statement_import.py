"""Importing bank statements: every good line is posted, every bad one named."""

import asyncio
import getpass
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rich.table import Table

from activities.bank.formats.layouts import statement_layouts
from activities.bank.formats.zipped import files_in
from activities.bank.import_lock import one_import_at_a_time
from activities.bank.iso_statement import Read
from activities.bank.statement_import import BankImport, Outcome, Result
from activities.database import Database
from commands.bank.statement_files import read_entries
from commands.bank.statement_totals import StatementTotals
from commands.collection_signals import signal_collections
from commands.formatting import money
from commands.output import Output, Stream, problem_table, table
from commands.session import database_of, read_settings
from models.bank.balance import BALANCE_ADDS_UP, StatementBalance
from models.bank.entry import BankEntry
from models.imports.columns import BANK
from models.problem import Problem, RefusedError

BATCH = 100
# An import that was interrupted has posted lines and told nobody: who repeats it tells for these too.
_IN_LEDGER = frozenset({Outcome.POSTED, Outcome.UNCHANGED})


@dataclass
class ImportedStatement:
    """What became of a statement's lines so far: how many, what was wrong, what it came to, and whom it concerns."""

    counts: Counter[str] = field(default_factory=lambda: Counter({str(outcome): 0 for outcome in Outcome}))
    problems: list[Problem] = field(default_factory=list)
    totals: StatementTotals = field(default_factory=StatementTotals)
    touched: set[str] = field(default_factory=set)
    direct: set[str] = field(default_factory=set)

    @property
    def summary(self) -> dict[str, int]:
        """Return how many lines became what."""
        return {**self.counts, "refused": _refused(self.problems)}


async def import_statement(output: Output, file: Path, *, actor: str, layout: str = "") -> None:
    """Import a statement, or each in a ZIP file. Raises RefusedError when it is none; nothing is written then."""
    settings = read_settings()
    done = ImportedStatement()
    async with database_of(settings) as database:
        with output.stream("entries") as stream:
            async for results in import_files(database, file, done, actor=actor, layout=layout):
                stream.rows((_document(each) for each in results), _lines(results))
            signals = await signal_collections(output, database, settings, sorted(done.touched))
            # Whoever waits for a debit's answer looks at once, and would find it by itself tomorrow.
            await signal_collections(output, database, settings, sorted(done.direct), signal="gateway_event")
            _finish(stream, done, signals)


async def import_files(
    database: Database, file: Path, done: ImportedStatement, *, actor: str, layout: str = "", is_dry_run: bool = False
) -> AsyncIterator[list[Result]]:
    """Import a statement, or each in a ZIP file; yield what became of lines, and add it up. Raises RefusedError.

    `layout` is the one of the configuration by which CSV is read; "" is the one whose columns a file has. Imports go
    one after the other, since two files that bring the same line may have different keys for it; a dry run, which
    leaves nothing behind, waits for none.
    """
    layouts = await statement_layouts(database, layout)
    async with nullcontext() if is_dry_run else one_import_at_a_time(database):
        with files_in(file) as files:
            for one in files:
                is_zip = files != [file]
                try:
                    entries = read_entries(one, layouts, by_layout=bool(layout))
                    async for results in _import_lines(database, entries, done, actor=actor):
                        yield results
                except RefusedError as refused:
                    # Of several files one that is none costs no other.
                    if not is_zip:
                        raise
                    done.problems += refused.problems
                if is_zip:
                    done.problems = [_in_file(problem, one.name) for problem in done.problems]


def _in_file(problem: Problem, name: str) -> Problem:
    return problem if problem.source not in {BANK, "", name} else replace(problem, source=f"{BANK}: {name}")


async def _import_lines(
    database: Database, entries: Iterator[Read], done: ImportedStatement, *, actor: str
) -> AsyncIterator[list[Result]]:
    importing = BankImport(database, actor=actor or getpass.getuser())
    # Reading a file is work of the processor: beside the event loop, on which others are served.
    while batch := await asyncio.to_thread(lambda: list(islice(entries, BATCH))):
        done.problems += [one for one in batch if isinstance(one, Problem)]
        balances = [one.problem(BANK) for one in batch if isinstance(one, StatementBalance)]
        done.problems += [problem for problem in balances if problem is not None]
        lines = [one for one in batch if isinstance(one, BankEntry)]
        written = await importing.write(lines)
        done.problems += [one for one in written if isinstance(one, Problem)]
        results = [one for one in written if isinstance(one, Result)]
        done.totals.add(lines, results)
        done.counts.update(str(one.outcome) for one in results)
        done.touched |= {one.account_id for one in results if one.outcome in _IN_LEDGER}
        done.direct |= {account for one in results for account in one.accounts}
        yield results


def _finish(stream: Stream, done: ImportedStatement, signals: dict[str, Any]) -> None:
    document = {
        "problems": [problem.as_document() for problem in done.problems],
        "summary": done.summary,
        "money": done.totals.as_documents(),
        **signals,
    }
    views = [table("Lines", "Outcome", "Number", rows=list(done.summary.items()), right=("Number",))]
    problems = [problem_table(done.problems)] if done.problems else []
    stream.finish(document, *problems, *views, is_good=not done.problems)


def _refused(problems: Iterable[Problem]) -> int:
    """Return how many lines are refused. A line may have several problems; in one line of a file may stand several."""
    return len({(problem.source, problem.line, problem.id) for problem in problems if problem.rule != BALANCE_ADDS_UP})


def _document(one: Result) -> dict[str, Any]:
    return {
        "line": one.entry.line,
        "bank_reference": one.entry.kept_reference,
        "booked_on": one.entry.booked_on,
        "amount_minor": one.entry.amount_minor,
        "currency": one.entry.currency,
        "outcome": one.outcome,
        "account_id": one.account_id,
        "number": one.number,
        "reason": one.reason,
        "written_off": list(one.written_off),
    }


def where_or_why(one: Result) -> str:
    """Return whose a line's money is, or why nobody knows."""
    # What an import found before, and payouts, are named by an id.
    if one.outcome in {Outcome.PAYOUT, Outcome.DIRECT_DEBIT, Outcome.UNCHANGED}:
        return one.reason or one.account_id
    named = one.reason.replace("_", " ") or one.account_id
    return f"{named}: {', '.join(one.written_off)} was written off" if one.written_off else named


def _lines(results: Iterable[Result]) -> Table:
    rows = [
        (
            one.entry.line,
            one.entry.kept_reference,
            money(one.entry.amount_minor, one.entry.currency),
            one.outcome.replace("_", " "),
            where_or_why(one),
            one.number,
        )
        for one in results
    ]
    columns = ("Line", "Bank reference", "Amount", "Outcome", "Account, or why", "Payment")
    return table("", *columns, rows=rows, right=("Line", "Amount"))
