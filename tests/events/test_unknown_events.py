"""Events about nothing that is known here: kept, looked at again, and in the end listed for a person."""

import asyncio

import httpx
import pytest

from activities.database import Database
from activities.events.delivery import EventDelivery
from activities.events.inbox import EventInbox, EventQueries
from models.gateway.events import PAUSES, Delivered, EventState
from tests.events.signed_events import an_event, send
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from webhook import Webhook
from workflows.events.targets import target_of


@pytest.fixture
def delivery(inbox: EventInbox, duly: RunningDuly) -> EventDelivery:
    return EventDelivery(inbox, duly.client, target_of)


@pytest.fixture
def receiver(webhook: Webhook) -> httpx.AsyncClient:
    """Somebody who sends to a receiver that stores events and leaves delivering to the test."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    app = Starlette(routes=[Route("/webhooks/stripe", webhook.receive, methods=["POST"])])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://duly")


async def state_of(database: Database, event_id: str = "evt_1") -> tuple[str, int]:
    found = await EventQueries(database).find(event_id)
    assert found is not None
    return found.state, found.tries


async def its_turn(merchant: Merchant, owner: Database) -> None:
    """Let the pause of every waiting event be over."""
    await owner.rows("update duly.gateway_events set next_try_at = now() where state = 'waiting' returning id")


@pytest.fixture
async def owner(owner_database_url: str) -> Database:
    from activities.database import create_engine

    return Database(create_engine(owner_database_url, pool=1), timeout_seconds=5)


async def test_an_event_of_a_type_that_nothing_needs_is_kept_and_ignored(
    receiver: httpx.AsyncClient, merchant: Merchant, database: Database, delivery: EventDelivery
) -> None:
    assert await send(receiver, an_event(type="invoice.paid")) == 200

    assert await delivery.deliver_waiting() == Delivered()
    assert await state_of(database) == (EventState.IGNORED, 0)


async def test_an_event_that_comes_before_our_own_row_is_delivered_once_that_is_there(
    receiver: httpx.AsyncClient, merchant: Merchant, database: Database, delivery: EventDelivery, owner: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await send(receiver, an_event(metadata={"duly_request": f"pay/{account}/2026-11"}))
    early = await delivery.deliver_waiting()

    await merchant.run(
        "select duly.open_attempt(:account, '2026-11', 'stripe', '', 1, 'scheduled', '')", account=account
    )
    await its_turn(merchant, owner)
    later = await delivery.deliver_waiting()

    assert (early, later) == (Delivered(put_off=1), Delivered(taken=1))
    assert await state_of(database) == (EventState.DELIVERED, 2)
    await owner.dispose()


async def test_an_event_that_stays_unknown_is_listed_for_a_person_who_is_told_once(
    receiver: httpx.AsyncClient, merchant: Merchant, database: Database, delivery: EventDelivery, owner: Database
) -> None:
    await send(receiver, an_event(id="pi_of_another_system"))

    rounds = []
    for _ in range(len(PAUSES) + 1):
        rounds.append(await delivery.deliver_waiting())
        await its_turn(merchant, owner)

    assert rounds == [Delivered(put_off=1)] * len(PAUSES) + [Delivered(given_up=1)]
    assert await delivery.deliver_waiting() == Delivered()
    assert await state_of(database) == (EventState.NEEDS_REVIEW, len(PAUSES) + 1)
    alerts = await merchant.run("select id, parameters from duly.messages")
    assert [(row.id, row.parameters["object"]) for row in alerts] == [("event_unknown/evt_1", "pi_of_another_system")]
    await owner.dispose()


async def test_those_who_look_at_an_event_at_the_same_moment_have_tried_it_once(
    receiver: httpx.AsyncClient, merchant: Merchant, database: Database
) -> None:
    await send(receiver, an_event(id="pi_of_another_system"))
    checks = [EventInbox(database, "stripe") for _ in range(len(PAUSES) + 1)]
    seen = await asyncio.gather(*(check.to_deliver() for check in checks))

    await asyncio.gather(
        *(check.put_off([hint.event_id for hint in hints]) for check, hints in zip(checks, seen, strict=True))
    )

    assert await state_of(database) == (EventState.WAITING, 1)
    assert await merchant.value("select count(*) from duly.messages") == 0


async def test_each_pause_is_longer_than_the_one_before() -> None:
    assert list(PAUSES) == sorted(set(PAUSES))


async def test_an_event_that_a_card_was_saved_which_is_over_here_is_not_delivered_to_its_workflow_that_has_ended(
    receiver: httpx.AsyncClient, merchant: Merchant, database: Database, delivery: EventDelivery
) -> None:
    account = await merchant.account(cards=[])
    for call in (
        "register_card('card_1', :account, 'stripe', 'card', null, true, 1, false, '')",
        "open_validation('card_1', 1)",
        "record_validation('card/card_1', 1, 'declined', 'seti_1', 'card_declined', '', '{}')",
    ):
        await merchant.run(f"select duly.{call}", **({"account": account} if ":account" in call else {}))
    await send(receiver, an_event(type="setup_intent.succeeded", id="seti_1", object="setup_intent"))

    assert await delivery.deliver_waiting() == Delivered(put_off=1)
    assert await state_of(database) == (EventState.WAITING, 1)


async def test_a_worker_of_the_first_release_gets_the_events_it_knows_however_many_others_wait_before_them(
    receiver: httpx.AsyncClient, merchant: Merchant, database: Database
) -> None:
    for number in range(3):
        await send(receiver, an_event(f"evt_{number}", type="charge.updated", id=f"ch_{number}", object="charge"))
    await send(receiver, an_event("evt_payment"))

    rows = await database.rows("select * from duly.events_to_deliver('stripe', 1)")

    assert [(row.id, row.subject) for row in rows] == [("evt_payment", "payment")]
