"""The ledger's invariants, checked by the database itself: in tests, after every chaos run, and on a schedule."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from models.ledger.audit import Violation

VIOLATIONS_MAX = 100

# The checks read the whole ledger, seconds for a million postings: a job for the night, not for a request.
AUDIT_SECONDS = 10 * 60.0

_VIOLATIONS = "select rule, offender from duly.invariant_violations order by rule, offender limit :limit"


async def find_violations(engine: AsyncEngine, *, limit: int = VIOLATIONS_MAX) -> tuple[Violation, ...]:
    """Return what breaks an invariant of the ledger, at most `limit` of it; nothing is the only good answer."""
    async with engine.connect() as connection:
        rows = await connection.execute(text(_VIOLATIONS), {"limit": limit})
        return tuple(Violation(rule, offender) for rule, offender in rows)


async def read_violations(database: Database, *, limit: int = VIOLATIONS_MAX) -> list[Violation]:
    """Return the same, under the runtime role."""
    rows = await database.rows(_VIOLATIONS, limit=limit, timeout_seconds=AUDIT_SECONDS)
    return [Violation(row.rule, row.offender) for row in rows]
