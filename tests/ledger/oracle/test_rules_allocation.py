from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ledger.allocation import Principle
from models.ledger.transaction import Side
from tests.ledger.oracle.allocation import Allocation, Item, Settlement, counterbalance, post, write_off

MAY = date(2026, 5, 1)


def an_invoice(name: str, amount: int = 100, *, version: int, due_on: date = MAY) -> Item:
    return Item(name, Side.DEBIT, due_on, version, amount, may_be_addressed=True)


def a_credit(name: str, amount: int = 100, *, version: int, posted_on: date = MAY) -> Item:
    return Item(name, Side.CREDIT, posted_on, version, amount)


def test_fifo_example_of_the_manual_a_cancelled_invoice_s_credit_note_settles_the_next() -> None:
    account = post(Settlement(), an_invoice("INV 1", version=1))
    account = post(account, a_credit("CN 1", version=2))
    account = post(account, an_invoice("INV 2", version=3))

    account = counterbalance(account, "INV 1", a_credit("ICN 1", version=4))

    assert set(account.allocations) == {Allocation("ICN 1", "INV 1", 100), Allocation("CN 1", "INV 2", 100)}


def test_against_item_example_of_the_manual_the_freed_credit_note_settles_the_open_invoice() -> None:
    account = Settlement()
    for version, name in enumerate(["INV 1", "INV 2", "INV 3"], start=1):
        account = post(account, an_invoice(name, version=version))
    account = post(account, a_credit("CN 1", version=4), addressed=["INV 1"])
    account = post(account, a_credit("CN 2", version=5), addressed=["INV 2"])

    account = counterbalance(account, "INV 1", a_credit("ICN 1", version=6))

    assert set(account.allocations) == {
        Allocation("ICN 1", "INV 1", 100),
        Allocation("CN 2", "INV 2", 100),
        Allocation("CN 1", "INV 3", 100),
    }


def test_the_earliest_due_invoice_is_settled_first_whatever_was_posted_first() -> None:
    account = post(Settlement(), an_invoice("late", version=1, due_on=date(2026, 7, 1)))
    account = post(account, an_invoice("early", version=2, due_on=date(2026, 6, 1)))

    account = post(account, a_credit("payment", 150, version=3))

    assert account.allocations == (Allocation("payment", "early", 100), Allocation("payment", "late", 50))


def test_ties_are_settled_in_order_of_posting() -> None:
    account = post(Settlement(), an_invoice("second", version=2))
    account = post(account, an_invoice("first", version=1))

    account = post(account, a_credit("payment", version=3))

    assert account.allocations == (Allocation("payment", "first", 100),)


def test_a_payment_that_addresses_a_settled_invoice_displaces_who_settled_it() -> None:
    account = post(Settlement(), an_invoice("INV 1", version=1))
    account = post(account, a_credit("PAY 1", version=2))
    account = post(account, an_invoice("INV 2", version=3))

    account = post(account, a_credit("PAY 2", version=4), addressed=["INV 1"])

    assert set(account.allocations) == {Allocation("PAY 2", "INV 1", 100), Allocation("PAY 1", "INV 2", 100)}


def test_an_invoice_paid_in_part_is_settled_by_what_names_it_and_the_rest_goes_first_in_first_out() -> None:
    account = post(Settlement(), an_invoice("B", version=1))
    account = post(account, an_invoice("A", version=2))
    account = post(account, a_credit("PAY 1", 60, version=3), addressed=["A"])

    account = post(account, a_credit("PAY 2", 41, version=4), addressed=["A"])

    assert account.unsettled("A") == 0
    assert set(account.allocations) == {
        Allocation("PAY 1", "A", 60),
        Allocation("PAY 2", "A", 40),
        Allocation("PAY 2", "B", 1),
    }


def test_a_settled_invoice_that_is_paid_in_part_once_more_stays_settled() -> None:
    account = post(Settlement(), an_invoice("A", version=1))
    account = post(account, a_credit("PAY 1", version=2))
    account = post(account, an_invoice("B", version=3))

    account = post(account, a_credit("PAY 2", 41, version=4), addressed=["A"])

    assert (account.unsettled("A"), account.unsettled("B")) == (0, 59)
    assert Allocation("PAY 1", "A", 59) in account.allocations


