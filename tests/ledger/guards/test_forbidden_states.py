"""What the database refuses whoever asks: the runtime role by its rights, the owner of the tables by guards."""

import json

import psycopg
import pytest

from models.ledger.refusals import AppendOnlyError, LedgerError
from tests.ledger.books import Books, line
from tests.ledger.guards.forbidden import BY_OWNER

MONEY_TABLES = (
    "financial_transactions",
    "transaction_lines",
    "transaction_numbers",
    "transaction_notes",
    "transfers",
    "open_items",
    "allocations",
    "deallocations",
    "account_balances",
    "gateway_bookings",
    "ledger_roll_ups",
    "ledger_day_sums",
)


@pytest.fixture
def used(owner: Books, books: Books) -> Books:
    """A ledger with one of each: posted, drafted, allocated, rolled up."""
    books.invoice("i1", "acc_1", 100)
    books.pay("p1", "acc_1", 60)
    books.credit_note("c1", "acc_1", 10)
    books.invoice("i2", "acc_1", 100, draft=True, posted_on=None)
    books.invoice("i3", "acc_2", 100)
    books.open_account("acc_usd", "USD")
    books.run("select duly.add_note('ft_1', 'ada', 'note')")
    books.run("select duly.book_gateway_fee('f1', 'stripe', 'EUR', 30, 'txn_1')")
    owner.run("select duly.system_account('suspense', 'EUR')")
    books.run("select duly.mark_roll_up()")
    books.run("select duly.fill_roll_ups()")
    return books


def test_the_owner_of_the_tables_is_refused_each_forbidden_state(used: Books, owner: Books) -> None:
    went_through = []
    for name, statement in BY_OWNER.items():
        try:
            owner.run(statement)
        except (LedgerError, psycopg.IntegrityError):
            continue
        went_through.append(name)

    assert went_through == []


@pytest.mark.parametrize("statement", ["truncate duly.{} cascade"])
def test_no_table_of_the_ledger_can_be_emptied(used: Books, owner: Books, statement: str) -> None:
    for table in (*MONEY_TABLES, "accounts", "products", "currencies"):
        with pytest.raises(AppendOnlyError, match="append_only"):
            owner.run(statement.format(table))


def test_the_runtime_role_writes_no_money_table(used: Books) -> None:
    for table in MONEY_TABLES:
        column = used.value(
            "select column_name from information_schema.columns where table_schema = 'duly' and table_name = %s"
            " order by ordinal_position desc limit 1",
            table,
        )
        for statement in (
            f"insert into duly.{table} default values",
            f"update duly.{table} set {column} = {column}",
            f"delete from duly.{table}",
            f"truncate duly.{table}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                used.run(statement)


def test_the_runtime_role_calls_only_the_functions_meant_for_it(used: Books) -> None:
    for call in (
        "select duly.give_numbers('invoice', '{ft_4}')",
        "select duly.allocate('acc_1', 'ft_2', 'ft_1', 1)",
        "select duly.deallocate('ft_1')",
        "select duly.write_documents('invoice', '[]', false)",
        "select duly.system_account('suspense', 'EUR')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            used.run(call)


def test_every_function_with_the_owner_s_rights_has_a_fixed_search_path(owner: Books) -> None:
    loose = owner.run(
        "select proname from pg_proc where pronamespace = 'duly'::regnamespace and prosecdef"
        " and not coalesce(proconfig::text like '%search_path=%pg_temp%', false)"
    )

    assert loose == []


def test_a_bad_element_refuses_its_batch_and_is_named(books: Books) -> None:
    good = {"key": "good", "account_id": "acc_1", "currency": "EUR", "lines": [line(100)]}
    bad = {**good, "key": "bad", "account_id": "acc_9"}

    with pytest.raises(LedgerError) as caught:
        books.run("select * from duly.post_invoices(%s)", json.dumps([good, bad]))

    assert (caught.value.rule, caught.value.arguments["key"]) == ("account_exists", "bad")
    assert books.balance("acc_1") == 0
