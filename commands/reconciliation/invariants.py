"""Checking the ledger's invariants."""

from dataclasses import asdict

from activities.ledger.invariants import VIOLATIONS_MAX, read_violations
from commands.output import Output, table
from commands.session import read_settings, reading_database_of


async def check(output: Output) -> None:
    """Name the first of what breaks a rule of the ledger."""
    async with reading_database_of(read_settings()) as database:
        violations = await read_violations(database)
    rows = [(one.rule, one.offender) for one in violations]
    more = "There may be more: these are the first." if len(rows) == VIOLATIONS_MAX else ""
    output.answer(
        {"holds": not violations, "violations": [asdict(one) for one in violations]},
        *([table("", "Rule", "Broken by", rows=rows), more] if rows else ["Every rule of the ledger holds."]),
        is_good=not violations,
    )
