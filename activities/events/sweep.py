"""Events that never came: the gateway's own list is looked through, and what is new goes the way of all events."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity

from activities.events.inbox import EventInbox
from activities.gateway.retries import retryable
from models.gateway.charges import Gateway
from models.gateway.errors import GatewayError
from models.gateway.events import Delivered, EventChannel, GatewayEvent, SweepRequest, Swept

# The gateway may list an event a little after its moment, and clocks differ.
OVERLAP = timedelta(minutes=10)

# How far back the gateway's list goes.
REMEMBERED = timedelta(days=30)

PAGE = 100


class EventFeedActivities:
    """Reads the gateway's list of events."""

    def __init__(self, inbox: EventInbox, gateway: Gateway) -> None:
        self._inbox = inbox
        self._gateway = gateway

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.sweep_events]

    @activity.defn
    async def sweep_events(self, _request: SweepRequest) -> Swept:
        """Store every event since the last sweep that is not here yet, and note how far that was. Safe to repeat.

        Raises ApplicationError of type GatewayBusy, GatewayAccess or GatewayUnanswered: a retry begins where this did.
        """
        began, mark = datetime.now(UTC), await self._inbox.swept_until()
        oldest = began - REMEMBERED
        since = max(oldest, mark - OVERLAP) if mark else oldest
        listed = found = 0
        try:
            async for page in _pages(self._gateway.events(since)):
                listed += len(page)
                found += await self._inbox.receive(*page, channel=EventChannel.SWEEP)
        except GatewayError as error:
            raise retryable(error) from None
        await self._inbox.note_sweep(began)
        return Swept(listed, found, since, is_late=mark is not None and mark < oldest)


async def _pages(events: AsyncIterator[GatewayEvent]) -> AsyncIterator[list[GatewayEvent]]:
    page: list[GatewayEvent] = []
    async for event in events:
        page.append(event)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


class EventDeliveryActivities:
    """Delivers what waits in the inbox, by the same way as the webhook process does."""

    def __init__(self, deliver: Callable[[], Awaitable[Delivered]]) -> None:
        self._deliver = deliver

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.deliver_events]

    @activity.defn
    async def deliver_events(self) -> Delivered:
        """Hint the workflows of everything that waits. Safe to repeat: a hint says nothing but "look"."""
        return await self._deliver()
