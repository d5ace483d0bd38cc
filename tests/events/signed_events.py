"""Events as the gateway signs and sends them."""

import json
from typing import Any

import httpx
import stripe

SECRETS = ("whsec_new", "whsec_old")


def an_event(
    event_id: str = "evt_1", *, type: str = "payment_intent.succeeded", live: bool = False, **about: Any
) -> str:
    """The body of an event about a payment, unless it says something else."""
    described = {"id": "pi_1", "object": "payment_intent", "metadata": {}} | about
    event = {"id": event_id, "type": type, "created": 1, "livemode": live, "data": {"object": described}}
    return json.dumps(event)


def signed(body: str, *, secret: str = "whsec_new", at: int | None = None) -> dict[str, str]:
    """The header that proves a body to be the gateway's."""
    return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body, secret, at)}


async def send(visitor: httpx.AsyncClient, body: str, headers: dict[str, str] | None = None) -> int:
    """Send a body, signed unless headers are given; return the status of the answer."""
    answer = await visitor.post("/webhooks/stripe", content=body, headers=signed(body) if headers is None else headers)
    return answer.status_code
