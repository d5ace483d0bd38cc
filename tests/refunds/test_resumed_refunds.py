"""A refund whose workflow is gone goes on from its row: whoever starts it again asks the gateway, and pays once."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowHandle

from models.refunds.refund import RefundOutcome, RefundRequest, RefundResult, RefundStatus
from models.workflow_ids import WORKFLOW_QUEUE, refund_id
from sandbox.stripe.control.client import Fault, FaultKind
from tests.fixtures.refunds import RefundClient
from tests.support.attempts import never_answer
from workflows.refunds.refund import Refund
from workflows.visibility import NEEDS_REVIEW, REVIEW_REASON

REFUNDS = "POST /v1/refunds"


async def start_again(refunds: RefundClient, name: str) -> WorkflowHandle[Refund, RefundResult]:
    """Terminate a refund's workflow, and start one that knows its id alone."""
    await refunds.workflow(name).terminate("pressed by an operator")
    return await refunds.duly.client.start_workflow(
        Refund.run, RefundRequest(name, "stripe"), id=refund_id(name), task_queue=WORKFLOW_QUEUE
    )


@pytest.mark.parametrize("lost", [FaultKind.REQUEST_LOST, FaultKind.RESPONSE_LOST])
async def test_a_refund_that_nobody_knew_of_when_its_workflow_was_stopped_is_paid_once(
    refunds: RefundClient, lost: FaultKind
) -> None:
    [payment] = await refunds.paid(2500)
    never_answer(refunds.sandbox, lost, operation=REFUNDS)
    unknown = await refunds.start(payment, 1000, name="rf_stopped")

    await start_again(refunds, "rf_stopped")
    refunds.sandbox.clear_faults()
    result = await refunds.ended("rf_stopped")

    assert (unknown.outcome, result.outcome) == (RefundOutcome.UNKNOWN, RefundOutcome.REFUNDED)
    total = refunds.sandbox.movements().totals[0].refunds
    assert (total.count, total.amount_minor) == (1, 1000)
    assert await refunds.wrong() == []


async def test_a_refund_that_did_not_happen_when_its_workflow_was_stopped_is_attempted_anew(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    refunds.sandbox.add_fault(Fault(operation=REFUNDS, kind=FaultKind.REQUEST_LOST))
    await refunds.start(payment, 1000, name="rf_anew")
    await refunds.workflow("rf_anew").terminate("pressed by an operator")
    await refunds.database.call(
        "record_refund",
        request_id="rf_anew",
        attempt=1,
        outcome="did_not_happen",
        is_booked=False,
        gateway_reference="",
        code="",
        actor="maria",
        reason="never seen at the gateway",
    )
    refunds.sandbox.clear_faults()

    await refunds.duly.client.start_workflow(
        Refund.run, RefundRequest("rf_anew", "stripe"), id=refund_id("rf_anew"), task_queue=WORKFLOW_QUEUE
    )
    result = await refunds.ended("rf_anew")

    assert (result.outcome, result.attempt) == (RefundOutcome.REFUNDED, 2)
    assert refunds.sandbox.movements().totals[0].refunds.count == 1
    assert await refunds.wrong() == []


async def test_that_nothing_was_sent_before_says_nothing_about_the_call_that_got_no_answer(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.merchant.run("update duly.providers set state = 'not_effective'")
    waiting = await refunds.start(payment, 1000, name="rf_lost_later")
    await refunds.merchant.run("update duly.providers set state = 'effective'")
    never_answer(refunds.sandbox, operation=REFUNDS)

    await refunds.duly.environment.sleep(timedelta(minutes=61))
    status = await refunds.workflow("rf_lost_later").query("status", result_type=RefundStatus)
    refunds.sandbox.clear_faults()
    result = await refunds.ended("rf_lost_later")

    assert waiting.outcome is RefundOutcome.PROVIDER_NOT_EFFECTIVE
    assert status.result is not None
    assert status.result.outcome is RefundOutcome.UNKNOWN
    assert result.outcome is RefundOutcome.REFUNDED
    assert refunds.sandbox.movements().totals[0].refunds.count == 1
    assert await refunds.wrong() == []


async def test_a_look_that_a_rule_refuses_asks_a_person_and_is_made_again_never_taken_for_an_answer(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    first = await refunds.start(payment, 1000, name="rf_refused")
    await refunds.merchant.run("insert into duly.providers (id, gateway, mode) values ('other', 'stripe', 'test')")
    await refunds.merchant.run("update duly.gateway_requests set provider_id = 'other' where id = 'rf_refused'")
    refunds.sandbox.fail_refund(first.gateway_reference)
    await refunds.workflow("rf_refused").signal("gateway_event")

    await refunds.duly.environment.sleep(timedelta(hours=1))
    status = await refunds.workflow("rf_refused").query("status", result_type=RefundStatus)
    await refunds.merchant.run("update duly.gateway_requests set provider_id = 'stripe' where id = 'rf_refused'")
    result = await refunds.ended("rf_refused")

    assert any("provider_of_payment" in note for note in status.history)
    assert status.next_action == "how does it stand?"
    assert result.outcome is RefundOutcome.REVERSED
    assert await refunds.wrong() == []


async def test_a_person_is_asked_about_a_refund_of_which_nobody_knows_for_six_hours(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    never_answer(refunds.sandbox, operation=REFUNDS)
    unknown = await refunds.start(payment, 1000, name="rf_unknown")
    handle, reviewed = refunds.workflow("rf_unknown"), []

    for hours in (5, 2):
        await refunds.duly.environment.sleep(timedelta(hours=hours))
        attributes = (await handle.describe()).typed_search_attributes
        reviewed.append((attributes.get(NEEDS_REVIEW), attributes.get(REVIEW_REASON)))

    assert unknown.outcome is RefundOutcome.UNKNOWN
    assert reviewed == [(None, None), (True, "unknown_refund")]
