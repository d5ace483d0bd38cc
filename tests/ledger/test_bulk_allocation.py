"""Bulk FIFO: what settles what is the same as account by account, and the same as the oracle says."""

import json
import random

import pytest

from models.ledger.transaction import Side
from tests.ledger.books import Books, line
from tests.ledger.oracle.allocation import Item, Settlement, allocate_fifo

ACCOUNTS = [f"bulk_{number}" for number in range(12)]


@pytest.fixture
def unallocated(owner: Books) -> list[str]:
    """Accounts with many open credits and many open debits: what each had settled was taken back."""
    rng = random.Random(11)
    for account in ACCOUNTS:
        owner.open_account(account)
        credits_, debits = rng.randint(0, 9), rng.randint(0, 9)
        for number in range(credits_):
            owner.pay(f"p/{account}/{number}", account, rng.randint(1, 900))
        elements = [
            {"key": f"i/{account}/{n}", "account_id": account, "currency": "EUR", "lines": [line(rng.randint(1, 900))]}
            for n in range(debits)
        ]
        if elements:
            owner.run("select * from duly.post_invoices(%s)", json.dumps(elements))
    owner.run("insert into duly.deallocations (allocation_id) select id from duly.current_allocations")
    return ACCOUNTS


def predicted(owner: Books, account_id: str) -> set[tuple[str, str, int]]:
    """What the oracle would settle on an account."""
    rows = owner.run(
        "select transaction_id, side::text, sort_on, account_version, amount_minor from duly.open_items"
        " where account_id = %s",
        account_id,
    )
    items = tuple(Item(id, Side(side), sort_on, version, amount) for id, side, sort_on, version, amount in rows)
    return {(a.credit_id, a.debit_id, a.amount_minor) for a in allocate_fifo(Settlement(items)).allocations}


def test_bulk_fifo_settles_as_the_oracle_does(owner: Books, books: Books, unallocated: list[str]) -> None:
    expected = set().union(*(predicted(owner, account) for account in unallocated))

    made = books.value("select duly.allocate_accounts(%s)", unallocated)

    assert books.allocations(*unallocated) == expected
    assert made == len(expected) > 0


def test_bulk_fifo_settles_as_one_account_after_the_other(owner: Books, books: Books, unallocated: list[str]) -> None:
    books.value("select duly.allocate_accounts(%s)", unallocated)
    in_bulk = books.allocations(*unallocated)
    owner.run("insert into duly.deallocations (allocation_id) select id from duly.current_allocations")

    for account in reversed(unallocated):
        books.value("select duly.allocate_accounts(%s)", [account])

    assert books.allocations(*unallocated) == in_bulk


def test_thousands_of_documents_on_one_account_are_settled(owner: Books, books: Books) -> None:
    books.pay("p1", "acc_1", 5_200)
    for start in (0, 2600):
        elements = [
            {"key": f"i{n}", "account_id": "acc_1", "currency": "EUR", "lines": [line(1)]}
            for n in range(start, start + 2600)
        ]
        books.run("select count(*) from duly.post_invoices(%s)", json.dumps(elements))
    for start in range(0, 5_201, 500):
        owner.run(
            "insert into duly.deallocations (allocation_id) select id from duly.current_allocations"
            " where id > %s and id <= %s",
            start,
            start + 500,
        )

    assert books.value("select duly.allocate_accounts(array['acc_1'])") == 5_200
    assert books.value("select count(*) from duly.open_items where allocated_minor < amount_minor") == 0


def test_bulk_fifo_changes_nothing_where_one_side_only_is_open(books: Books) -> None:
    books.invoice("i1", "acc_1", 100)
    books.pay("p1", "acc_2", 100)

    assert books.value("select duly.allocate_accounts(array['acc_1', 'acc_2', 'acc_1', 'nobody'])") == 0
