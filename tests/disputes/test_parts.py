"""Disputes about parts of a payment, and parts that come back: the customer owes what is unpaid in the end."""

from typing import Any

import pytest

from activities.disputes.disputes import record_dispute
from activities.ledger.invariants import find_violations
from models.disputes.dispute import DisputeState
from sandbox.stripe.control.client import DisputeScript
from tests.disputes.test_disputes import alerts, decided, disputed, held, workflow_of
from tests.fixtures.refunds import RefundClient


async def lost_part(refunds: RefundClient, payment: str, amount_minor: int) -> str:
    """Let a cardholder dispute a part of a payment, and the bank decide for the cardholder."""
    dispute = await disputed(refunds, payment, DisputeScript(amount=amount_minor))
    await decided(refunds, dispute, won=False)
    return dispute


async def written_off(refunds: RefundClient) -> int:
    """Return what nobody owes and nobody brings back."""
    rows = await refunds.merchant.run(
        "select debit_minor - credit_minor from duly.trial_balance() where ledger_account = 'write_off'"
    )
    return sum(row[0] for row in rows)


async def refunded(refunds: RefundClient, payment: str, kind: str, amount_minor: int, *, name: str) -> None:
    """Book a refund as the gateway would answer it; Stripe refuses most of a payment that was disputed."""
    asked: dict[str, Any] = {
        "request_id": name, "kind": kind, "payment_id": payment, "amount_minor": amount_minor, "attempt": 1,
        "actor": "maria", "reason": "as agreed", "origin": "user", "is_acknowledged": True, "provider_id": "stripe",
    }  # fmt: skip
    await refunds.database.call("open_refund", **asked)
    await answered(refunds, name, "succeeded")


async def answered(refunds: RefundClient, name: str, outcome: str) -> None:
    """Record what the gateway says of a refund now."""
    await refunds.database.call(
        "record_refund",
        request_id=name,
        attempt=1,
        outcome=outcome,
        is_booked=True,
        gateway_reference=f"re_{name}",
        code="",
    )


async def test_two_disputes_about_parts_of_one_payment_that_are_both_lost_are_both_owed(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await lost_part(refunds, payment, 1000)

    await lost_part(refunds, payment, 800)

    assert await refunds.owed(payment) == 1800
    assert (await held(refunds), await written_off(refunds)) == (0, 0)
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_three_disputes_about_all_of_a_payment_leave_all_of_it_owed(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)

    for part in (1000, 800, 700):
        await lost_part(refunds, payment, part)

    assert await refunds.owed(payment) == 2500
    assert (await held(refunds), await written_off(refunds)) == (0, 0)
    assert await refunds.wrong() == []


async def test_a_dispute_about_all_of_a_payment_that_was_refunded_in_part_is_lost_but_for_that_part(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.start(payment, 1000)
    dispute = await disputed(refunds, payment, DisputeScript(amount=2500))

    refunds.sandbox.close_dispute(dispute, won=False, reinstated=1000)
    await workflow_of(refunds, dispute).signal("gateway_event")
    result = await workflow_of(refunds, dispute).result()

    assert result.state is DisputeState.LOST
    assert await refunds.owed(payment) == 2500
    assert (await held(refunds), await written_off(refunds)) == (0, 0)
    assert await refunds.wrong() == []


async def test_what_a_bank_takes_of_money_that_was_refunded_is_our_loss_and_nobodys_debt(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.start(payment, 1000)

    await lost_part(refunds, payment, 2500)

    assert await refunds.owed(payment) == 2500
    assert (await held(refunds), await written_off(refunds)) == (0, 1000)
    assert await refunds.wrong() == []


async def test_a_refund_after_a_part_was_charged_back_is_of_the_rest(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await lost_part(refunds, payment, 1000)
    (rest,) = await refunds.merchant.run(
        "select id from duly.financial_transactions where type_id = 'payment_kept' and state = 'posted'"
    )

    await refunded(refunds, payment, "refund", 300, name="rf_by_payment")
    await refunded(refunds, rest.id, "refund", 200, name="rf_by_rest")

    assert await refunds.owed(payment) == 1500
    left = await refunds.merchant.run("select * from duly.payment_left(duly.payment_request_of(:id))", id=rest.id)
    assert [(one.transaction_id, one.left_minor) for one in left] == [(rest.id, 1000)]
    assert not await find_violations(refunds.owner_engine)


@pytest.mark.nightly
async def test_a_payment_of_which_a_part_was_charged_back_is_cancelled_and_charged_back_again_when_that_failed(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    await lost_part(refunds, payment, 1000)
    await refunded(refunds, payment, "refund", 500, name="rf_part")
    await refunded(refunds, payment, "payment_cancellation", 0, name="rf_all")
    cancelled = await refunds.owed(payment)

    await answered(refunds, "rf_all", "declined")
    restored = await refunds.owed(payment)
    await lost_part(refunds, payment, 900)

    assert (cancelled, restored) == (2500, 1500)
    assert await refunds.owed(payment) == 2400
    assert (await held(refunds), await written_off(refunds)) == (0, 0)
    assert not await find_violations(refunds.owner_engine)


async def test_a_dispute_that_is_won_after_it_was_lost_is_paid_again(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await lost_part(refunds, payment, 2500)
    owed = await refunds.owed(payment)

    refunds.sandbox.overturn_dispute(dispute)
    await refunds.deliver_events()
    result = await workflow_of(refunds, dispute).result()
    await record_dispute(refunds.database, "stripe", await refunds.gateway.read_dispute(dispute))

    assert (owed, await refunds.owed(payment), await held(refunds)) == (2500, 0, 0)
    assert result.state is DisputeState.WON
    assert await refunds.wrong() == []
    assert await alerts(refunds) == ["dispute_opened", "dispute_decided", "dispute_decided"]


@pytest.mark.nightly
async def test_of_a_part_that_was_lost_twice_the_dispute_that_is_won_in_the_end_is_paid_again(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    first = await lost_part(refunds, payment, 1000)
    await lost_part(refunds, payment, 800)

    refunds.sandbox.overturn_dispute(first)
    await record_dispute(refunds.database, "stripe", await refunds.gateway.read_dispute(first))
    owed = await refunds.owed(payment)
    await lost_part(refunds, payment, 1700)

    assert (owed, await refunds.owed(payment)) == (800, 2500)
    assert (await held(refunds), await written_off(refunds)) == (0, 0)
    assert await refunds.wrong() == []


async def test_what_a_bank_gave_back_of_a_lost_part_can_be_refunded(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment, DisputeScript(amount=1000))
    refunds.sandbox.close_dispute(dispute, won=False, reinstated=900)
    await workflow_of(refunds, dispute).signal("gateway_event")
    await workflow_of(refunds, dispute).result()

    await refunded(refunds, payment, "refund", 2400, name="rf_rest")

    assert await refunds.owed(payment) == 2500
    left = await refunds.merchant.run("select * from duly.payment_left(duly.payment_request_of(:id))", id=payment)
    assert [one.left_minor for one in left] == [0]
    assert not await find_violations(refunds.owner_engine)