def test_what_is_open_of_the_named_invoices_comes_before_what_others_settled() -> None:
    account = post(Settlement(), an_invoice("A", version=1))
    account = post(account, a_credit("PAY 1", version=2))
    account = post(account, an_invoice("B", version=3))
    account = post(account, an_invoice("C", version=4))

    account = post(account, a_credit("PAY 2", version=5), addressed=["A", "C"])

    assert [account.unsettled(name) for name in "ABC"] == [0, 100, 0]


def test_under_pure_fifo_what_a_payment_addresses_is_ignored() -> None:
    account = post(Settlement(), an_invoice("INV 1", version=1))
    account = post(account, an_invoice("INV 2", version=2))

    account = post(account, a_credit("PAY 1", version=3), addressed=["INV 2"], principle=Principle.FIFO)

    assert account.allocations == (Allocation("PAY 1", "INV 1", 100),)


def test_money_left_over_goes_first_in_first_out() -> None:
    account = post(Settlement(), an_invoice("INV 1", version=1))
    account = post(account, an_invoice("INV 2", version=2))

    account = post(account, a_credit("PAY 1", 130, version=3), addressed=["INV 2"])

    assert set(account.allocations) == {Allocation("PAY 1", "INV 2", 100), Allocation("PAY 1", "INV 1", 30)}


def test_an_invoice_reopens_when_its_payment_is_cancelled_and_no_credit_is_left() -> None:
    account = post(Settlement(), an_invoice("INV 1", version=1))
    account = post(account, a_credit("PAY 1", version=2))

    account = counterbalance(account, "PAY 1", Item("PCN 1", Side.DEBIT, MAY, 3, 100))

    assert account.unsettled("INV 1") == 100


def test_a_write_off_settles_the_rest_and_is_not_displaced() -> None:
    account = post(Settlement(), an_invoice("INV 1", version=1))
    account = post(account, a_credit("PAY 1", 40, version=2))
    account = write_off(account, "INV 1", a_credit("WRO 1", 60, version=3))

    account = post(account, a_credit("PAY 2", version=4), addressed=["INV 1"])

    assert account.unsettled("INV 1") == 0
    assert account.unsettled("PAY 2") == 100


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Side), st.integers(1, 50), st.integers(0, 9), st.lists(st.integers(0, 20), max_size=3)
        ),
        max_size=20,
    ),
    st.sampled_from(Principle),
)
def test_nothing_is_over_allocated_and_nobody_owes_and_has_credit_at_once(
    documents: list[tuple[Side, int, int, list[int]]], principle: Principle
) -> None:
    account = Settlement()
    for version, (side, amount, day, addressed) in enumerate(documents):
        item = Item(str(version), side, date(2026, 5, 1 + day), version, amount, may_be_addressed=side is Side.DEBIT)
        wanted = [str(number) for number in addressed] if side is Side.CREDIT else []
        named = [i.id for i in account.items if i.id in wanted and i.may_be_addressed]
        owed = sum(account.unsettled(name) for name in named)
        account = post(account, item, addressed=wanted, principle=principle)

        if principle is Principle.AGAINST_ITEM_AND_FIFO:
            assert sum(account.unsettled(name) for name in named) == max(0, owed - amount * bool(named))
        assert all(0 <= account.unsettled(item.id) <= item.amount_minor for item in account.items)
        assert not (account.open_items(Side.DEBIT) and account.open_items(Side.CREDIT))


@pytest.mark.parametrize("side", Side)
def test_open_items_come_in_the_order_in_which_they_are_settled(side: Side) -> None:
    items = (Item("b", side, MAY, 2, 1), Item("c", side, date(2026, 6, 1), 1, 1), Item("a", side, MAY, 1, 1))

    assert [item.id for item, _ in Settlement(items).open_items(side)] == ["a", "b", "c"]
