"""Events that never came: the gateway's own list is swept, and what is new goes into the inbox."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from temporalio import activity

from activities.business_events import announce
from activities.events.inbox import EventInbox
from activities.gateway.clocks import GatewayWithClock
from activities.gateway.retries import retryable
from models.gateway.errors import GatewayError
from models.gateway.events import EventChannel, GatewayEvent, SweepRequest, Swept
from models.operations.events_swept import EventsSwept

# The gateway may list an event a little after its moment, and clocks differ.
OVERLAP = timedelta(minutes=10)

# How far back the gateway's list goes.
REMEMBERED = timedelta(days=30)

PAGE = 100

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class EventSource(GatewayWithClock, Protocol):
    """A gateway that lists its events."""

    def events(self, since: datetime) -> AsyncIterator[GatewayEvent]:
        """Every event of a needed type since a moment, as far back as the gateway remembers."""
        ...


class EventFeedActivities:
    """Reads the gateway's list of events."""

    def __init__(self, inbox: EventInbox, gateway: EventSource) -> None:
        self._inbox = inbox
        self._gateway = gateway

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.sweep_events]

    @activity.defn
    async def sweep_events(self, request: SweepRequest) -> Swept:
        """Store every event since the last sweep that is not here yet, and note how far that was. Safe to repeat.

        How far it was goes by the gateway's clock: the newest event that was read, or when the list was asked for.

        Raises ApplicationError of type GatewayBusy, GatewayAccess or GatewayUnanswered: a retry begins where this did.
        """
        mark = await self._inbox.swept_until()
        listed = found = 0
        newest = _LONG_AGO
        try:
            began = await self._gateway_now()
            oldest = began - REMEMBERED
            # A mark that is ahead was made by a clock that was: nobody knows when the list was read to its end.
            is_known = mark is not None and mark <= began + OVERLAP
            since = max(oldest, mark - OVERLAP) if mark is not None and is_known else oldest
            async for page in _pages(self._gateway.events(since)):
                listed += len(page)
                found += await self._inbox.receive(*page, channel=EventChannel.SWEEP)
                newest = max(newest, *(event.created_at for event in page))
        except GatewayError as error:
            raise retryable(error) from None
        await self._inbox.note_sweep(
            max(min(newest, began), began - OVERLAP), known_ahead=mark if not is_known else None
        )
        # The first sweep reads what was before this installation: no webhook has missed that.
        if found and mark is not None:
            announce(EventsSwept(request.provider, found))
        return Swept(listed, found, since, is_late=mark is not None and mark < oldest)

    async def _gateway_now(self) -> datetime:
        """Return what time it is at the gateway: a mark by our own clock would hide events if that is ahead."""
        if not self._gateway.clock.is_known:
            await self._gateway.verify()
        return self._gateway.clock.earliest_now or datetime.now(UTC)


async def _pages(events: AsyncIterator[GatewayEvent]) -> AsyncIterator[list[GatewayEvent]]:
    page: list[GatewayEvent] = []
    async for event in events:
        page.append(event)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page
