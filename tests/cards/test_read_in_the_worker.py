"""A card that is adopted costs one read and no task of a queue: there are many, and they sleep for months."""

from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from models.cards.card import CardRequest, CardResult, CardState
from models.workflow_ids import WORKFLOW_QUEUE, card_id
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.cards.card_lifecycle import CardLifecycle


@pytest.fixture
async def adopted(duly: RunningDuly, merchant: Merchant) -> str:
    """A stored card that no workflow looks after yet."""
    account = await merchant.account()
    return str(await merchant.value("select id from duly.cards where account_id = :account", account=account))


async def adopt(duly: RunningDuly, card: str) -> WorkflowHandle[CardLifecycle, CardResult]:
    request = CardRequest(card, "stripe")
    return await duly.client.start_workflow(CardLifecycle.run, request, id=card_id(card), task_queue=WORKFLOW_QUEUE)


async def test_a_card_that_is_adopted_is_read_in_the_worker_and_sleeps(duly: RunningDuly, adopted: str) -> None:
    handle = await adopt(duly, adopted)
    status = await handle.query(CardLifecycle.status)

    kinds = [event.WhichOneof("attributes") for event in (await handle.fetch_history()).events]
    assert (status.card.state if status.card else None) == CardState.ACTIVE
    assert "activity_task_scheduled_event_attributes" not in kinds
    assert "timer_started_event_attributes" in kinds


async def test_a_card_that_cannot_be_read_when_it_is_adopted_is_read_as_soon_as_it_can_be(
    duly: RunningDuly, merchant: Merchant, adopted: str
) -> None:
    await merchant.run("alter function duly.change_card rename to change_card_later")

    handle = await adopt(duly, adopted)
    with duly.environment.auto_time_skipping_disabled():
        await until(lambda: is_tried_again(handle))
        await merchant.run("alter function duly.change_card_later rename to change_card")
        await until(lambda: is_asleep(handle))

    card = (await handle.query(CardLifecycle.status)).card
    assert (card.state if card else None) == CardState.ACTIVE


async def is_tried_again(handle: WorkflowHandle[Any, Any]) -> bool:
    return any(one.attempt > 1 for one in (await handle.describe()).raw_description.pending_activities)


async def is_asleep(handle: WorkflowHandle[Any, Any]) -> bool:
    history = await handle.fetch_history()
    return history.events[-1].WhichOneof("attributes") == "timer_started_event_attributes"
