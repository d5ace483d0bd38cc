"""Stripe's events, pushed and listed: verified where they are pushed, and translated into ours."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import stripe
import structlog
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from activities.gateway.translation import optional, translating_errors
from models.card_number import holds_card_number
from models.gateway.events import (
    Endpoint,
    EndpointChange,
    EventCursor,
    GatewayEvent,
    StaleEventError,
    UntrustedEventError,
    event_subject,
    needed_types,
)

log = structlog.get_logger(__name__)

# A signature older than this may be one that somebody has kept and sends again.
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

# What our own ids are made of: an account's is given by whoever opened it.
_OUR_ID = re.compile(r"[^\x00-\x1f\x7f]{1,255}")

# The last second of the year 9999, beyond which no clock here goes.
_END_OF_TIME = 253_402_300_799

# The list of events takes so many types at once.
_TYPES_MAX = 20


class _About(BaseModel):
    """The object that an event is about, in any version of the API: a field of another shape names nothing.

    What cannot be read of an object is no reason to lose its event: the object itself is read where the event leads.
    """

    model_config = ConfigDict(strict=True, extra="allow")

    id: Any = None
    mode: Any = None
    metadata: Any = None


class _Data(BaseModel):
    model_config = ConfigDict(strict=True)

    object: _About


class _Event(BaseModel):
    """An event as the gateway sends it; anything of another shape is none."""

    model_config = ConfigDict(strict=True)

    id: Annotated[str, StringConstraints(pattern=r"^evt_[A-Za-z0-9_]{1,240}$")]
    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,120}$")]
    created: int = Field(ge=0, le=_END_OF_TIME)
    livemode: bool = False
    account: Annotated[str, StringConstraints(pattern=r"^acct_[A-Za-z0-9]{1,240}$")] | None = None
    data: _Data


def verified_event(body: bytes, signature: str, secrets: Sequence[str], *, is_live: bool, now: float) -> GatewayEvent:
    """Return the event of a signed body. During a rotation either secret will do. Raises UntrustedEventError."""
    signed_at = _signed_at(body, signature, secrets)
    if signed_at is None:
        raise UntrustedEventError("signature")
    if signed_at < now - TOLERANCE_SECONDS:
        raise StaleEventError
    try:
        event = _read(_Event.model_validate_json(body))
    except ValueError as error:
        raise UntrustedEventError("body") from error
    if event.is_live is not is_live:
        raise UntrustedEventError("livemode")
    return event


def _signed_at(body: bytes, signature: str, secrets: Sequence[str]) -> int | None:
    """Return when a body was signed by one of the secrets, in Unix seconds; None when it was not."""
    for secret in secrets:
        try:
            # Without a tolerance: how old is too old is for a clock that is known to be right to say.
            stripe.WebhookSignature.verify_header(body, signature, secret)
        except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError):
            # A signature with letters that are not ASCII cannot be compared at all.
            continue
        return next(int(part.split("=")[1]) for part in signature.split(",") if part.startswith("t="))
    return None


def event_of(event: Mapping[str, Any]) -> GatewayEvent:
    """Read what an event is about. Raises ValueError when it is no event."""
    return _read(_Event.model_validate(event))


def _read(event: _Event) -> GatewayEvent:
    about = event.data.object
    metadata = about.metadata if isinstance(about.metadata, Mapping) else {}
    return GatewayEvent(
        id=event.id,
        type=event.type,
        subject=event_subject(
            event.type, page_mode=about.mode if isinstance(about.mode, str) else "", gateway_account=event.account or ""
        ),
        object_id=_id_in(about.id),
        request_id=_our_id_in(metadata.get("duly_request")),
        account_id=_our_id_in(metadata.get("duly_account")),
        mentions=tuple(sorted(set(_mentioned(about)))),
        is_live=event.livemode,
        created_at=datetime.fromtimestamp(event.created, UTC),
        gateway_account=event.account or "",
    )


def _mentioned(about: _About) -> Iterator[str]:
    others = about.model_extra or {}
    for value in (about.id, *(others.get(name) for name in _NAMING)):
        if id := _id_in(value.get("id") if isinstance(value, Mapping) else value):
            yield id


def _id_in(value: object) -> str:
    """Return an id of the gateway's, or nothing where there is none."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _our_id_in(value: object) -> str:
    # Metadata may be written by hand: what cannot be an id of ours, or may be a card number, names nothing.
    return value if isinstance(value, str) and _OUR_ID.fullmatch(value) and not holds_card_number(value) else ""


