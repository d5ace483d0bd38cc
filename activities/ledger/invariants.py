"""The ledger's invariants, checked by the database itself: in tests, after every chaos run, and on a schedule."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True)
class Violation:
    """A rule that does not hold, and the id of what breaks it."""

    rule: str
    offender: str


async def find_violations(engine: AsyncEngine, *, limit: int = 100) -> tuple[Violation, ...]:
    """Return what breaks an invariant of the ledger, at most `limit` of it; nothing is the only good answer.

    It reads the whole ledger (seconds for a million postings): a job for the night, not for a request.
    """
    statement = text("select rule, offender from duly.invariant_violations order by rule, offender limit :limit")
    async with engine.connect() as connection:
        rows = await connection.execute(statement, {"limit": limit})
        return tuple(Violation(rule, offender) for rule, offender in rows)
