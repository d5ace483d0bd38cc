"""Payments cancelled at the gateway: all that is left goes back, and only then the payment is cancelled (F66, F69)."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import Fault, FaultKind
from tests.fixtures.refunds import Till


async def open_invoices(till: Till, account: str) -> list[int]:
    rows = await till.merchant.run(
        "select amount_minor - allocated_minor as open_minor from duly.open_items where account_id = :id"
        " and side = 'debit' and allocated_minor < amount_minor order by account_version",
        id=account,
    )
    return [row.open_minor for row in rows]


async def test_the_payment_is_cancelled_in_full_and_its_invoice_is_open_again(till: Till) -> None:
    [payment] = await till.paid(2500)

    result = await till.cancel(payment)

    assert (result.outcome, result.amount_minor) == (RefundOutcome.REFUNDED, 2500)
    assert await till.state_of(payment) == "cancelled"
    assert await open_invoices(till, await till.account_of(payment)) == [2500]
    assert await till.wrong() == []


async def test_while_the_gateway_has_not_confirmed_the_payment_stands(till: Till) -> None:
    [payment] = await till.paid(2500)
    till.sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=FaultKind.RESPONSE_LOST))

    unknown = await till.cancel(payment)

    assert unknown.outcome is RefundOutcome.UNKNOWN
    assert (await till.state_of(payment), await till.owed(payment)) == ("posted", 0)


async def test_what_was_refunded_before_is_not_returned_twice(till: Till) -> None:
    [payment] = await till.paid(2500)
    await till.start(payment, 1000)

    result = await till.cancel(payment)

    assert result.amount_minor == 1500
    assert await till.state_of(payment) == "cancelled"
    assert await till.owed(payment) == 2500
    assert await till.wrong() == []


async def test_a_refund_that_is_not_certain_stands_in_the_way(till: Till) -> None:
    [payment] = await till.paid(2500, card="pm_card_pendingRefund")
    await till.start(payment, 1000)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await till.cancel(payment)

    assert getattr(refused.value.cause, "type", "") == "no_refund_in_flight"


async def test_a_cancelled_payment_is_neither_cancelled_again_nor_refunded(till: Till) -> None:
    [payment] = await till.paid(2500)
    await till.cancel(payment)

    for ask in (till.cancel(payment), till.start(payment, 100)):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await ask
        assert getattr(refused.value.cause, "type", "") == "payment_posted"


async def test_money_that_comes_back_settles_the_invoice_again(till: Till) -> None:
    [payment] = await till.paid(2500)
    await till.start(payment, 1000)
    returned = await till.cancel(payment, name="rf_cancelled")

    till.sandbox.fail_refund(returned.gateway_reference)
    await till.workflow("rf_cancelled").signal("gateway_event")
    result = await till.ended("rf_cancelled")

    assert result.outcome is RefundOutcome.REVERSED
    assert await till.owed(payment) == 1000
    assert await till.wrong() == []


async def test_the_next_run_collects_what_a_cancellation_left_open(till: Till) -> None:
    [payment] = await till.paid(2500)
    await till.cancel(payment)

    certificate = await till.duly.run()

    assert [(total.outcome, total.members) for total in certificate.totals] == [("charged", 1)]
    assert await till.owed(payment) == 0
    assert await till.wrong() == []


async def test_where_the_rule_says_so_it_is_collected_at_once(till: Till) -> None:
    await till.merchant.run("update duly.refund_rules set collects_reopened = true")
    [payment] = await till.paid(2500)

    again = (await till.cancel(payment)).collect_as
    await till.duly.collected(await till.account_of(payment), again)

    assert await till.owed(payment) == 0
    assert till.sandbox.movements().totals[0].charges.count == 2
    assert await till.wrong() == []
