"""Balances then and now, roll-ups, seals, and the invariants' own eyes."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from activities.ledger.audit import checked_before
from activities.ledger.invariants import RULES, check_rules, find_violations, read_violations
from models.ledger.audit import Violation
from tests.ledger.books import Books, line


def trial_balance(books: Books, on: str = "infinity") -> dict[str, int]:
    rows = books.run("select ledger_account, debit_minor - credit_minor from duly.trial_balance(%s)", on)
    return dict(rows)


def roll_up(books: Books) -> None:
    books.run("select duly.mark_roll_up()")
    books.run("select duly.fill_roll_ups()")


def test_scenario_4_two_cards_with_both_kinds_of_discount(owner: Books, books: Books) -> None:
    lines = [
        {"product_id": "gold", "quantity": "1", "unit_price_minor": 10000, "discount_percent": "15",
         "discount_minor": 1500, "net_minor": 8500, "tax_rate_id": "standard", "tax_minor": 1615, "total_minor": 10115},
        {"product_id": "silver", "quantity": "1", "unit_price_minor": 10000, "discount_minor": 2000,
         "net_minor": 8000, "tax_rate_id": "standard", "tax_minor": 1520, "total_minor": 9520},
    ]  # fmt: skip

    invoice = books.invoice("i1", "acc_1", lines=lines)

    assert books.transaction(invoice)["total_minor"] == 19635
    assert books.transfers(invoice) == [
        ("receivable:acc_1", "revenue:gold", 8500),
        ("receivable:acc_1", "revenue:silver", 8000),
        ("receivable:acc_1", "vat_payable", 3135),
    ]


def test_each_posting_keeps_what_the_account_owed_after_it(books: Books) -> None:
    books.invoice("i1", "acc_1", 100)
    books.pay("p1", "acc_1", 30)

    kept = books.run("select balance_after_minor from duly.financial_transactions order by account_version")

    assert kept == [(100,), (70,)]


def test_the_trial_balance_of_a_day_is_the_same_before_and_after_roll_ups(books: Books) -> None:
    books.invoice("i1", "acc_1", lines=[line(100, tax_percent=19)], posted_on=date(2026, 5, 1))
    roll_up(books)
    books.pay("p1", "acc_1", 50, posted_on=date(2026, 5, 3))
    # Posted late, to a day that is summed already.
    books.pay("p2", "acc_2", 20, posted_on=date(2026, 5, 1))
    before = [trial_balance(books, f"2026-05-0{day}") for day in (1, 2, 3)]

    roll_up(books)

    assert [trial_balance(books, f"2026-05-0{day}") for day in (1, 2, 3)] == before
    assert before[0] == {"cash": 20, "receivable": 99, "revenue:gold": -100, "vat_payable": -19}
    assert before[2] == {"cash": 70, "receivable": 49, "revenue:gold": -100, "vat_payable": -19}


def test_a_roll_up_with_nothing_new_is_none(books: Books) -> None:
    books.pay("p1", "acc_1", 50)
    roll_up(books)

    assert books.value("select duly.mark_roll_up()") is None
    assert books.value("select duly.fill_roll_ups()") == 0


def test_very_many_transfers_are_summed_and_sealed_in_several_roll_ups(owner: Books, books: Books) -> None:
    for number in range(5):
        books.pay(f"p{number}", "acc_1", 50)
    before = trial_balance(books)

    books.run("set duly.transfers_of_roll_up = 2")
    roll_up(books)

    ranges = owner.run("select after_transfer_id, upto_transfer_id from duly.ledger_roll_ups order by id")
    assert [after for after, _ in ranges] == [0, *(upto for _, upto in ranges[:-1])]
    assert [upto - after for after, upto in ranges] == [2, 2, 1]
    assert trial_balance(books) == before
    assert owner.violations() == []


def test_an_audit_checks_every_rule_that_the_views_have(owner: Books) -> None:
    views = "".join(
        owner.value("select pg_get_viewdef(%s::regclass)", f"duly.{name}_violations")
        for name in ("posting", "allocation", "ledger", "period", "wallet", "voucher", "debit")
    )

    assert sorted(RULES) == sorted(set(re.findall(r"'(I\d+ [^']+)'", views)))


async def test_an_audit_finds_rule_by_rule_what_all_rules_find_at_once(owner: Books, engine: AsyncEngine) -> None:
    owner.invoice("i1", "acc_1", 100)
    owner.run("alter table duly.account_balances disable trigger user")
    owner.run("update duly.account_balances set version = 5 where account_id = 'acc_1'")

    at_once, one_by_one = await find_violations(engine), await read_violations(Database(engine))

    assert tuple(one_by_one) == at_once == (Violation("I2 balance is the sum of postings", "acc_1"),)


async def test_an_audit_that_is_tried_again_goes_on_after_the_last_rule_checked(engine: AsyncEngine) -> None:
    checked, found = checked_before([len(RULES) - 2, [["I3 running balance", "txn_1"]]])

    later = [number async for number, _ in check_rules(Database(engine), after=checked)]

    assert (later, found) == ([len(RULES) - 1, len(RULES)], [Violation("I3 running balance", "txn_1")])
    assert checked_before([]) == (0, [])


def test_a_reward_is_an_expense_of_its_merchant(owner: Books, books: Books) -> None:
    owner.run("insert into duly.products (id, name, ledger_account) values ('reward', 'Reward', 'reward_expense:cafe')")

    note = books.call(
        "create_credit_note", key="c1", account_id="acc_1", currency="EUR", lines=[line(500, product="reward")]
    )

    assert books.transfers(note.transaction_id) == [("reward_expense:cafe", "receivable:acc_1", 500)]


def test_other_ways_of_payment_have_their_own_ledger_accounts(books: Books) -> None:
    for method, account in (("bank_transfer", "bank"), ("cash", "cash"), ("voucher", "other_methods:voucher")):
        payment = books.pay(f"p-{method}", "acc_1", 5, method=method)
        assert books.transfers(payment) == [(account, "receivable:acc_1", 5)]


BREAKS = {
    "I1 transfers equal the total": "update duly.transfers set amount_minor = 999 where source_id = 'ft_2'",
    "I2 balance is the sum of postings": "update duly.account_balances set balance_minor = balance_minor + 1",
    "I3 running balance": "update duly.financial_transactions set balance_after_minor = 7 where id = 'ft_1'",
    "I4 lines equal the total": "delete from duly.transaction_lines where transaction_id = 'ft_1'",
    "I5 open item of what is posted": "update duly.open_items set amount_minor = amount_minor + 1",
    "I6 number of what is posted": "delete from duly.transaction_numbers where transaction_id = 'ft_1'",
    "I6 numbers without gaps": "update duly.transaction_numbers set number = 'INV-0000000009' where number like 'INV%'",
    "I7 allocated is the sum of allocations": "update duly.open_items set allocated_minor = 0",
    "I8 balance is what is open": "update duly.open_items set allocated_minor = 1 where transaction_id = 'ft_1'",
    "I9 open on one side only": "update duly.open_items set allocated_minor = 0",
    "I10 allocation within an account": "update duly.allocations set account_id = 'acc_2'",
    "I11 cancelled with its cancellation": (
        "update duly.financial_transactions set state = 'cancelled' where id = 'ft_2'"
    ),
    "I12 written off with its mirror": "update duly.financial_transactions set state = 'written_off' where id = 'ft_1'",
    "I13 sub-ledger equals its control account": (
        "update duly.transfers set debit_account = 'receivable:acc_9' where debit_account = 'receivable:acc_1'"
    ),
    "I14 trial balance is zero": "update duly.ledger_day_sums set debit_minor = debit_minor + 1",
    "I15 transfer of what was posted": "update duly.transfers set source_id = 'ft_99' where source_id = 'ft_2'",
    "I16 seal of the ledger": "update duly.transfers set posted_on = '2030-01-01' where source_id = 'ft_1'",
    "I17 roll-up equals its transfers": "delete from duly.ledger_day_sums where ledger_account = 'receivable'",
    "I18 posted on an open day": (
        "insert into duly.closings (closed_until, is_reopening, actor, reason, made_at)"
        " values ('2026-12-31', false, 'ada', 'x', '2020-01-01')"
    ),
}


@pytest.mark.parametrize("rule", BREAKS)
def test_each_invariant_sees_what_breaks_it(rule: str, owner: Books, database_url: str) -> None:
    """The owner switches the guards off, as only an owner can, and breaks one thing."""
    owner.invoice("i1", "acc_1", 100)
    owner.pay("p1", "acc_1", 60)
    roll_up(owner)
    assert owner.violations() == []

    for (table,) in owner.run("select tablename from pg_tables where schemaname = 'duly'"):
        owner.run(f"alter table duly.{table} disable trigger user")
    owner.run("alter table duly.open_items drop constraint not_over_allocated")
    owner.run(BREAKS[rule])

    assert rule in {broken for broken, _ in owner.violations()}


async def test_violations_are_listed_by_rule_and_offender(owner: Books, engine: AsyncEngine) -> None:
    owner.invoice("i1", "acc_1", 100)
    assert await find_violations(engine) == ()

    owner.run("alter table duly.account_balances disable trigger user")
    owner.run("update duly.account_balances set version = 5 where account_id = 'acc_1'")

    assert await find_violations(engine) == (Violation("I2 balance is the sum of postings", "acc_1"),)


def test_two_that_mark_at_once_do_so_one_after_the_other(books: Books, database_url: str) -> None:
    books.pay("p1", "acc_1", 100)
    other = Books(database_url)

    with ThreadPoolExecutor(1) as second:
        with books.connection.transaction():
            first = books.value("select duly.mark_roll_up()")
            waiting = second.submit(other.value, "select duly.mark_roll_up()")
        later = waiting.result(timeout=20)
    other.close()

    assert (first is None, later is None) == (False, True)
