"""The receiver after a restore: events are stored, and nobody is signalled before the database is recovered."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from temporalio.client import Client

from activities.database import Database
from activities.events.inbox import EventInbox, EventQueries
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery import fence
from activities.recovery.guard import RestoreGuard
from tests.events.signed_events import SECRETS, an_event, send
from tests.recovery.test_cli_recover import hold
from tests.support.builders import Merchant
from webhook import GuardedInbox, Webhook, build_app


@pytest.fixture
def webhook(
    database: Database,
    temporal_server: Client,
    gateway: StripeGateway,
    merchant: Merchant,
    monkeypatch: pytest.MonkeyPatch,
) -> Webhook:
    """A receiver as `webhook.py` makes it, which asks at each use whether something is held."""
    monkeypatch.setattr(fence, "FRESH_SECONDS", 0.0)
    own, guarded = database.another(), database.another()
    guard = RestoreGuard(own, temporal_server, "stripe")
    guard.lend_to_process(guarded)
    inbox = GuardedInbox(EventInbox(guarded, "stripe"), guard)
    return Webhook(EventInbox(database, "stripe"), temporal_server, SECRETS, ReceiverClock(gateway), guarded=inbox)


@pytest.fixture
async def visitor(webhook: Webhook) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who sends to the receiver."""
    app = build_app(webhook)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://duly") as client,
    ):
        yield client


async def health_begins(visitor: httpx.AsyncClient, status: str) -> httpx.Response:
    """Wait until the receiver says how it is."""
    async with asyncio.timeout(60):
        while not (answer := await visitor.get("/health")).json()["status"].startswith(status):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return answer


async def is_attempted(database: Database, event_id: str) -> bool:
    """Whether somebody has tried to deliver an event."""
    event = await EventQueries(database).find(event_id)
    return event is not None and (event.tries > 0 or event.state != "waiting")


async def test_what_comes_while_a_restore_is_not_recovered_is_stored_and_delivered_after_it(
    visitor: httpx.AsyncClient, webhook: Webhook, database: Database, merchant: Merchant
) -> None:
    await health_begins(visitor, "alive")
    await hold(database)

    stored = await send(visitor, an_event())
    held = await health_begins(visitor, "held")
    attempted = await is_attempted(database, "evt_1")
    await merchant.run("update duly.sending set state = 'open'")
    webhook.delivering.wake()
    well = await health_begins(visitor, "alive")

    async with asyncio.timeout(60):
        while not await is_attempted(database, "evt_1"):  # noqa: ASYNC110 - delivered by the receiver's own task
            await asyncio.sleep(0.02)
    assert (stored, attempted) == (200, False)
    assert (held.status_code, well.status_code) == (503, 200)
