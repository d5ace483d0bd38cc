"""Writers that post payments without pause, repeat each with its key until it is acknowledged, and count."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from activities.database import Database, DatabaseUnavailableError, create_engine
from activities.ledger.invariants import find_violations

WRITERS = 8
ACCOUNTS = 40
AMOUNT_MINOR = 100
# Short, so that a dead or frozen server is noticed soon; the product's own are set the same way, only longer.
CALL_SECONDS = 3.0


@dataclass
class Tally:
    """What writers saw: keys acknowledged, calls that got no answer, the longest time without an answer."""

    acknowledged: list[str] = field(default_factory=list)
    unanswered: int = 0
    longest_gap: float = 0.0
    answered_at: float = field(default_factory=time.monotonic)

    def answer(self, key: str) -> None:
        """Note that a key was acknowledged now."""
        now = time.monotonic()
        self.longest_gap = max(self.longest_gap, now - self.answered_at)
        self.answered_at = now
        self.acknowledged.append(key)


@dataclass(frozen=True)
class Verdict:
    """What became of the acknowledged keys, and of the invariants of the ledger; `lost` and `doubled` must be 0."""

    acknowledged: int
    unanswered: int
    longest_gap_seconds: float
    lost: int
    doubled: int
    violations: int


async def open_accounts(url: str) -> None:
    """Open the accounts that the writers pay on; safe to repeat."""
    database = Database(create_engine(url, pool=1))
    for number in range(ACCOUNTS):
        await database.call("open_account", account_id=f"acc_{number}", currency="EUR", owner_name="Ada Lovelace")
    await database.dispose()


@contextlib.asynccontextmanager
async def writing(url: str, name: str) -> AsyncIterator[Tally]:
    """Post from several connections for as long as the block runs; every key that was begun is ended."""
    database = Database(create_engine(url, pool=WRITERS), timeout_seconds=CALL_SECONDS)
    tally, stop = Tally(), asyncio.Event()
    writers = [
        asyncio.create_task(_write(database, tally, f"{name}/{number}", number, stop)) for number in range(WRITERS)
    ]
    try:
        yield tally
    finally:
        stop.set()
        await asyncio.gather(*writers)
        await database.dispose()


async def verify(url: str, tally: Tally) -> Verdict:
    """Compare what was acknowledged with what is there."""
    engine = create_engine(url, pool=1)
    database = Database(engine, timeout_seconds=60.0)
    rows = await database.rows("select idempotency_key, total_minor from duly.financial_transactions")
    booked = await database.rows("select coalesce(-sum(balance_minor), 0) from duly.account_balances")
    violations = await find_violations(engine)
    await database.dispose()
    stored = {str(row[0]) for row in rows}
    return Verdict(
        acknowledged=len(tally.acknowledged),
        unanswered=tally.unanswered,
        longest_gap_seconds=round(tally.longest_gap, 2),
        lost=len(set(tally.acknowledged) - stored),
        # Keys are unique, so what was doubled would show as money that no key explains.
        doubled=(int(booked[0][0]) - AMOUNT_MINOR * len(stored)) // AMOUNT_MINOR,
        violations=len(violations),
    )


async def _write(database: Database, tally: Tally, name: str, writer: int, stop: asyncio.Event) -> None:
    for number in itertools.count():
        if stop.is_set():
            return
        key = f"{name}/{number}"
        # Each begins elsewhere, so that they do not all wait for the same account.
        await _post(database, tally, key, f"acc_{(writer * ACCOUNTS // WRITERS + number) % ACCOUNTS}")
        tally.answer(key)


async def _post(database: Database, tally: Tally, key: str, account_id: str) -> None:
    """Post one payment, and ask again with the same key until there is an answer."""
    while True:
        try:
            await database.call(
                "create_payment",
                key=key,
                account_id=account_id,
                amount_minor=AMOUNT_MINOR,
                currency="EUR",
                method="cash",
            )
            return
        except DatabaseUnavailableError:
            tally.unanswered += 1
            await asyncio.sleep(0.02)
