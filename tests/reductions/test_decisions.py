"""What a person decides about a reward is done once, and only a person who is asked may decide."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError

from activities.database import Database
from models.reductions.reduction import Decision, Reduction, ReductionDecision, ReductionState
from tests.fixtures.database import table_in_use
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.support.run_control import at_work, until

CREDIT = ReductionDecision("maria", "goodwill", decision=Decision.CREDIT)
GIVE_UP = ReductionDecision("tom", "not owed", decision=Decision.GIVE_UP)


@pytest.fixture
async def rewards(refunds: RefundClient, database: Database) -> ReductionClient:
    """A café that takes part, and whose only remedy is another payment."""
    rewards = ReductionClient(refunds, database)
    await rewards.open(remedies=["another_payment"])
    return rewards


async def refusal(workflow: WorkflowHandle[object, Reduction], command: ReductionDecision) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await workflow.execute_update("decide", command)
    return str(refused.value.cause)


async def is_known(workflow: WorkflowHandle[object, Reduction]) -> bool:
    try:
        await workflow.describe()
    except RPCError:
        return False
    return True


async def test_of_two_decisions_the_first_is_done_and_the_second_refused(
    rewards: ReductionClient, refunds: RefundClient, owner_engine: AsyncEngine
) -> None:
    account = await refunds.merchant.account()
    await rewards.award(account, 100, name="award_stuck")
    workflow = rewards.workflow("award_stuck")
    await workflow.execute_update("first_outcome")

    async with table_in_use(owner_engine, "reductions"):
        await workflow.signal("payment_changed")
        await at_work(workflow, "load_reduction")
        await workflow.execute_update("decide", CREDIT)
        reason = await refusal(workflow, GIVE_UP)
    result = await rewards.ended("award_stuck")

    assert reason == "CommandError: stage: maria has decided already: credit"
    assert (result.state, await refunds.merchant.balance(account)) == (ReductionState.GRANTED, -100)


async def test_a_refused_cancel_leaves_nothing_to_decide(rewards: ReductionClient, refunds: RefundClient) -> None:
    await rewards.open(hold_days=14, remedies=["another_payment"])
    await rewards.award(await refunds.merchant.account(), 100, name="award_held")
    workflow = rewards.workflow("award_held")

    await workflow.cancel()
    reason = await refusal(workflow, GIVE_UP)

    assert reason == "CommandError: stage: no person is asked just now"


async def test_a_cancel_just_before_a_person_is_asked_does_not_keep_them_from_deciding(
    rewards: ReductionClient, refunds: RefundClient, owner_engine: AsyncEngine
) -> None:
    account = await refunds.merchant.account()
    workflow = rewards.workflow("award_stuck")

    async with table_in_use(owner_engine, "reductions"):
        awarding = asyncio.create_task(rewards.award(account, 100, name="award_stuck"))
        await until(lambda: is_known(workflow))
        await at_work(workflow, "open_reduction")
        await workflow.cancel()
        await workflow.query("status")
    await awarding
    await workflow.execute_update("first_outcome")
    await workflow.signal("payment_changed")
    await workflow.query("status")
    await workflow.execute_update("decide", CREDIT)
    result = await rewards.ended("award_stuck")

    assert (result.state, await refunds.merchant.balance(account)) == (ReductionState.GRANTED, -100)
