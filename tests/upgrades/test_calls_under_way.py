"""A call that is under way when migrate commits has begun in a body of the last release."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic import command

from migrations import run
from sandbox.servers.postgres import PostgresServer
from tests.ledger.books import Books
from tests.upgrades.kept_release import releases
from tests.upgrades.postgres_tools import restore_release

NAME = "in_flight"
PERIOD = "2026-11"
UNDEFINED_FUNCTION = "42883"
ATTEMPTS = """
    select count(*) from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id
    where r.account_id = %s and r.period = %s
"""
PAYER = """
    select c.account_id, c.provider_id from duly.cards c join duly.accounts a on a.id = c.account_id
    where c.state = 'active' and c.is_recurring and a.state = 'active' limit 1
"""
BILL = """
    select duly.create_invoice('under way', a.id, a.currency, jsonb_build_array(jsonb_build_object(
        'product_id', (select product_id from duly.transaction_lines limit 1), 'quantity', 1, 'unit_price_minor', 700,
        'net_minor', 700, 'tax_rate_id', null, 'tax_minor', 0, 'total_minor', 700)), p_issued_on => '2026-11-01')
    from duly.accounts a where a.id = %s
"""
WAITS_FOR = """
    select count(*) from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
    where l.relation = to_regclass('duly.' || %s) and not l.granted
"""
OPEN = "select duly.open_attempt(%s, %s, %s, %s, %s, %s, %s)"


@pytest.fixture
async def old(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[str]:
    """A database of the last release with its data."""
    await restore_release(postgres_server, releases()[-1], NAME, tmp_path)
    yield postgres_server.owner_url(NAME)
    await postgres_server.drop_database(NAME)


class OpeningAttempt:
    """A call of a worker of 0.1.0 that opens the first attempt of a month, in a thread."""

    def __init__(self, url: str, account: str, provider: str) -> None:
        self.books = Books(url)
        self.refused: psycopg.Error | None = None
        self._arguments = (account, PERIOD, provider, "", 1, "manual", "")
        self._thread = threading.Thread(target=self._open)

    def wait_for_account(self, watcher: Books) -> None:
        """Begin, and return when it waits for the lock of its account."""
        self._thread.start()
        pid = self.books.connection.info.backend_pid
        while not watcher.value("select count(*) from pg_locks where pid = %s and not granted", pid):
            assert self._thread.is_alive(), "it did not wait"

    def end(self) -> None:
        """Wait until it has an answer."""
        self._thread.join()

    def repeat(self) -> dict[str, object]:
        """Make the same call again, as the retried activity does."""
        return dict(self.books.value(OPEN, *self._arguments))

    def _open(self) -> None:
        try:
            self.repeat()
        except psycopg.Error as error:
            self.refused = error


async def test_a_call_under_way_is_refused_whole_and_its_repetition_is_done(old: str) -> None:
    """Its body goes on with functions that this release no longer has: nothing of it stays, and it is repeated.

    It began after the revisions: an index that is built beside what writes waits for all that began before it.
    """
    await asyncio.to_thread(command.upgrade, run.configuration(old), "head")
    with closing(Books(old)) as watcher:
        account, provider = watcher.run(PAYER)[0]
        watcher.run(BILL, account)
        call = OpeningAttempt(old, account, provider)
        with watcher.connection.transaction():
            watcher.run("select from duly.account_balances where account_id = %s for update", account)
            call.wait_for_account(watcher)
            await asyncio.to_thread(run.migrate, old)
        await asyncio.to_thread(call.end)
        left = watcher.value(ATTEMPTS, account, PERIOD)
        repeated = call.repeat()

        assert call.refused is not None
        assert (call.refused.sqlstate, left) == (UNDEFINED_FUNCTION, 0)
        assert "attempt" in repeated
        assert watcher.value(ATTEMPTS, account, PERIOD) == 1
        call.books.close()


@pytest.mark.nightly
async def test_a_revision_that_a_payment_has_locked_out_is_repeated_until_it_is_through(old: str) -> None:
    """The payment has posted and is about to write its outcome down; the revision has the other table by then."""
    paying, watcher = Books(old), Books(old)
    migrating = asyncio.create_task(asyncio.to_thread(run.migrate, old))
    try:
        with paying.connection.transaction():
            paying.run("lock table duly.financial_transactions in row exclusive mode")
            while not watcher.value(WAITS_FOR, "financial_transactions"):
                assert not migrating.done(), "no revision wanted the table"
                await asyncio.sleep(0.02)
            # Each waits for the other. Whoever has waited for a second is ended: the revision was there first.
            await asyncio.to_thread(paying.run, "lock table duly.run_items in row exclusive mode")
        migrated = await migrating
    finally:
        paying.close()
        watcher.close()

    assert (migrated.after, migrated.has_new_functions) == (run.head(), True)
