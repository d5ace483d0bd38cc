"""Stripe's events, pushed and listed: verified where they are pushed, and put into our words."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import stripe

from activities.gateway.translation import translating_errors
from models.gateway.events import (
    Endpoint,
    EndpointChange,
    GatewayEvent,
    UntrustedEventError,
    needed_types,
    subject_of,
)

TOLERANCE_SECONDS = 300

# Fields in which an object names another one that may be ours.
_NAMING = (
    "charge",
    "customer",
    "mandate",
    "payment_intent",
    "payment_method",
    "setup_intent",
)
_ID = re.compile(r"[a-z]{2,10}_[A-Za-z0-9_]{1,240}")

# The list of events takes so many types at once.
_TYPES_MAX = 20


def verified_event(body: bytes, signature: str, secrets: Sequence[str], *, is_live: bool) -> GatewayEvent:
    """Return the event of a signed body. During a rotation either secret will do. Raises UntrustedEventError."""
    if not any(_is_signed(body, signature, secret) for secret in secrets):
        raise UntrustedEventError("signature")
    try:
        event = event_of(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UntrustedEventError("body") from error
    if event.is_live is not is_live:
        raise UntrustedEventError("livemode")
    return event


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


def event_of(event: Mapping[str, Any]) -> GatewayEvent:
    """Read what an event is about. Raises KeyError, TypeError or ValueError when it is no event."""
    about = event["data"]["object"]
    metadata = about.get("metadata") or {}
    return GatewayEvent(
        id=str(event["id"]),
        type=str(event["type"]),
        subject=subject_of(str(event["type"]), page_mode=str(about.get("mode") or "")),
        object_id=str(about.get("id") or ""),
        request_id=str(metadata.get("duly_request") or ""),
        account_id=str(metadata.get("duly_account") or ""),
        mentions=tuple(sorted(set(_mentioned(about)))),
        is_live=bool(event.get("livemode")),
        created_at=datetime.fromtimestamp(event["created"], UTC),
    )


def _mentioned(about: Mapping[str, Any]) -> Iterator[str]:
    for value in (about, *(about.get(name) for name in _NAMING)):
        id = value.get("id") if isinstance(value, Mapping) else value
        if isinstance(id, str) and _ID.fullmatch(id):
            yield id


class StripeEvents:
    """The gateway's list of events, and the address to which it sends them."""

    _client: stripe.StripeClient

    async def events(self, since: datetime) -> AsyncIterator[GatewayEvent]:
        """Every event of the needed types since a moment, newest first within each part of the types."""
        needed = needed_types()
        for types in (needed[start : start + _TYPES_MAX] for start in range(0, len(needed), _TYPES_MAX)):
            with translating_errors():
                page = await self._client.v1.events.list_async(
                    {"types": list(types), "created": {"gte": int(since.timestamp())}, "limit": 100}
                )
                async for event in page.auto_paging_iter():
                    yield event_of(event.to_dict())

    async def register_endpoint(self, url: str) -> Endpoint:
        """Make the gateway send us exactly the events that are needed. A repeat changes nothing."""
        endpoints, wanted = self._client.v1.webhook_endpoints, needed_types()
        with translating_errors():
            found = await self._endpoint_at(url)
            if found is None:
                # Events come in the version that the SDK speaks, whatever the account's own is.
                made = await endpoints.create_async(
                    {
                        "url": url,
                        "enabled_events": cast("Any", list(wanted)),
                        "api_version": cast("Any", stripe.api_version),
                    }
                )
                return Endpoint(made.id, url, EndpointChange.CREATED, made.secret or "")
            if set(found.enabled_events) == set(wanted) and found.status == "enabled":
                return Endpoint(found.id, url, EndpointChange.UNCHANGED)
            await endpoints.update_async(found.id, {"enabled_events": cast("Any", list(wanted)), "disabled": False})
            return Endpoint(found.id, url, EndpointChange.UPDATED)

    async def _endpoint_at(self, url: str) -> stripe.WebhookEndpoint | None:
        page = await self._client.v1.webhook_endpoints.list_async({"limit": 100})
        async for endpoint in page.auto_paging_iter():
            if endpoint.url == url:
                return endpoint
        return None
