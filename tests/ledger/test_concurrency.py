"""Many writers at once: no number skipped, no deadlock, no balance lost, each key once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from models.ledger.refusals import LedgerError
from tests.ledger.books import Books
from tests.ledger.histories.ledger_history import LedgerHistory
from tests.ledger.histories.test_histories import Seeded

WRITERS = 6


def at_once(database_url: str, work: Callable[[int, Books], None]) -> None:
    """Let every writer do its work on a connection of its own, all starting together."""
    start = threading.Barrier(WRITERS)

    def write(number: int) -> None:
        with closing(Books(database_url)) as books:
            start.wait()
            work(number, books)

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(write, number) for number in range(WRITERS)]:
            done.result()


@pytest.fixture
def accounts(books: Books) -> list[str]:
    """Four accounts that everybody writes to."""
    return [books.open_account(f"shared_{number}") for number in range(4)]


def test_invoices_have_no_gap_and_payments_no_number_twice_though_some_writers_are_refused(
    books: Books, database_url: str, accounts: list[str]
) -> None:
    def work(number: int, writer: Books) -> None:
        for turn in range(15):
            account = accounts[(number + turn) % len(accounts)]
            writer.pay(f"{number}/{turn}", account, 1 + turn)
            writer.invoice(f"{number}/{turn}/i", account, 1 + turn)
            with pytest.raises(LedgerError):
                writer.invoice(f"{number}/{turn}/bad", account, 2**53)
            with writer.connection.transaction(force_rollback=True):
                writer.pay(f"{number}/{turn}/gone", account, 1)

    at_once(database_url, work)

    numbers = [row[0] for row in books.run("select number from duly.transaction_numbers order by number")]
    assert numbers[: WRITERS * 15] == [f"INV-{n:010}" for n in range(1, WRITERS * 15 + 1)]
    assert [number[:4] for number in numbers[WRITERS * 15 :]] == ["PAY-"] * WRITERS * 15
    assert sum(books.balance(account) for account in accounts) == 0


def test_one_key_asked_by_everybody_at_once_is_one_transaction(books: Books, database_url: str) -> None:
    made: list[str] = []

    def work(_: int, writer: Books) -> None:
        made.extend(writer.pay(f"same/{turn}", "acc_1", 5) for turn in range(10))

    at_once(database_url, work)

    assert len(set(made)) == 10
    assert books.balance("acc_1") == -50


def test_payments_moved_to_and_fro_do_not_deadlock(books: Books, database_url: str, accounts: list[str]) -> None:
    payments = {number: books.pay(f"p{number}", accounts[number % 2], 10) for number in range(WRITERS)}

    def work(number: int, writer: Books) -> None:
        payment = payments[number]
        for turn in range(8):
            destination = accounts[(number + turn + 1) % 2]
            receipt = writer.call(
                "move_to_account", key=f"m{number}/{turn}", payment_id=payment, account_id=destination
            )
            payment = receipt.transaction_id

    at_once(database_url, work)

    assert books.balance(accounts[0]) + books.balance(accounts[1]) == -10 * WRITERS


def test_write_offs_and_batches_over_the_same_accounts_do_not_deadlock(
    books: Books, database_url: str, accounts: list[str]
) -> None:
    def work(number: int, writer: Books) -> None:
        for turn in range(5):
            invoice = writer.invoice(f"i{number}/{turn}", accounts[turn % len(accounts)], 10)
            writer.call("write_off", key=f"w{number}/{turn}", invoice_id=invoice, type_id="write_off")

    at_once(database_url, work)

    assert books.balance("acc_write_off_eur") == WRITERS * 5 * 10


@pytest.mark.nightly
def test_histories_told_side_by_side_agree_with_their_oracles(
    books: Books, owner_database_url: str, database_url: str
) -> None:
    def work(number: int, writer: Books) -> None:
        with closing(Books(owner_database_url)) as owner:
            history = LedgerHistory(writer, owner, Seeded(300 + number), number)
            # The allocation principle is one for all, so nobody may change it while others write.
            history.actions = tuple(action for action in history.actions if action != history.change_principle)
            for _ in range(30):
                history.step()

    at_once(database_url, work)

    assert books.violations() == []


def test_a_writer_that_dies_leaves_nothing_behind(books: Books, owner_database_url: str, database_url: str) -> None:
    with closing(Books(database_url)) as writer:
        writer.connection.autocommit = False
        writer.pay("p1", "acc_1", 10)
        backend = writer.connection.info.backend_pid
        terminate = "select pg_terminate_backend(%s)"
        with closing(Books(owner_database_url)), closing(Books(database_url)) as same_role:
            assert same_role.value(terminate, backend)
        with pytest.raises(psycopg.OperationalError):
            writer.pay("p2", "acc_1", 10)

    assert books.balance("acc_1") == 0
    assert books.transaction(books.pay("p1", "acc_1", 10))["number"] == "PAY-0000000001"
