"""Disputes: held until the bank decides, never paid twice, and what hangs on the payment waits or is taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from activities.database import Database
from models.disputes.dispute import DisputeRecord, DisputeState, DisputeStatus, next_reminder
from models.operator_command import OperatorCommand
from models.reductions.reduction import ReductionState
from models.workflow_ids import dispute_id
from sandbox.stripe.control.client import STRIPES_DELAYS, DisputeScript
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.support.attempts import never_answer
from tests.support.run_control import happened, until

WHO = OperatorCommand("maria", "not worth it")


async def charge_of(refunds: RefundClient, payment: str) -> str:
    return str(
        await refunds.merchant.value(
            "select charge_reference from duly.gateway_attempts where payment_id = :id and outcome = 'succeeded'"
            " and channel <> 'refund'",
            id=payment,
        )
    )


async def disputed(refunds: RefundClient, payment: str, script: DisputeScript | None = None) -> str:
    """Let the cardholder dispute a payment, the bank take the money, and the events arrive; return the dispute."""
    dispute = refunds.sandbox.create_dispute(await charge_of(refunds, payment), script)
    refunds.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await refunds.deliver_events()
    await workflow_of(refunds, str(dispute["id"])).execute_update("first_reading")
    return str(dispute["id"])


def workflow_of(refunds: RefundClient, dispute: str) -> WorkflowHandle[object, DisputeRecord]:
    return refunds.duly.client.get_workflow_handle(dispute_id(dispute), result_type=DisputeRecord)


async def check(refunds: RefundClient, dispute: str) -> None:
    """Wait until the workflow has read the dispute."""
    await workflow_of(refunds, dispute).execute_update("check_now", OperatorCommand("maria", "curious"))
    await refunds.duly.environment.sleep(1)


async def decided(refunds: RefundClient, dispute: str, *, won: bool) -> DisputeRecord:
    """Let the bank decide, and the event arrive."""
    refunds.sandbox.close_dispute(dispute, won=won)
    await workflow_of(refunds, dispute).signal("gateway_event")
    return await workflow_of(refunds, dispute).result()


async def held(refunds: RefundClient) -> int:
    return int(
        await refunds.merchant.value(
            "select coalesce(sum(debit_minor - credit_minor), 0) from duly.ledger_entries"
            " where ledger_account = 'dispute_holding:stripe'"
        )
    )


async def alerts(refunds: RefundClient) -> list[str]:
    rows = await refunds.merchant.run(
        "select kind from duly.messages where kind like 'dispute%' order by created_at, kind"
    )
    return [row.kind for row in rows]


async def test_the_money_is_held_while_the_bank_decides_and_comes_back_when_it_is_won(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)

    dispute = await disputed(refunds, payment)
    while_open = (await held(refunds), await refunds.wrong())
    result = await decided(refunds, dispute, won=True)

    assert while_open == (2500, [])
    assert (result.state, await held(refunds), await refunds.state_of(payment)) == (DisputeState.WON, 0, "posted")
    assert await refunds.owed(payment) == 0
    assert await refunds.wrong() == []
    assert await alerts(refunds) == ["dispute_opened", "dispute_decided"]


async def test_when_it_is_lost_the_payment_is_cancelled_and_the_card_is_not_charged_again_by_itself(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment)

    result = await decided(refunds, dispute, won=False)

    assert (result.state, await held(refunds), await refunds.state_of(payment)) == (DisputeState.LOST, 0, "cancelled")
    assert await refunds.owed(payment) == 2500
    assert await refunds.merchant.value("select state_reason from duly.cards") == "charged_back"
    origins = await refunds.merchant.value(
        "select origin from duly.financial_transactions where classification = 'payment_cancellation'"
    )
    assert origins == "system"
    assert await refunds.wrong() == []


async def test_of_a_dispute_about_a_part_the_rest_stays_paid(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment, DisputeScript(amount=1000))

    await decided(refunds, dispute, won=False)

    assert await refunds.owed(payment) == 1000
    assert await refunds.wrong() == []


async def test_an_inquiry_moves_no_money(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment, DisputeScript(is_inquiry=True))

    result = await decided(refunds, dispute, won=True)

    assert (result.state, await held(refunds)) == (DisputeState.CLOSED, 0)
    assert await refunds.wrong() == []


async def test_an_inquiry_that_becomes_a_dispute_is_held_then(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment, DisputeScript(is_inquiry=True))

    refunds.sandbox.escalate_inquiry(dispute)
    refunds.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await check(refunds, dispute)

    assert await held(refunds) == 2500
    assert await refunds.wrong() == []


async def test_a_disputed_payment_is_neither_refunded_nor_cancelled(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await disputed(refunds, payment)

    for ask in (refunds.start(payment, 100), refunds.cancel(payment)):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await ask
        assert getattr(refused.value.cause, "type", "") == "payment_not_disputed"


async def test_a_dispute_after_a_refund_takes_only_what_was_left(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.start(payment, 1000)
    dispute = await disputed(refunds, payment)

    await decided(refunds, dispute, won=False)

    assert await refunds.owed(payment) == 2500
    assert await refunds.wrong() == []


async def test_what_the_bank_takes_of_a_payment_that_was_cancelled_before_is_our_loss_and_nobodys_debt(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.cancel(payment)
    owed = await refunds.owed(payment)
    dispute = await disputed(refunds, payment, DisputeScript(amount=2500))

    await decided(refunds, dispute, won=False)

    assert await refunds.owed(payment) == owed == 2500
    assert await refunds.wrong() == []


async def test_a_refund_whose_answer_was_lost_meets_a_dispute_and_both_are_booked(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    never_answer(refunds.sandbox, operation="POST /v1/refunds")
    await refunds.start(payment, 1000, name="rf_then_disputed")
    refunds.sandbox.clear_faults()
    dispute = await disputed(refunds, payment)

    await refunds.duly.environment.sleep(600)
    await decided(refunds, dispute, won=False)

    assert await refunds.owed(payment) == 2500
    assert await refunds.wrong() == []


async def test_operators_are_reminded_before_evidence_is_due(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment)
    await happened(workflow_of(refunds, dispute), EventType.EVENT_TYPE_TIMER_STARTED)
    # The due date is the gateway's, whose clock earlier tests have put forward: no fixed number of days reaches it.
    status = await workflow_of(refunds, dispute).query("status", result_type=DisputeStatus)
    assert status.next_action_at is not None
    ahead = status.next_action_at - await refunds.duly.environment.get_current_time()

    await refunds.duly.environment.sleep(ahead + timedelta(minutes=1))

    async def are_notified() -> bool:
        return await alerts(refunds) == ["dispute_opened", "dispute_due"]

    await until(are_notified)


async def test_a_person_gives_it_up(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    dispute = await disputed(refunds, payment)

    accepted = await workflow_of(refunds, dispute).execute_update("accept", WHO, result_type=DisputeRecord)
    result = await workflow_of(refunds, dispute).result()

    assert (accepted.state, result.state) == (DisputeState.LOST, DisputeState.LOST)
    assert (
        "accepted, says maria: not worth it" in (await refunds.merchant.value("select decisions from duly.disputes"))[0]
    )
    assert await refunds.wrong() == []


async def test_a_reward_is_frozen_while_its_sale_is_disputed_and_taken_back_when_it_is_lost(
    refunds: RefundClient, database: Database
) -> None:
    rewards = ReductionClient(refunds, database)
    await rewards.open(hold_days=1)
    [sale] = await refunds.paid(2500)
    account = await refunds.account_of(sale)
    await rewards.award(account, 500, name="award_frozen", payment_id=sale)
    dispute = await disputed(refunds, sale)

    await refunds.duly.environment.sleep(timedelta(days=5))
    while_open = refunds.sandbox.movements().totals[0].refunds.count
    await decided(refunds, dispute, won=False)
    result = await rewards.ended("award_frozen")

    assert (while_open, result.state) == (0, ReductionState.CLAWED_BACK)
    assert await refunds.merchant.balance(account) == 2500
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_a_reward_goes_on_when_the_dispute_is_won(refunds: RefundClient, database: Database) -> None:
    rewards = ReductionClient(refunds, database)
    await rewards.open(hold_days=1)
    [sale] = await refunds.paid(2500)
    await rewards.award(await refunds.account_of(sale), 500, name="award_won", payment_id=sale)
    dispute = await disputed(refunds, sale)
    await refunds.duly.environment.sleep(timedelta(days=2))

    await decided(refunds, dispute, won=True)
    result = await rewards.ended("award_won")

    assert result.state is ReductionState.GRANTED


def test_the_reminders_come_three_days_and_one_day_before_and_then_no_more() -> None:
    due = datetime(2026, 12, 10, 12, tzinfo=UTC)
    dispute = DisputeRecord(
        "dp_1", "stripe", "acc", "ft_1", 100, "EUR", "fraudulent", DisputeState.OPEN, "needs_response", due, False
    )

    assert next_reminder(dispute, now=due - timedelta(days=7)) == due - timedelta(days=3)
    assert next_reminder(dispute, now=due - timedelta(days=3)) == due - timedelta(days=1)
    assert next_reminder(dispute, now=due - timedelta(days=1)) is None
