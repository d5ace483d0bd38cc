"""The demo's proof finds what is planted: a check that cannot fail would prove nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from models.gateway.movements import Movement, MovementKind
from sandbox.demo.report import doubles_in
from sandbox.reconciliation import Booked, compare_balances, compare_objects
from sandbox.stripe.control.messages import MovementGroup, MovementReport, Sum


def movement(source: str = "ch_1", *, amount_minor: int = 1000, fee_minor: int = 59, kind: str = "charge") -> Movement:
    return Movement(
        reference=f"txn_{source}",
        kind=MovementKind(kind),
        source_reference=source,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        currency="EUR",
        booked_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def payment(charge: str = "ch_1", *, amount_minor: int = 1000, fee_minor: int = 59) -> Booked:
    return Booked(charge, "EUR", amount_minor, fee_minor)


def moved_on(account: str, charges: int) -> MovementGroup:
    none = Sum()
    return MovementGroup(
        metadata={"duly_account": account},
        currency="eur",
        charges=Sum(count=charges, amount_minor=1000 * charges),
        refunds=none,
        refund_failures=none,
        disputes=none,
        dispute_reversals=none,
        charge_ids=(),
        payment_intent_ids=(),
        refund_ids=(),
        dispute_ids=(),
    )


def test_what_both_sides_know_alike_is_no_discrepancy() -> None:
    assert compare_objects([movement("ch_1"), movement("ch_2")], [payment("ch_2"), payment("ch_1")]) == []


@pytest.mark.parametrize(
    ("movements", "payments", "at_gateway", "in_ledger"),
    [
        pytest.param([movement()], [], "10.00 EUR, fee 0.59 EUR", "", id="the ledger does not know the charge"),
        pytest.param([], [payment()], "", "10.00 EUR, fee 0.59 EUR", id="the gateway does not know the charge"),
        pytest.param(
            [movement()],
            [payment(amount_minor=999)],
            "10.00 EUR, fee 0.59 EUR",
            "9.99 EUR, fee 0.59 EUR",
            id="a cent is missing",
        ),
        pytest.param(
            [movement()],
            [payment(fee_minor=0)],
            "10.00 EUR, fee 0.59 EUR",
            "10.00 EUR, fee 0.00 EUR",
            id="the fee is not booked",
        ),
        pytest.param(
            [movement()],
            [payment(), payment()],
            "10.00 EUR, fee 0.59 EUR",
            "10.00 EUR, fee 0.59 EUR and 10.00 EUR, fee 0.59 EUR",
            id="the charge is posted twice",
        ),
    ],
)
def test_a_charge_that_differs_is_found(
    movements: Sequence[Movement], payments: Sequence[Booked], at_gateway: str, in_ledger: str
) -> None:
    (found,) = compare_objects(movements, payments)

    assert (found.reference, found.at_gateway, found.in_ledger) == ("ch_1", at_gateway, in_ledger)


def test_a_currency_whose_balances_differ_is_found() -> None:
    (found,) = compare_balances({"EUR": 100, "JPY": 5}, {"EUR": 100})

    assert (found.reference, found.at_gateway, found.in_ledger) == ("balance:JPY", "5 JPY", "0 JPY")


def test_a_second_charge_of_one_account_is_a_double_charge() -> None:
    moved = MovementReport(groups=(moved_on("acc_1", 1), moved_on("acc_2", 3)), totals=(), requests={})

    assert doubles_in(moved) == 2


def test_a_refund_is_compared_by_its_own_reference_and_one_that_came_back_unheard_of_is_none() -> None:
    out = movement("re_1", amount_minor=-300, fee_minor=0, kind="refund")
    back = movement("re_1", amount_minor=300, fee_minor=0, kind="refund_failure")
    known = [Booked("re_1", "EUR", -300, 0), Booked("re_1", "EUR", 300, 0)]

    assert compare_objects([out, back], []) == []
    assert compare_objects([out, back], known) == []
    assert [found.reference for found in compare_objects([out], [])] == ["re_1"]
    assert [found.reference for found in compare_objects([out], known)] == ["re_1"]
