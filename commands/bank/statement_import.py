"""Importing bank statements: every good line is posted, every bad one named."""

import getpass
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from rich.table import Table

from activities.bank.statement_import import BankImport, Outcome, Result
from commands.bank.statement_files import read_entries
from commands.bank.statement_totals import StatementTotals
from commands.collection_signals import signal_collections
from commands.formatting import money
from commands.output import Output, Stream, problem_table, table
from commands.session import database_of, read_settings
from models.bank.balance import BALANCE_ADDS_UP, StatementBalance
from models.bank.entry import BankEntry
from models.imports.columns import BANK
from models.problem import Problem

BATCH = 100
# An import that was interrupted has posted lines and told nobody: who repeats it tells for these too.
_IN_LEDGER = frozenset({Outcome.POSTED, Outcome.UNCHANGED})


async def import_statement(output: Output, file: Path, *, actor: str) -> None:
    """Import a statement. Raises RefusedError when the file is none; nothing is written then."""
    settings = read_settings()
    entries = read_entries(file)
    counts: Counter[str] = Counter({str(outcome): 0 for outcome in Outcome})
    problems: list[Problem] = []
    touched: set[str] = set()
    direct: set[str] = set()
    totals = StatementTotals()
    async with database_of(settings) as database:
        importing = BankImport(database, actor=actor or getpass.getuser())
        with output.stream("entries") as stream:
            while batch := list(islice(entries, BATCH)):
                problems += [one for one in batch if isinstance(one, Problem)]
                balances = [one.problem(BANK) for one in batch if isinstance(one, StatementBalance)]
                problems += [problem for problem in balances if problem is not None]
                lines = [one for one in batch if isinstance(one, BankEntry)]
                done = await importing.write(lines)
                problems += [one for one in done if isinstance(one, Problem)]
                results = [one for one in done if isinstance(one, Result)]
                totals.add(lines, results)
                counts.update(str(one.outcome) for one in results)
                touched |= {one.account_id for one in results if one.outcome in _IN_LEDGER}
                direct |= {account for one in results for account in one.accounts}
                stream.rows((_document(one) for one in results), _lines(results))
            signals = await signal_collections(output, database, settings, sorted(touched))
            # Whoever waits for a debit's answer looks at once, and would find it by itself tomorrow.
            await signal_collections(output, database, settings, sorted(direct), signal="gateway_event")
            _finish(stream, counts, totals, problems, signals)


def _finish(
    stream: Stream, counts: Counter[str], totals: StatementTotals, problems: list[Problem], signals: dict[str, Any]
) -> None:
    summary = {**counts, "refused": _refused(problems)}
    document = {
        "problems": [problem.as_document() for problem in problems],
        "summary": summary,
        "money": totals.as_documents(),
        **signals,
    }
    views = [table("Lines", "Outcome", "Number", rows=list(summary.items()), right=("Number",))]
    stream.finish(document, *([problem_table(problems)] if problems else []), *views, is_good=not problems)


def _refused(problems: Iterable[Problem]) -> int:
    """Return how many lines are refused. A line may have several problems; in one line of a file may stand several."""
    return len({(problem.line, problem.id) for problem in problems if problem.rule != BALANCE_ADDS_UP})


def _document(one: Result) -> dict[str, Any]:
    return {
        "line": one.entry.line,
        "bank_reference": one.entry.reference,
        "booked_on": one.entry.booked_on,
        "amount_minor": one.entry.amount_minor,
        "currency": one.entry.currency,
        "outcome": one.outcome,
        "account_id": one.account_id,
        "number": one.number,
        "reason": one.reason,
        "written_off": list(one.written_off),
    }


def _where_or_why(one: Result) -> str:
    # What an import found before, and payouts, are named by an id.
    if one.outcome in {Outcome.PAYOUT, Outcome.DIRECT_DEBIT, Outcome.UNCHANGED}:
        return one.reason or one.account_id
    named = one.reason.replace("_", " ") or one.account_id
    return f"{named}: {', '.join(one.written_off)} was written off" if one.written_off else named


def _lines(results: Iterable[Result]) -> Table:
    rows = [
        (
            one.entry.line,
            one.entry.reference,
            money(one.entry.amount_minor, one.entry.currency),
            one.outcome.replace("_", " "),
            _where_or_why(one),
            one.number,
        )
        for one in results
    ]
    columns = ("Line", "Bank reference", "Amount", "Outcome", "Account, or why", "Payment")
    return table("", *columns, rows=rows, right=("Line", "Amount"))
