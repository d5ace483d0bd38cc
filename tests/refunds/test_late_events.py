"""What comes while a workflow is ending was delivered, so the workflow looks once more before it ends."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowHandle

from activities.database import Database
from models.reductions.reduction import ReductionState
from models.refunds.refund import RefundOutcome
from settings import Settings
from tests.disputes.test_disputes import disputed, workflow_of
from tests.fixtures.refunds import RefundClient
from tests.messages.recipients import person
from tests.reductions.reduction_client import ReductionClient
from tests.support.run_control import until


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A mail server that is away: who has something to say waits for it before the end."""
    return settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"})


@pytest.fixture
async def rewards(refunds: RefundClient, database: Database) -> ReductionClient:
    rewards = ReductionClient(refunds, database)
    await rewards.open()
    return rewards


def has_noted(workflow: WorkflowHandle[object, object], note: str) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        return any(line.endswith(note) for line in (await workflow.query("status"))["history"])

    return has


def has_pending(workflow: WorkflowHandle[object, object], activity: str) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        pending = (await workflow.describe()).raw_description.pending_activities
        return activity in [one.activity_type.name for one in pending]

    return has


async def readings(workflow: WorkflowHandle[object, object]) -> int:
    events = [event async for event in workflow.fetch_history_events()]
    named = [event.activity_task_scheduled_event_attributes.activity_type.name for event in events]
    return named.count("read_dispute")


async def test_a_refund_that_comes_back_while_it_is_ending_is_booked(refunds: RefundClient) -> None:
    await refunds.merchant.configure("[refund_rules]\nwatch_days = 0")
    [payment] = await refunds.paid(2500, account=await person(refunds.merchant))
    first = await refunds.start(payment, 1000, name="rf_ending")
    await until(has_noted(refunds.workflow("rf_ending"), f"over: {RefundOutcome.REFUNDED}"))

    refunds.sandbox.fail_refund(first.gateway_reference)
    await refunds.workflow("rf_ending").signal("gateway_event")
    result = await refunds.ended("rf_ending")

    assert result.outcome is RefundOutcome.REVERSED
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_a_dispute_that_has_an_event_while_it_is_ending_is_read_once_more(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500, account=await person(refunds.merchant))
    dispute = workflow_of(refunds, await disputed(refunds, payment))
    refunds.sandbox.close_dispute(dispute.id.removeprefix("dispute/"), won=False)
    await dispute.signal("gateway_event")
    await until(has_noted(dispute, "over: lost"))
    before = await readings(dispute)

    await dispute.signal("gateway_event")
    async with refunds.duly.time_passing():
        result = await dispute.result()

    assert result.state == "lost"
    assert await readings(dispute) == before + 1
    assert await refunds.wrong() == []


async def test_a_reward_whose_sale_is_returned_while_it_is_ending_is_taken_back(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    [sale] = await refunds.paid(1000)
    await rewards.award(await refunds.account_of(sale), 300, name="award_ending", payment_id=sale)
    ending = rewards.workflow("award_ending")
    await ending.execute_update("first_outcome")
    async with refunds.owner_engine.begin() as other:
        await other.execute(text("select from duly.reductions where award_id = 'award_ending' for update"))
        async with refunds.duly.time_passing():
            await until(has_pending(ending, "close_reduction"))
        await refunds.cancel(sale, name="rf_sale")
        await ending.signal("payment_changed")
    result = await rewards.ended("award_ending")

    assert result.state is ReductionState.CLAWED_BACK
    assert await refunds.wrong() == []
