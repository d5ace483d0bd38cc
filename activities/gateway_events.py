"""Stripe's webhooks, verified and put into our words; and the inbox that keeps each event once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from activities.database import Database
from models.gateway_event import GatewayEvent, UntrustedEventError

TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Hint:
    """An event that waits for delivery, with the receivable it is about."""

    event_id: str
    type: str
    account_id: str
    period: str


def verified_event(body: bytes, signature: str, secrets: Sequence[str]) -> GatewayEvent:
    """Return the event of a signed body. During a rotation either secret will do. Raises UntrustedEventError."""
    if not any(_is_signed(body, signature, secret) for secret in secrets):
        raise UntrustedEventError("signature")
    try:
        event = json.loads(body)
        return _event_of(event, event["data"]["object"])
    except (ValueError, KeyError, TypeError) as error:
        raise UntrustedEventError("body") from error


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


def _event_of(event: dict[str, Any], about: dict[str, Any]) -> GatewayEvent:
    metadata = about.get("metadata") or {}
    return GatewayEvent(
        id=str(event["id"]),
        type=str(event["type"]),
        object_id=str(about.get("id") or ""),
        request_id=str(metadata.get("duly_request") or ""),
        account_id=str(metadata.get("duly_account") or ""),
        created_at=datetime.fromtimestamp(event["created"], UTC),
    )


class EventInbox:
    """Events as they came in: stored before anything is done about them, and delivered until somebody took them."""

    def __init__(self, database: Database, provider: str) -> None:
        self._database = database
        self._provider = provider

    async def receive(self, event: GatewayEvent) -> bool:
        """Store an event; False when it is here already."""
        return bool(
            await self._database.call(
                "receive_event",
                id=event.id,
                provider_id=self._provider,
                type=event.type,
                object_id=event.object_id,
                request_id=event.request_id,
                account_id=event.account_id,
                created_at=event.created_at,
            )
        )

    async def to_deliver(self, limit: int = 100) -> list[Hint]:
        """Return the oldest events that nobody has taken."""
        rows = await self._database.rows("select * from duly.events_to_deliver(:limit)", limit=limit)
        return [Hint(*tuple(row)) for row in rows]

    async def receivable_of(self, token: str) -> tuple[str, str] | None:
        """Return account and period of the open collection behind a customer's link."""
        rows = await self._database.rows("select * from duly.collection_of_link(:token)", token=token)
        return (rows[0].account_id, rows[0].period) if rows else None

    async def delivered(self, event_ids: Sequence[str]) -> None:
        """Note that events have been taken."""
        await self._database.call("note_delivery", ids=list(event_ids))
