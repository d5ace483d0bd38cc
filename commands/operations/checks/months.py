"""Examining the months: each that is due has its run, and what was billed is collected."""

from datetime import UTC, datetime

from activities.database import Database
from activities.runs.month_queries import read_missed_months
from commands.operations.checks.finding import Finding, ok, warning

SHOWN = 6


async def examine_months(database: Database) -> Finding:
    """Say which months have no run, and the commands that run them."""
    missed = await read_missed_months(database, datetime.now(UTC))
    if not missed:
        return ok("months", "each that is due has its run")
    named = [f"{one.definition_id} {one.month}{' (billed)' if one.is_billed else ''}" for one in missed[:SHOWN]]
    others = f", and {len(missed) - SHOWN} more" if len(missed) > SHOWN else ""
    advice = "; ".join(f"`{one.remedy}`" for one in missed[:SHOWN])
    closing = "; --over-nobody closes a month in which nobody is due"
    return warning("months", f"without their run: {', '.join(named)}{others}", f"{advice}{closing}")
