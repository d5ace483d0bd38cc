"""What the database is asked while a run is on its way: the longest of each statement, beside its time-out."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from activities.database import STANDARD_SECONDS, Database
from activities.ledger.invariants import AUDIT_SECONDS
from activities.runs.payment_runs import SWEEP_SECONDS

SAMPLE_SECONDS = 0.1
# What is farther from its time-out than this share of it is near none.
NEAR_SHARE = 0.5

# Functions that activities call with a time-out of their own; the rest have the standard one.
_TIMEOUTS = {
    "freeze_payment_run": SWEEP_SECONDS,
    "freeze_billing_run": SWEEP_SECONDS,
    "certify_run": SWEEP_SECONDS,
    "invariant_violations": AUDIT_SECONDS,
    "fill_roll_ups": AUDIT_SECONDS,
}
_FUNCTION = re.compile(r"duly\.(\w+)")
_RUNNING = """
    select extract(epoch from clock_timestamp() - query_start)::float8 as seconds, query, state
    from pg_stat_activity
    where usename = current_user and pid <> pg_backend_pid() and backend_type = 'client backend'"""


@dataclass(frozen=True)
class SlowStatement:
    """The longest run of one statement that was seen, in seconds, and after how many its caller gives up."""

    function: str
    seconds: float
    timeout_seconds: float

    @property
    def share(self) -> float:
        """How much of its time-out it took."""
        return round(self.seconds / self.timeout_seconds, 3)


@dataclass
class WatchedStatements:
    """What was seen so far: seconds by statement, and the most connections at once."""

    seconds: dict[str, float] = field(default_factory=dict)
    connections: int = 0

    def slowest(self) -> tuple[SlowStatement, ...]:
        """Return the longest run of each statement, nearest to its time-out first."""
        found = [
            SlowStatement(name, round(seconds, 2), _TIMEOUTS.get(name, STANDARD_SECONDS))
            for name, seconds in self.seconds.items()
        ]
        return tuple(sorted(found, key=lambda each: each.share, reverse=True))

    def note(self, query: str, seconds: float) -> None:
        """Take in a statement that has run for so long."""
        function = _FUNCTION.search(query)
        name = function.group(1) if function else "other"
        self.seconds[name] = max(self.seconds.get(name, 0.0), seconds)


@contextlib.asynccontextmanager
async def watched_statements(database: Database) -> AsyncIterator[WatchedStatements]:
    """Watch the statements of the workers' role while the block runs; what is shorter than the pause may be missed."""
    watched = WatchedStatements()
    watching = asyncio.create_task(_watch(database, watched))
    try:
        yield watched
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _watch(database: Database, watched: WatchedStatements) -> None:
    while True:
        rows = await database.rows(_RUNNING)
        watched.connections = max(watched.connections, len(rows) + 1)
        for row in rows:
            if row.state == "active":
                watched.note(row.query, row.seconds)
        await asyncio.sleep(SAMPLE_SECONDS)
