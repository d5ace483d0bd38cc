"""What operators see of a reward in the Temporal UI: what the customer has is paid, also while it is watched."""

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError

from activities.database import Database
from models.reductions.reduction import Award, ReductionRequest
from models.workflow_ids import WORKFLOW_QUEUE, reduction_id
from tests.disputes.test_disputes import decided, disputed
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.support.run_control import until
from workflows import visibility


@pytest.fixture
async def rewards(refunds: RefundClient, database: Database) -> ReductionClient:
    """A café that takes part."""
    rewards = ReductionClient(refunds, database)
    await rewards.open()
    return rewards


async def stage_and_amount(workflow: WorkflowHandle[Any, Any]) -> tuple[str | None, str | None]:
    attributes = (await workflow.describe()).typed_search_attributes
    return attributes.get(visibility.STAGE), attributes.get(visibility.AMOUNT)


async def test_a_reward_reads_as_paid_while_a_bank_may_still_send_it_back(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    [payment] = await refunds.paid(2500)
    await rewards.award(await refunds.account_of(payment), 500, name="award_coffee")
    workflow = rewards.workflow("award_coffee")

    async def is_paid() -> bool:
        return await stage_and_amount(workflow) == ("paid", "5.00 EUR")

    await until(is_paid)
    metadata = await workflow.query("__temporal_workflow_metadata")
    await rewards.ended("award_coffee")

    assert "### paid: the customer has it, unless a bank sends a refund back" in metadata.current_details
    assert await stage_and_amount(workflow) == ("granted", "5.00 EUR")


@pytest.mark.nightly
async def test_a_reward_reads_as_frozen_only_while_its_sale_is_disputed(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    await rewards.open(hold_days=30)
    [sale] = await refunds.paid(2500)
    await rewards.award(await refunds.account_of(sale), 500, name="award_disputed", payment_id=sale)
    workflow = rewards.workflow("award_disputed")
    dispute = await disputed(refunds, sale)

    async def reads(stage: str) -> bool:
        return await stage_and_amount(workflow) == (stage, "5.00 EUR")

    await until(lambda: reads("frozen"))
    await decided(refunds, dispute, won=True)
    await until(lambda: reads("awarded"))
    await rewards.ended("award_disputed")

    assert await stage_and_amount(workflow) == ("granted", "5.00 EUR")


async def test_a_reward_that_a_rule_refuses_fails_with_the_rule_and_no_traceback(
    rewards: ReductionClient, refunds: RefundClient
) -> None:
    account = await refunds.merchant.account(currency="USD")
    request = ReductionRequest("award_abroad", award=Award("award_abroad", "cafe", account, 500, "USD"))

    with pytest.raises(WorkflowFailureError) as failed:
        await refunds.duly.client.execute_workflow(
            "BackEndReduction", request, id=reduction_id("award_abroad"), task_queue=WORKFLOW_QUEUE
        )

    assert isinstance(failed.value.cause, ActivityError)
    failure = failed.value.cause.failure
    assert failure is not None
    assert failure.message == failure.cause.message
    assert "currency" in failure.message
    assert (failure.stack_trace, failure.cause.stack_trace) == ("", "")