def _parts(needed: Sequence[str], after: EventCursor | None) -> Iterator[tuple[Sequence[str], dict[str, str]]]:
    """Yield the types in parts that the list takes at once, from the part of the last event that was read."""
    parts = [needed[start : start + _TYPES_MAX] for start in range(0, len(needed), _TYPES_MAX)]
    began = next((number for number, types in enumerate(parts) if after and after.type in types), None)
    cursor = {"starting_after": after.id} if after and began is not None else {}
    for types in parts[began:]:
        yield types, cursor
        cursor = {}


class StripeEvents:
    """The gateway's list of events, and the address to which it sends them."""

    _client: stripe.StripeClient
    account: str

    async def events(self, since: datetime, after: EventCursor | None = None) -> AsyncIterator[GatewayEvent]:
        """Every event of the needed types since a moment, or of those behind the last one that was read.

        The newest come first within each part of the types.
        """
        for types, cursor in _parts(needed_types(of_merchants=bool(self.account)), after):
            asked: Any = {"types": list(types), "created": {"gte": int(since.timestamp())}, "limit": 100} | cursor
            with translating_errors():
                try:
                    page = await self._client.v1.events.list_async(asked)
                except stripe.InvalidRequestError as error:
                    if cursor and error.param == "starting_after":
                        # The gateway has forgotten it meanwhile, and with it all that are older.
                        continue
                    raise
                async for event in page.auto_paging_iter():
                    try:
                        yield event_of(event.to_dict())
                    except ValidationError:
                        # One that cannot be read must not keep all others from being found.
                        log.exception("event_unreadable", event_id=event.id)

    async def register_endpoint(self, url: str, *, of_merchants: bool = False) -> Endpoint:
        """Make the gateway send us exactly the events that are needed. A repeat changes nothing.

        Events of merchants' accounts go to an endpoint of their own, with a secret of its own.
        """
        endpoints, wanted = self._client.v1.webhook_endpoints, needed_types(of_merchants=of_merchants)
        with translating_errors():
            found = await self._endpoint_at(url, of_merchants=of_merchants)
            if found is None:
                # Events come in the version that the SDK speaks, whatever the account's own is.
                terms: Any = {"url": url, "enabled_events": list(wanted), "api_version": stripe.api_version}
                made = await endpoints.create_async(terms | ({"connect": True} if of_merchants else {}))
                return Endpoint(made.id, url, EndpointChange.CREATED, optional(made, "secret") or "")
            if set(found.enabled_events) == set(wanted) and found.status == "enabled":
                return Endpoint(found.id, url, EndpointChange.UNCHANGED)
            await endpoints.update_async(found.id, {"enabled_events": cast("Any", list(wanted)), "disabled": False})
            return Endpoint(found.id, url, EndpointChange.UPDATED)

    async def events_not_sent(self, *, of_merchants: bool) -> tuple[str, ...] | None:
        """Return the needed types of events that no enabled endpoint gets; None where there is no such endpoint."""
        sent: set[str] | None = None
        with translating_errors():
            page = await self._client.v1.webhook_endpoints.list_async({"limit": 100})
            async for endpoint in page.auto_paging_iter():
                if endpoint.status == "enabled" and bool(optional(endpoint, "application")) is of_merchants:
                    sent = (sent or set()) | set(endpoint.enabled_events)
        if sent is None:
            return None
        return () if "*" in sent else tuple(one for one in needed_types(of_merchants=of_merchants) if one not in sent)

    async def _endpoint_at(self, url: str, *, of_merchants: bool) -> stripe.WebhookEndpoint | None:
        page = await self._client.v1.webhook_endpoints.list_async({"limit": 100})
        async for endpoint in page.auto_paging_iter():
            # Of what it was made for, only the application that it names is left to see.
            if endpoint.url == url and bool(optional(endpoint, "application")) is of_merchants:
                return endpoint
        return None
