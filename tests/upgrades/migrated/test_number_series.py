"""Series come while workers of 0.1.0 still post: their numbers go on, and none is given twice."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from migrations import run
from sandbox.servers.postgres import PostgresServer
from tests.ledger.books import Books
from tests.upgrades.kept_release import KeptRelease
from tests.upgrades.postgres_tools import restore_release

NAME = "before_series"
HIGHEST = "select max(number) from duly.transaction_numbers where number like 'PAY-%'"
IS_OPEN = "select coalesce(bool_or(is_open), false) from duly.number_counters where stem = 'PAY'"


@pytest.fixture
async def old(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[str]:
    """A database of 0.1.0 with its data, brought to the newest revision; its functions are those of 0.1.0."""
    await restore_release(postgres_server, KeptRelease("0.1.0"), NAME, tmp_path)
    url = postgres_server.owner_url(NAME)
    await asyncio.to_thread(command.upgrade, run.configuration(url), "head")
    yield url
    await postgres_server.drop_database(NAME)


def replace_functions(url: str) -> None:
    """Do the second step of migrate."""
    engine = create_engine(url)
    with engine.connect() as connection:
        assert run.apply_functions(connection)
    engine.dispose()


class Payer:
    """A connection that posts payments, each on an account of its own."""

    def __init__(self, url: str, accounts: list[tuple[str, str]]) -> None:
        self.books = Books(url)
        self.numbers: list[str] = []
        self._accounts = accounts

    def pay(self) -> int:
        """Post a payment and return what its number counts."""
        account, currency = self._accounts.pop()
        posted = self.books.call(
            "create_payment",
            key=f"series/{account}",
            account_id=account,
            amount_minor=1,
            currency=currency,
            method="cash",
        )
        self.numbers.append(str(posted.number))
        return int(self.numbers[-1][-10:])

    def pay_when_allowed(self, watcher: Books) -> threading.Thread:
        """Pay in a thread, which waits for a number by now."""
        thread = threading.Thread(target=self.pay)
        thread.start()
        pid = self.books.connection.info.backend_pid
        while not watcher.value("select count(*) from pg_locks where pid = %s and not granted", pid):
            assert thread.is_alive(), "it did not wait"
        return thread


@pytest.fixture
def payers(old: str) -> Iterator[list[Payer]]:
    with closing(Books(old)) as owner:
        accounts = [tuple(row) for row in owner.run("select id, currency from duly.accounts where kind = 'customer'")]
    found = [Payer(old, accounts) for _ in range(4)]
    yield found
    for payer in found:
        payer.books.close()


async def test_payments_of_the_old_release_that_are_not_committed_yet_keep_their_numbers(
    old: str, payers: list[Payer]
) -> None:
    first, second, third, watcher = payers
    highest = int(watcher.books.value(HIGHEST)[-10:])
    with first.books.connection.transaction():
        number = first.pay()
        waiting = [second.pay_when_allowed(watcher.books)]
        await asyncio.to_thread(replace_functions, old)
        waiting.append(third.pay_when_allowed(watcher.books))
    for thread in waiting:
        await asyncio.to_thread(thread.join)

    assert number == highest + 1
    assert sorted(second.numbers + third.numbers) == [f"PAY-{number + n:010}" for n in (1, 2)]
    while not watcher.books.value(IS_OPEN):
        number = third.pay()
    assert second.pay() == number + 1
    assert watcher.books.violations() == []


@pytest.mark.nightly
async def test_numbers_come_from_the_sequence_when_what_began_with_the_old_release_is_over(
    old: str, payers: list[Payer]
) -> None:
    """It may be about to take the highest number plus one, whatever others have taken meanwhile."""
    first, second, _, _ = payers
    with first.books.connection.transaction():
        first.books.run("select pg_current_xact_id()")
        await asyncio.to_thread(replace_functions, old)
        before = [second.pay() for _ in range(3)]
        assert not second.books.value(IS_OPEN)

    while not second.books.value(IS_OPEN):
        before.append(second.pay())

    assert second.pay() == before[-1] + 1
    assert before == list(range(before[0], before[0] + len(before)))
