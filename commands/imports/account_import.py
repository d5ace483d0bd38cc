"""Importing accounts from files: read and judge everything first, then write what is good."""

import getpass
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from babel.localedata import locale_identifiers
from rich.table import Table

from activities.imports.account_import import AccountImport, read_reference, require_provider
from activities.imports.spool import ImportSpool
from commands.collection_signals import signal_collections
from commands.output import Output, counting, table
from commands.session import database_of, read_settings
from models.imports.columns import ACCOUNTS, CARDS, SUBSCRIPTIONS
from models.imports.entry import Change
from models.imports.rows import ImportReference
from models.problem import Problem
from settings import time_zones

PAGE = 500


@dataclass(frozen=True)
class ImportFiles:
    """The files of one import."""

    accounts: Path
    subscriptions: Path | None = None
    cards: Path | None = None

    def given(self) -> Iterator[tuple[str, Path]]:
        """Yield the files that were given, accounts first."""
        files = ((ACCOUNTS, self.accounts), (SUBSCRIPTIONS, self.subscriptions), (CARDS, self.cards))
        return ((source, path) for source, path in files if path is not None)


async def import_files(
    output: Output, files: ImportFiles, *, provider: str, method: str, actor: str, clears_empty: bool
) -> None:
    """Import the files. A file that is none is refused before anything is written; a bad row leaves its account out."""
    settings = read_settings()
    async with database_of(settings) as database:
        if files.cards is not None:
            await require_provider(database, provider=provider, method=method)
        reference = await read_reference(
            database,
            time_zones=time_zones(),
            locales=frozenset(locale_identifiers()),
            provider=provider,
            clears_empty=clears_empty,
        )
        with closing(ImportSpool()) as spool:
            counts = _read(spool, files, reference)
            with counting("Importing", counts["good"]) as advance:
                importing = AccountImport(
                    database, reference, provider=provider, method=method, actor=actor or getpass.getuser()
                )
                changes = await importing.write(spool, advance)
            signals = await signal_collections(
                output, database, settings, sorted(set(importing.paying_otherwise)), signal="card_changed"
            )
            _report(output, spool, counts["read"], changes, signals)


def _read(spool: ImportSpool, files: ImportFiles, reference: ImportReference) -> dict[str, int]:
    for source, path in files.given():
        spool.read(source, path, reference)
    spool.refuse_strays()
    return dict(spool.counts())


def _report(
    output: Output, spool: ImportSpool, read: int, changes: Counter[Change], signals: dict[str, object]
) -> None:
    done = sum(changes.values())
    changes[Change.REFUSED] = read - done
    summary = {str(change): changes[change] for change in Change}
    with output.stream("problems") as stream:
        problems = spool.problems()
        while page := list(islice(problems, PAGE)):
            stream.rows((problem.as_document() for problem in page), _problems(page))
        has_problems = next(spool.problems(), None) is not None
        rows = list(summary.items())
        view = table(f"{read} accounts read", "Accounts", "Number", rows=rows, right=("Number",))
        stream.finish({"accounts_read": read, "accounts": summary, **signals}, view, is_good=not has_problems)


def _problems(problems: list[Problem]) -> Table:
    rows = [
        (problem.source, problem.line, problem.id, problem.field, problem.rule, problem.message) for problem in problems
    ]
    heads = ("File", "Line", "Id", "Field", "Rule", "What is wrong")
    return table("Refused rows", *heads, rows=rows, right=("Line",))
