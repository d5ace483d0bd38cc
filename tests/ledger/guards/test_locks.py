"""Nobody waits for whoever waits for them: how hard rows are locked, and in which order."""

import ast
import re

import pytest

from tests.house.source import ROOT, python_files
from tests.ledger.books import Books
from tests.ledger.guards.locks import LockOrder, hard_locks

# Tables of which rows are locked before an account: nothing of them is locked by whoever has an account.
BEFORE_ACCOUNTS = {
    "creditors": "a bank's file is one at a time",
    "merchants": "how a merchant is paid is decided before whose money it is",
    "gateway_movements": "movements of a source are compared, checked and explained one at a time",
    "reconciliations": "one reconciliation of a day at a time",
    "subscriptions": "what is billed is what was read",
    "process_runs": "a run is frozen once",
    "bank_refund_months": "a month's file is decided once",
}

# What is written before an account on one way and under it on another, and never of the same rows.
DIFFERENT_ROWS = {
    "accounts": "before an account the house's own alone, which is opened again, where one of a customer is asked for",
    "gateway_expectations": "before an account those of a platform's fees alone, which no account's commit writes",
    "wallet_top_ups": "before an account by a trigger of a commit that has the account",
}


@pytest.fixture
def sources(owner: Books) -> dict[str, str]:
    """The functions of the database by name."""
    return dict(
        owner.run(
            "select proname, string_agg(prosrc, ';') from pg_proc where pronamespace = 'duly'::regnamespace group by 1"
        )
    )


def test_nobody_locks_a_row_against_those_who_refer_to_it(owner: Books, sources: dict[str, str]) -> None:
    referenced = owner.run(
        "select distinct c.relname from pg_constraint f join pg_class c on c.oid = f.confrelid where f.contype = 'f'"
    )

    assert hard_locks(sources, frozenset(name for (name,) in referenced)) == []


def test_what_is_locked_before_an_account_is_locked_under_none(sources: dict[str, str]) -> None:
    order = LockOrder(sources)

    assert {table: sorted(order.before[table]) for table in order.before if table in order.under} == {
        table: sorted(order.before[table]) for table in DIFFERENT_ROWS
    }
    assert set(order.before) == {*BEFORE_ACCOUNTS, *DIFFERENT_ROWS}


def test_a_lock_that_is_too_hard_or_in_another_order_is_found() -> None:
    seeded = {
        "hard": "perform from duly.cards where id = p_id for update; update duly.cards set state = 'x'",
        "soft": "perform from duly.cards where id = p_id -- for update\n for no key update",
        "other": "select * into m from duly.messages m where id = p_id for update of m",
        "first": "update duly.cards set state = 'x'; perform duly.lock(p_id)",
        "second": "perform duly.lock(p_id); update duly.cards set state = 'y'",
        "lock": "perform from duly.account_balances where account_id = p_id for no key update",
    }

    order = LockOrder(seeded)

    assert hard_locks(seeded, frozenset({"cards", "accounts"})) == ["hard: cards"]
    assert (order.before, order.under) == ({"cards": {"first"}}, {"cards": {"second"}})


def test_python_locks_no_row_against_those_who_refer_to_it() -> None:
    hard = [
        f"{path.relative_to(ROOT)}:{node.lineno}: with_for_update without key_share"
        for path in python_files()
        if "with_for_update" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and re.fullmatch("with_for_update", node.func.attr)
        and not any(keyword.arg == "key_share" for keyword in node.keywords)
    ]

    assert hard == []
