"""What people ask for between two executions is done, whatever signals come without end: commands are carried along."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from activities.database import Database
from commands.updates import until_accepted
from models.collections.collection import Stage
from models.reductions.reduction import Decision, ReductionDecision, ReductionState, ReductionStatus
from tests.fixtures.cards import CardClient
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.support.attempts import attempts
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from tests.test_waiting import AT_ONCE, WHO, duly, in_dunning, run_of
from workflows.collections.collection import Collection

__all__ = ["duly"]  # the fixture, on a server that suggests to continue as new after a few events


@asynccontextmanager
async def signalled_all_the_time(workflow: WorkflowHandle[Any, Any], signal: str) -> AsyncIterator[None]:
    """Signal a workflow as fast as it takes signals: it continues as new again and again."""

    async def signal_on() -> None:
        with suppress(RPCError):  # it has ended
            while True:
                await workflow.signal(signal)

    signalling = [asyncio.create_task(signal_on()) for _ in range(AT_ONCE)]
    yield
    for task in signalling:
        task.cancel()
    await asyncio.gather(*signalling, return_exceptions=True)


async def ask(workflow: WorkflowHandle[Any, Any], update: Any, command: object) -> None:
    """Ask for something as the commands do: again, when the server throws the workflow's task away to go on as new."""
    await until_accepted(lambda: workflow.execute_update(update, command))


async def gone_on(workflow: WorkflowHandle[Any, Any], run: str) -> None:
    """Wait until another execution goes on with the work of one."""

    async def is_another() -> bool:
        return await run_of(workflow) != run

    await until(is_another)


async def is_planned_after(collection: WorkflowHandle[Any, Any], moment: datetime | None) -> bool:
    """Whether a collection waits for something later than a moment."""
    next_action_at = (await collection.query(Collection.status)).next_action_at
    return moment is not None and next_action_at is not None and next_action_at > moment


async def is_asked_again(reward: WorkflowHandle[Any, Any]) -> bool:
    """Whether a person is asked once more what becomes of a reward."""
    status = await reward.query("status", result_type=ReductionStatus)
    return "a person is asked" in status.history[-1]


async def is_validated_twice(cards: CardClient, card: str) -> bool:
    """Whether the gateway has answered the second validation of a card."""
    last = (await cards.status(card)).last
    return last is not None and last.attempt == 2


@pytest.mark.nightly
async def test_a_skip_and_an_end_that_come_between_signals_are_done(duly: RunningDuly, merchant: Merchant) -> None:
    account, collection = await in_dunning(duly, merchant)
    first, planned = await run_of(collection), (await collection.query(Collection.status)).next_action_at

    async with signalled_all_the_time(collection, "receivable_changed"):
        await ask(collection, Collection.skip_attempt, WHO)
        await gone_on(collection, first)
        await until(lambda: is_planned_after(collection, planned))
        await ask(collection, Collection.give_up, WHO)
        result = await collection.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "operator_gave_up")
    assert await attempts(merchant, account) == [(1, "declined")]


@pytest.mark.nightly
async def test_a_decision_about_a_reward_that_comes_between_signals_is_done(
    duly: RunningDuly, refunds: RefundClient, database: Database
) -> None:
    rewards = ReductionClient(refunds, database)
    await rewards.open(remedies=["another_payment"])
    account = await refunds.merchant.account()
    await rewards.award(account, 100, name="award_stuck")
    reward = rewards.workflow("award_stuck")
    await reward.execute_update("first_outcome")
    first = await run_of(reward)

    async with signalled_all_the_time(reward, "payment_changed"):
        await gone_on(reward, first)
        await ask(reward, "decide", ReductionDecision("maria", "goodwill", decision=Decision.TRY_AGAIN))
        await until(lambda: is_asked_again(reward))
        second = await run_of(reward)
        await gone_on(reward, second)
        await ask(reward, "decide", ReductionDecision("maria", "goodwill", decision=Decision.CREDIT))
        result = await reward.result()

    assert (result.state, await refunds.merchant.balance(account)) == (ReductionState.GRANTED, -100)


@pytest.mark.nightly
async def test_a_validation_of_a_card_that_is_asked_for_between_signals_is_made(
    duly: RunningDuly, merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[])
    card, _ = await card_client.save(account)
    workflow = card_client.workflow(card)
    first = await run_of(workflow)

    async with signalled_all_the_time(workflow, "card_touched"):
        await gone_on(workflow, first)
        await ask(workflow, "revalidate", WHO)
        await until(lambda: is_validated_twice(card_client, card))

    stored = "select array_agg(outcome order by attempt) from duly.gateway_attempts a join duly.gateway_requests r"
    outcomes = await merchant.value(f"{stored} on r.id = a.request_id where r.kind = 'card_validation'")
    assert outcomes == ["succeeded", "succeeded"]
