"""Passing events on survives whatever goes wrong, and says so while it does not work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from activities.events.inbox import EventInbox, EventQueries
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from tests.events.signed_events import SECRETS, an_event, send
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app

BROKEN = "alter function duly.events_due(text, integer, text[]) rename to events_due_elsewhere"
MENDED = "alter function duly.events_due_elsewhere(text, integer, text[]) rename to events_due"


@pytest.fixture
def webhook(inbox: EventInbox, duly: RunningDuly, gateway: StripeGateway) -> Webhook:
    """A receiver that has no patience: what fails is said at once."""
    return Webhook(inbox, duly.client, SECRETS, ReceiverClock(gateway), stall_seconds=0.0)


@pytest.fixture
async def run_as_owner(owner_engine: AsyncEngine) -> Callable[[str], Awaitable[None]]:
    """Changes what only the owner may change."""

    async def run(statement: str) -> None:
        async with owner_engine.begin() as connection:
            await connection.execute(text(statement))

    return run


async def health_is(visitor: httpx.AsyncClient, status: str) -> httpx.Response:
    """Wait until the receiver says how it is."""
    async with asyncio.timeout(60):
        while (answer := await visitor.get("/health")).json()["status"] != status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return answer


async def tries_of(database: Database, event_id: str) -> int:
    event = await EventQueries(database).find(event_id)
    return int(event.tries) if event else 0


async def test_a_database_error_of_any_kind_stops_delivery_only_for_as_long_as_it_lasts(
    visitor: httpx.AsyncClient,
    merchant: Merchant,
    database: Database,
    run_as_owner: Callable[[str], Awaitable[None]],
) -> None:
    await health_is(visitor, "alive")
    await run_as_owner(BROKEN)

    stored = await send(visitor, an_event())
    failing = await health_is(visitor, "not delivering")
    await run_as_owner(MENDED)
    well = await health_is(visitor, "alive")

    async with asyncio.timeout(60):
        while await tries_of(database, "evt_1") == 0:  # noqa: ASYNC110 - delivered by the receiver's own task
            await asyncio.sleep(0.02)
    assert stored == 200
    assert (failing.status_code, failing.json()["delivery"]["error"]) == (503, "SchemaMismatchError")
    assert (well.status_code, well.json()["delivery"]["failures"]) == (200, 0)


async def test_a_delivery_that_has_ended_is_said(
    webhook: Webhook, duly: RunningDuly, merchant: Merchant, visitor: httpx.AsyncClient
) -> None:
    await health_is(visitor, "alive")

    for task in asyncio.all_tasks():
        if "RepeatedTask.run" in str(task.get_coro()):
            task.cancel()
    ended = await health_is(visitor, "not delivering")

    assert (ended.status_code, ended.json()["delivery"]["is_running"]) == (503, False)


@pytest.fixture
async def unreachable() -> AsyncIterator[Database]:
    """A database that is away."""
    from activities.database import create_engine

    database = Database(create_engine("postgresql+psycopg://a:b@127.0.0.1:1/duly", pool=1), timeout_seconds=5)
    yield database
    await database.dispose()


async def test_while_the_database_is_away_senders_and_customers_are_asked_to_come_back(
    unreachable: Database, duly: RunningDuly, gateway: StripeGateway
) -> None:
    webhook = Webhook(EventInbox(unreachable, "stripe"), duly.client, SECRETS, ReceiverClock(gateway))
    transport = httpx.ASGITransport(app=build_app(webhook))
    async with httpx.AsyncClient(transport=transport, base_url="http://duly") as visitor:
        event = await send(visitor, an_event())
        pages = [await visitor.get(f"/{page}/{'f' * 64}") for page in ("pay", "cards")]
        ready = await visitor.get("/ready")

    assert [event, ready.status_code, *(page.status_code for page in pages)] == [503] * 4


async def test_before_the_database_is_migrated_senders_are_asked_to_come_back(
    merchant: Merchant,
    run_as_owner: Callable[[str], Awaitable[None]],
    database: Database,
    duly: RunningDuly,
    gateway: StripeGateway,
) -> None:
    await run_as_owner("alter table duly.gateway_events rename to events_of_another_release")
    webhook = Webhook(EventInbox(database, "stripe"), duly.client, SECRETS, ReceiverClock(gateway))
    transport = httpx.ASGITransport(app=build_app(webhook))
    async with httpx.AsyncClient(transport=transport, base_url="http://duly") as visitor:
        event = await send(visitor, an_event())
        ready = await visitor.get("/ready")

    assert (event, ready.status_code, ready.json()) == (503, 503, {"status": "database not migrated"})


async def test_a_shutdown_that_is_cancelled_is_cancelled(webhook: Webhook) -> None:
    async def started_and_stopped() -> None:
        app = build_app(webhook)
        async with app.router.lifespan_context(app):
            stopping.set()
        ended.set()

    stopping, ended = asyncio.Event(), asyncio.Event()
    shutdown = asyncio.create_task(started_and_stopped())
    await stopping.wait()
    shutdown.cancel()
    await asyncio.wait([shutdown], timeout=5)

    assert shutdown.cancelled()
    assert not ended.is_set()
