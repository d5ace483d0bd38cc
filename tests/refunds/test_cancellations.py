"""Payments cancelled at the gateway: all that is left goes back, and only then the payment is cancelled (F66, F69)."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from models.refunds.refund import RefundOutcome
from tests.fixtures.refunds import RefundClient
from tests.support.attempts import never_answer


async def open_invoices(refunds: RefundClient, account: str) -> list[int]:
    rows = await refunds.merchant.run(
        "select amount_minor - allocated_minor as open_minor from duly.open_items where account_id = :id"
        " and side = 'debit' and allocated_minor < amount_minor order by account_version",
        id=account,
    )
    return [row.open_minor for row in rows]


async def test_the_payment_is_cancelled_in_full_and_its_invoice_is_open_again(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)

    result = await refunds.cancel(payment)

    assert (result.outcome, result.amount_minor) == (RefundOutcome.REFUNDED, 2500)
    assert await refunds.state_of(payment) == "cancelled"
    assert await open_invoices(refunds, await refunds.account_of(payment)) == [2500]
    assert await refunds.wrong() == []


async def test_while_the_gateway_has_not_confirmed_the_payment_stands(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    never_answer(refunds.sandbox, operation="POST /v1/refunds")

    unknown = await refunds.cancel(payment)

    assert unknown.outcome is RefundOutcome.UNKNOWN
    assert (await refunds.state_of(payment), await refunds.owed(payment)) == ("posted", 0)


async def test_what_was_refunded_before_is_not_returned_twice(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.start(payment, 1000)

    result = await refunds.cancel(payment)

    assert result.amount_minor == 1500
    assert await refunds.state_of(payment) == "cancelled"
    assert await refunds.owed(payment) == 2500
    assert await refunds.wrong() == []


async def test_a_refund_that_is_not_certain_stands_in_the_way(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500, card="pm_card_pendingRefund")
    await refunds.start(payment, 1000)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await refunds.cancel(payment)

    assert getattr(refused.value.cause, "type", "") == "no_refund_in_flight"


async def test_what_a_failed_refund_brings_back_of_a_cancelled_payment_is_refunded_and_not_cancelled_again(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    refund = await refunds.start(payment, 1000, name="rf_sent_back")
    await refunds.cancel(payment)
    refunds.sandbox.fail_refund(refund.gateway_reference)
    await refunds.deliver_events()
    await refunds.ended("rf_sent_back")

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await refunds.cancel(payment)
    again = await refunds.start(payment, 1000)

    assert getattr(refused.value.cause, "type", "") == "cancelled_once"
    assert (again.outcome, await refunds.owed(payment)) == (RefundOutcome.REFUNDED, 2500)
    assert await refunds.wrong() == []


async def test_a_cancelled_payment_is_neither_cancelled_again_nor_refunded(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.cancel(payment)

    for ask in (refunds.cancel(payment), refunds.start(payment, 100)):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await ask
        assert getattr(refused.value.cause, "type", "") == "payment_posted"


async def test_money_that_comes_back_settles_the_invoice_again(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.start(payment, 1000)
    returned = await refunds.cancel(payment, name="rf_cancelled")

    refunds.sandbox.fail_refund(returned.gateway_reference)
    await refunds.workflow("rf_cancelled").signal("gateway_event")
    result = await refunds.ended("rf_cancelled")

    assert result.outcome is RefundOutcome.REVERSED
    assert await refunds.owed(payment) == 1000
    assert await refunds.wrong() == []


async def test_the_next_run_collects_what_a_cancellation_left_open(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.cancel(payment)

    certificate = await refunds.duly.run()

    assert [(total.outcome, total.members) for total in certificate.totals] == [("charged", 1)]
    assert await refunds.owed(payment) == 0
    assert await refunds.wrong() == []


async def test_where_the_rule_says_so_it_is_collected_at_once(refunds: RefundClient) -> None:
    await refunds.merchant.configure("[refund_rules]\ncollects_reopened = true")
    [payment] = await refunds.paid(2500)

    again = (await refunds.cancel(payment)).collect_as
    await refunds.duly.collected(await refunds.account_of(payment), again)

    assert await refunds.owed(payment) == 0
    assert refunds.sandbox.movements().totals[0].charges.count == 2
    assert await refunds.wrong() == []
