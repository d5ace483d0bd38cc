"""The inbox: events stored once each before anything is done about them, and kept until they are delivered."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, matching
from activities.events.merchant_pages import LinkedMerchant
from activities.events.request_links import LinkedRequest
from activities.listing import Listed, NewestFirst
from activities.request_tokens import hash_of
from models.gateway.events import PAUSES, EventChannel, EventSubject, GatewayEvent, Hint
from models.listing import ListPage
from models.tables.collecting import CollectionRow, EventMarkRow, GatewayEventRow

_OPEN_COLLECTIONS = select(CollectionRow.period).where(CollectionRow.closed_at.is_(None))
_EVENTS = select(
    GatewayEventRow.id,
    GatewayEventRow.provider_id,
    GatewayEventRow.type,
    GatewayEventRow.subject,
    GatewayEventRow.object_id,
    GatewayEventRow.request_id,
    GatewayEventRow.account_id,
    GatewayEventRow.mentions,
    GatewayEventRow.channel,
    GatewayEventRow.gateway_account,
    GatewayEventRow.state,
    GatewayEventRow.reason,
    GatewayEventRow.tries,
    GatewayEventRow.created_at,
    GatewayEventRow.received_at,
    GatewayEventRow.next_try_at,
    GatewayEventRow.delivered_at,
    GatewayEventRow.decisions,
)
_LIST = NewestFirst(_EVENTS, moment=GatewayEventRow.created_at, key=GatewayEventRow.id, state=GatewayEventRow.state)


class EventInbox:
    """One provider's events as they came in."""

    def __init__(self, database: Database, provider: str) -> None:
        self._database = database
        self._provider = provider

    @property
    def database(self) -> Database:
        """The database that it is in."""
        return self._database

    async def receive(self, *events: GatewayEvent, channel: EventChannel = EventChannel.WEBHOOK) -> int:
        """Store events; return how many were not here already."""
        documents = [_document(event) for event in events]
        return int(
            await self._database.call(
                "receive_events", provider_id=self._provider, channel=channel, events={"events": documents}
            )
        )

    async def to_deliver(self, limit: int = 100) -> list[Hint]:
        """Return the oldest events whose turn it is."""
        rows = await self._database.rows(
            "select * from duly.events_due(:provider, :limit)", provider=self._provider, limit=limit
        )
        return [Hint(row.id, EventSubject(row.subject), tuple(row.key), row.is_recorded) for row in rows]

    async def delivered(self, event_ids: Sequence[str]) -> None:
        """Note that events have been delivered."""
        await self._database.call("note_delivery", ids=list(event_ids))

    async def alert_of_fraud(self, request_id: str, object_id: str, type: str) -> None:
        """Write operators a message about a payment that may be fraud, once for each warning or review."""
        await self._database.call("alert_of_fraud", request_id=request_id, object_id=object_id, type=type)

    async def put_off(self, event_ids: Sequence[str]) -> int:
        """Let events wait longer for what they are about; return how many have waited enough and need a person."""
        pauses = [pause.total_seconds() for pause in PAUSES]
        return int(await self._database.call("put_off_events", ids=list(event_ids), pauses=pauses))

    async def swept_until(self) -> datetime | None:
        """Return up to when the provider's own list has been swept; None before the first time."""
        mark = select(EventMarkRow.swept_until).where(EventMarkRow.provider_id == self._provider)
        found = await self._database.read_first(mark)
        return found.swept_until if found else None

    async def note_sweep(self, until: datetime, *, known_ahead: datetime | None = None) -> None:
        """Note up to when the provider's own list has been swept; back only from a mark that is known to be ahead."""
        await self._database.call("note_sweep", provider_id=self._provider, until=until, known_ahead=known_ahead)

    async def receivable_of(self, token: str) -> tuple[str, str] | None:
        """Return account and period of the open collection behind a customer's link."""
        rows = await self._database.rows("select * from duly.collection_of_link(:token)", token=token)
        return (rows[0].account_id, rows[0].period) if rows else None

    async def request_of_link(self, token: str) -> LinkedRequest | None:
        """Return the payment request behind a link, also one that is over; None for what is no link of a request."""
        rows = await self._database.rows("select * from duly.payment_request_of_link(:hash)", hash=hash_of(token))
        if not rows:
            return None
        files = await self._database.call("attachment_names", id=rows[0].request_id)
        return LinkedRequest(**dict(rows[0]._mapping), files=tuple(files))  # noqa: SLF001  # SQLAlchemy's public name

    async def merchant_of_link(self, token: str) -> LinkedMerchant | None:
        """Return the merchant behind an owner's link, also one that is disconnected."""
        rows = await self._database.rows("select * from duly.merchant_of_link(:token)", token=token)
        return LinkedMerchant(**dict(rows[0]._mapping)) if rows else None  # noqa: SLF001  # SQLAlchemy's public name

    async def owner_returned(self, merchant_id: str) -> None:
        """Note that a merchant's owner has left the gateway's pages."""
        await self._database.call("note_owner_returned", merchant_id=merchant_id)

    async def has_open_collection(self, account_id: str, period: str) -> bool:
        """Say whether somebody must be collecting a receivable, whatever became of their workflow."""
        mine = (CollectionRow.account_id == account_id, CollectionRow.period == period)
        return await self._database.read_first(_OPEN_COLLECTIONS.where(*mine)) is not None

    async def card_of(self, token: str) -> str | None:
        """Return the card behind a link that was sent to its holder."""
        rows = await self._database.rows("select * from duly.card_of_link(:token)", token=token)
        return str(rows[0].card_id) if rows else None


class EventQueries:
    """Events as the command line shows them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, event_id: str) -> Row[Any] | None:
        """Return one event, or None."""
        return await self._database.read_first(_EVENTS.where(GatewayEventRow.id == event_id))

    async def chosen(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        """Return the events that somebody has chosen, the newest first."""
        return await _LIST.chosen(self._database, ids)

    async def page(self, page: ListPage, *, state: str, type_: str) -> Listed:
        """Return a page of events, the newest first; empty filters let all through."""
        filters = (*matching(GatewayEventRow.state, state), *matching(GatewayEventRow.type, type_))
        return await _LIST.page(self._database, page, *filters)

    async def replay(self, event_id: str, *, actor: str, reason: str) -> None:
        """Let an event wait for delivery again. Raises RuleBrokenError: it is not there, or nothing here needs it."""
        await self._database.call("replay_event", id=event_id, actor=actor, reason=reason)


def _document(event: GatewayEvent) -> dict[str, Any]:
    kept = asdict(event)
    return kept | {"subject": event.subject or "", "created_at": event.created_at.isoformat()}
