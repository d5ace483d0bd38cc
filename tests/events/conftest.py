"""What tests of events share: a receiver in this process, and events as the gateway signs them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from tests.events.signed_events import SECRETS
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app


@pytest.fixture
def inbox(database: Database) -> EventInbox:
    """The provider's inbox."""
    return EventInbox(database, "stripe")


@pytest.fixture
def webhook(inbox: EventInbox, duly: RunningDuly, gateway: StripeGateway) -> Webhook:
    """The receiver of events."""
    return Webhook(inbox, duly.client, SECRETS, ReceiverClock(gateway))


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
