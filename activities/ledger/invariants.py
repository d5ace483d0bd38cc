"""The ledger's invariants, checked by the database itself: in tests, after every chaos run, and on a schedule."""

from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from models.ledger.audit import Violation

VIOLATIONS_MAX = 100

# One rule reads the whole ledger: seconds at a million postings, half an hour at hundreds of millions.
AUDIT_SECONDS = 60 * 60.0

# As the views name them (migrations/functions/ledger/invariants.sql). The server asks one branch of the view for each.
RULES = (
    "I1 transfers equal the total",
    "I2 balance is the sum of postings",
    "I3 running balance",
    "I4 lines equal the total",
    "I5 open item of what is posted",
    "I6 number of what is posted",
    "I6 numbers without gaps",
    "I7 allocated is the sum of allocations",
    "I8 balance is what is open",
    "I9 open on one side only",
    "I10 allocation within an account",
    "I11 cancelled with its cancellation",
    "I12 written off with its mirror",
    "I13 sub-ledger equals its control account",
    "I14 trial balance is zero",
    "I15 transfer of what was posted",
    "I16 seal of the ledger",
    "I17 roll-up equals its transfers",
    "I18 posted on an open day",
    "I19 wallet is the sum of its transfers",
    "I19 running balance of a wallet",
    "I20 debits use credits",
    "I20 credit within itself",
    "I21 clearing of wallets is zero",
    "I21 document of a wallet transaction",
    "I22 liability is the vouchers that are out",
    "I22 step of vouchers",
    "I23 clearing of vouchers is zero",
    "I23 document of vouchers",
    "I24 top-ups that are asked for",
    "I24 top-up in the wallet is settled",
    "I24 invoice of a top-up",
    "I25 line of bank debits",
    "I25 debit as its lines have it",
    "I26 attempt of a bank debit",
    "I27 clearing of bank debits is zero",
)

_VIOLATIONS = "select rule, offender from duly.invariant_violations order by rule, offender limit :limit"
_OF_RULE = "select offender from duly.invariant_violations where rule = :rule order by offender limit :limit"


async def find_violations(engine: AsyncEngine, *, limit: int = VIOLATIONS_MAX) -> tuple[Violation, ...]:
    """Return what breaks an invariant of the ledger, at most `limit` of it; nothing is the only good answer."""
    async with engine.connect() as connection:
        rows = await connection.execute(text(_VIOLATIONS), {"limit": limit})
        return tuple(Violation(rule, offender) for rule, offender in rows)


async def read_violations(database: Database, *, limit: int = VIOLATIONS_MAX) -> list[Violation]:
    """Return the same, under the runtime role and rule by rule."""
    found: list[Violation] = []
    async for _, broken in check_rules(database, limit=limit):
        found += broken
    return found[:limit]


async def check_rules(
    database: Database, *, after: int = 0, limit: int = VIOLATIONS_MAX
) -> AsyncIterator[tuple[int, list[Violation]]]:
    """Check one rule after the other, but for the first so many; yield how many are checked, and what breaks the last.

    Each is a statement of its own: a ledger of years takes hours for all of them, and no transaction stays open for
    as long.
    """
    for checked, rule in enumerate(RULES[after:], start=after + 1):
        rows = await database.rows(_OF_RULE, rule=rule, limit=limit, timeout_seconds=AUDIT_SECONDS)
        yield checked, [Violation(rule, row.offender) for row in rows]
