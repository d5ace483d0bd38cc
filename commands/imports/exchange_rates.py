"""`import rates`: reference rates of exchange from files."""

import getpass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from activities.bank.formats.zipped import files_in
from activities.imports.exchange_rates import PAGE, ExchangeRates, rates_in
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.imports.exchange_rates import ReferenceRate
from models.problem import Problem

_HEADS = ("File", "Line", "Rate", "Field", "Rule", "What is wrong")


async def import_rates(output: Output, file: Path, *, actor: str, replaces: bool) -> None:
    """Keep the rates of a file, or of each file in a ZIP file; a bad one is named and left out."""
    problems: list[Problem] = []
    days: set[str] = set()
    async with database_of(read_settings()) as database:
        importing = ExchangeRates(database, actor=actor or getpass.getuser(), replaces=replaces)
        with files_in(file) as files:
            for one in files:
                found = rates_in(one, datetime.now(UTC).date())
                while page := list(islice(found, PAGE)):
                    rates = [rate for rate in page if isinstance(rate, ReferenceRate)]
                    problems += [problem for problem in page if isinstance(problem, Problem)]
                    problems += await importing.keep(rates)
                    days.update(rate.rate_on.isoformat() for rate in rates)
    counts = {name: importing.counts[name] for name in ("new", "known", "replaced", "differs")}
    document = {
        "rates": counts,
        "first_day": min(days, default=None),
        "last_day": max(days, default=None),
        "problems": [problem.as_document() for problem in problems],
    }
    rows = [(one.source, one.line or "", one.id, one.field, one.rule, one.message) for one in problems]
    shown = [*counts.items(), ("first day", document["first_day"] or ""), ("last day", document["last_day"] or "")]
    refused = (table("Refused rates", *_HEADS, rows=rows, right=("Line",)),) if problems else ()
    output.answer(document, table("", "Rates", "Number", rows=shown, right=("Number",)), *refused, is_good=not problems)
