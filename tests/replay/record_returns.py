"""Records the histories of refunds, reductions and disputes, as `record.py` does those of collecting. By hand:

.venv/bin/pytest tests/replay/record_returns.py
"""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from activities.database import Database
from activities.reductions.reductions import open_reduction
from models.disputes.dispute import DisputeRecord
from models.reductions.reduction import Award
from models.runs.refund_run import RefundRunRequest
from models.workflow_ids import WORKFLOW_QUEUE, refund_run_id
from sandbox.stripe.control.client import Fault, FaultKind
from tests.disputes.test_disputes import WHO, decided, disputed, workflow_of
from tests.fixtures.refunds import RefundClient, refunds
from tests.reductions.reduction_client import ReductionClient
from tests.refunds.test_refund_runs import DAY, run
from tests.refunds.test_refund_runs_handed_over import awarded
from tests.replay.histories import keep
from tests.support.attempts import never_answer
from workflows.runs.refund_run import RefundRun

__all__ = ["refunds"]


async def test_reduction(refunds: RefundClient, database: Database) -> None:
    rewards = ReductionClient(refunds, database)
    await rewards.open(hold_days=2)
    account = await refunds.merchant.account(cards=["pm_card_visa"])
    await refunds.paid(2500, account=account)
    [sale] = await refunds.paid(1000, account=account)
    await rewards.award(account, 500, name="award_long", payment_id=sale)
    await refunds.duly.environment.sleep(3 * 24 * 3600)
    [refund] = (await refunds.merchant.stripe.v1.refunds.list_async({})).data
    refunds.sandbox.fail_refund(refund.id)
    await rewards.ended("award_long")
    await keep("back_end_reduction-held_back_and_remedied", rewards.workflow("award_long"))

    await rewards.award(account, 300, name="award_returned", payment_id=sale)
    await refunds.duly.environment.sleep(3 * 24 * 3600)
    await refunds.cancel(sale, name="rf_sale")
    await rewards.ended("award_returned")
    await keep("back_end_reduction-clawed_back", rewards.workflow("award_returned"))


async def test_reduction_whose_sale_is_disputed(refunds: RefundClient, database: Database) -> None:
    rewards = ReductionClient(refunds, database)
    await rewards.open(hold_days=10)
    [sale] = await refunds.paid(2500)
    await rewards.award(await refunds.account_of(sale), 500, name="award_frozen", payment_id=sale)
    dispute = await disputed(refunds, sale)
    await refunds.duly.environment.sleep(timedelta(days=2))
    await decided(refunds, dispute, won=True)
    await rewards.ended("award_frozen")
    await keep("back_end_reduction-frozen_then_granted", rewards.workflow("award_frozen"))


async def test_refund(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    never_answer(refunds.sandbox, operation="POST /v1/refunds", tries=3)
    first = await refunds.start(payment, 1000, name="rf_unknown_first")
    refunds.sandbox.clear_faults()
    await refunds.duly.environment.sleep(120)
    [refund] = (await refunds.merchant.stripe.v1.refunds.list_async({})).data
    refunds.sandbox.fail_refund(refund.id)
    await refunds.ended("rf_unknown_first")
    assert first.gateway_reference == ""
    await keep("refund-unknown_then_paid_then_back", refunds.workflow("rf_unknown_first"))


async def test_refund_of_a_stopped_provider(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.merchant.run("update duly.providers set state = 'not_effective'")
    await refunds.start(payment, 1000, name="rf_stopped")
    await refunds.duly.environment.sleep(90 * 60)
    await refunds.merchant.run("update duly.providers set state = 'effective'")
    await refunds.ended("rf_stopped")
    await keep("refund-waits_for_its_provider", refunds.workflow("rf_stopped"))


async def test_refund_that_is_unanswered_after_waiting(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.merchant.run("update duly.providers set state = 'not_effective'")
    await refunds.start(payment, 1000, name="rf_lost_later")
    await refunds.merchant.run("update duly.providers set state = 'effective'")
    never_answer(refunds.sandbox, operation="POST /v1/refunds")
    await refunds.duly.environment.sleep(timedelta(minutes=61))
    refunds.sandbox.clear_faults()
    await refunds.ended("rf_lost_later")
    await keep("refund-unanswered_after_waiting", refunds.workflow("rf_lost_later"))


async def test_cancellation(refunds: RefundClient) -> None:
    await refunds.merchant.configure("[refund_rules]\ncollects_reopened = true")
    [payment] = await refunds.paid(2500)
    await refunds.cancel(payment, name="rf_cancel")
    await refunds.ended("rf_cancel")
    await keep("refund-cancellation_collected_again", refunds.workflow("rf_cancel"))


async def test_dispute(refunds: RefundClient) -> None:
    [payment, other] = await refunds.paid(2500, 1000)
    lost = await disputed(refunds, payment)
    await refunds.duly.environment.sleep(timedelta(days=7))
    await decided(refunds, lost, won=False)
    await keep("dispute-reminded_and_lost", workflow_of(refunds, lost))

    accepted = await disputed(refunds, other)
    await workflow_of(refunds, accepted).execute_update("accept", WHO, result_type=DisputeRecord)
    await workflow_of(refunds, accepted).result()
    await keep("dispute-accepted", workflow_of(refunds, accepted))


async def test_refund_run(refunds: RefundClient, database: Database) -> None:
    await refunds.merchant.configure("[refund_rules]\nrefunds_credit = true")
    rewards = ReductionClient(refunds, database)
    await rewards.open()
    [payment] = await refunds.paid(2500)
    account = await refunds.account_of(payment)
    await open_reduction(database, Award("award_of_run", "cafe", account, 500, "EUR"))
    await refunds.merchant.run("select duly.create_payment('cash', :account, 300, 'EUR', 'cash')", account=account)
    await run(refunds)
    handle = refunds.duly.client.get_workflow_handle(refund_run_id("stripe", f"{DAY}"))
    await keep("refund_run-a_reward_and_a_credit", handle)
    before = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    page = refunds.duly.client.get_workflow_handle(handle.id, run_id=before.continued_execution_run_id)
    await keep("refund_run-goes_on_as_new", page)


async def test_refund_run_over_nobody(refunds: RefundClient) -> None:
    handle = await refunds.duly.client.start_workflow(
        RefundRun.run,
        RefundRunRequest("stripe", DAY, not_due_yet=True),
        id=refund_run_id("stripe", f"{DAY}"),
        task_queue=WORKFLOW_QUEUE,
    )
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    await keep("refund_run-refused_over_nobody", handle)


async def test_scheduled_refund_run(refunds: RefundClient) -> None:
    handle = await refunds.duly.client.start_workflow(
        RefundRun.run,
        RefundRunRequest("stripe"),
        id=f"{refund_run_id('stripe', 'scheduled')}-2026-11-26T03:00:00Z",
        task_queue=WORKFLOW_QUEUE,
    )
    await handle.result()
    await keep("refund_run-scheduled", handle)


async def test_refund_run_that_hands_over(refunds: RefundClient, database: Database) -> None:
    await ReductionClient(refunds, database).open()
    await awarded(refunds, database)
    refunds.sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=FaultKind.UNAVAILABLE_503))
    certificate = await run(refunds)
    last = refunds.duly.client.get_workflow_handle(certificate.run_id)
    started = (await last.fetch_history()).events[0].workflow_execution_started_event_attributes
    page = refunds.duly.client.get_workflow_handle(last.id, run_id=started.continued_execution_run_id)
    await keep("refund_run-hands_over", page)
    await keep("refund_run-certified_after_handing_over", last)
