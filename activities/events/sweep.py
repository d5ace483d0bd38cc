"""Events that never came: the gateway's own list is swept, and what is new goes into the inbox."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter
from temporalio import activity

from activities.business_events import announce
from activities.events.inbox import EventInbox
from activities.gateway.clocks import GatewayWithClock
from activities.gateway.retries import retryable
from models.gateway.errors import GatewayError
from models.gateway.events import EventChannel, EventCursor, GatewayEvent, SweepRequest, Swept
from models.operations.events_swept import EventsSwept

# The gateway may list an event a little after its moment, and clocks differ.
OVERLAP = timedelta(minutes=10)

# How far back the gateway's list goes.
REMEMBERED = timedelta(days=30)

PAGE = 100

One = TypeVar("One")

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class EventSource(GatewayWithClock, Protocol):
    """A gateway that lists its events."""

    def events(self, since: datetime, after: EventCursor | None = None) -> AsyncIterator[GatewayEvent]:
        """Every event of a needed type since a moment, or of those behind the last one that was read.

        It goes as far back as the gateway remembers.
        """
        ...


@dataclass(frozen=True)
class _SoFar:
    """How far a sweep is, as its heartbeats say: when it began and since when it reads, and what it has stored."""

    began: datetime
    since: datetime
    is_mark_known: bool
    listed: int = 0
    found: int = 0
    newest: datetime = _LONG_AGO
    last: EventCursor | None = None

    def with_page(self, page: Sequence[GatewayEvent], found: int) -> "_SoFar":
        """Return how far it is after one more page, of which so many were new."""
        return replace(
            self,
            listed=self.listed + len(page),
            found=self.found + found,
            newest=max(self.newest, *(event.created_at for event in page)),
            last=EventCursor(page[-1].id, page[-1].type),
        )


_SO_FAR = TypeAdapter(_SoFar)


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

        Raises ApplicationError of type GatewayBusy, GatewayAccess or GatewayUnanswered: a retry goes on behind the last
        page that was stored.
        """
        mark = await self._inbox.swept_until()
        try:
            so_far = await self._begun(mark)
            async for page in in_pages(self._gateway.events(so_far.since, so_far.last), PAGE):
                found = await self._inbox.receive(*page, channel=EventChannel.SWEEP)
                so_far = so_far.with_page(page, found)
                activity.heartbeat(_SO_FAR.dump_python(so_far, mode="json"))
        except GatewayError as error:
            raise retryable(error) from None
        await self._inbox.note_sweep(
            max(min(so_far.newest, so_far.began), so_far.began - OVERLAP),
            known_ahead=mark if not so_far.is_mark_known else None,
        )
        # The first sweep reads what was before this installation: no webhook has missed that.
        if so_far.found and mark is not None:
            announce(EventsSwept(request.provider, so_far.found))
        is_late = mark is not None and mark < so_far.began - REMEMBERED
        return Swept(so_far.listed, so_far.found, so_far.since, is_late=is_late)

    async def _begun(self, mark: datetime | None) -> "_SoFar":
        """Return how far the try before came, or where a sweep from a mark begins."""
        reached = activity.info().heartbeat_details
        if reached:
            return _SO_FAR.validate_python(reached[0])
        began = await self._gateway_now()
        oldest = began - REMEMBERED
        # A mark that is ahead was made by a clock that was: nobody knows when the list was read to its end.
        is_known = mark is not None and mark <= began + OVERLAP
        since = max(oldest, mark - OVERLAP) if mark is not None and is_known else oldest
        return _SoFar(began, since, is_known)

    async def _gateway_now(self) -> datetime:
        """Return what time it is at the gateway: a mark by our own clock would hide events if that is ahead."""
        if not self._gateway.clock.is_known:
            await self._gateway.verify()
        return self._gateway.clock.earliest_now or datetime.now(UTC)


async def in_pages(found: AsyncIterator[One], size: int) -> AsyncIterator[list[One]]:
    """Yield what a list has in pages of so many; the last may have fewer, and none is empty."""
    page: list[One] = []
    async for one in found:
        page.append(one)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
