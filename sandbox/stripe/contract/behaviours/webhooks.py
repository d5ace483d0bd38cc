"""Events, the addresses to which they are sent, and their signatures."""

import json
import time

import stripe

from activities.gateway.stripe_events import verified_event
from models.gateway.events import UntrustedEventError
from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.behaviours.requests import pay
from sandbox.stripe.contract.calls import Calls, NotAskedError
from sandbox.stripe.contract.deliveries import Delivery
from sandbox.stripe.contract.side import Side
from sandbox.stripe.jsontypes import Json

NOWHERE = "https://example.com/duly-contract"
DELIVERY_SECONDS = 60.0


def _endpoint(calls: Calls, url: str = NOWHERE, type: str = "payout.paid") -> Json:
    form = {"url": url, "enabled_events[]": type, "api_version": stripe.api_version}
    return calls.post("/v1/webhook_endpoints", form).body


def _readers(delivery: Delivery, secret: str) -> str:
    """Who takes a delivery under a secret: the SDK's own function, and Duly's receiver."""
    takers = []
    try:
        stripe.Webhook.construct_event(delivery.body, delivery.signature, secret)
        takers.append("construct_event")
    except stripe.SignatureVerificationError:
        takers.append("not construct_event")
    try:
        verified_event(delivery.body, delivery.signature, [secret], is_live=False, now=time.time())
        takers.append("the receiver")
    except UntrustedEventError:
        takers.append("not the receiver")
    return " and ".join(takers)


@behaviour("charge.succeeded, payment_intent.created, payment_intent.succeeded; no account", "/api/events/types")
def events(calls: Calls) -> str:
    """A payment is told by three events, which name no account unless it is a connected one's."""
    paid = pay(calls).body
    mine = {paid["id"], paid["latest_charge"]}
    listed = calls.until(
        "/v1/events?limit=100", lambda page: sum(each["data"]["object"]["id"] in mine for each in page["data"]) >= 3
    )
    found = [each for each in listed["data"] if each["data"]["object"]["id"] in mine]
    types = sorted({each["type"] for each in found} - {"charge.updated"})
    return f"{', '.join(types)}; {'account' if any('account' in each for each in found) else 'no account'}"


@behaviour("the same event, with its request's idempotency key", "/api/events/object")
def event(calls: Calls) -> str:
    """An event is read by its id, as it was listed, and names the request that caused it."""
    key = f"{calls.run}-event"
    paid = calls.post("/v1/payment_intents", {"amount": 2000, "currency": "usd"}, Idempotency_Key=key).body
    path = "/v1/events?type=payment_intent.created&limit=100"
    listed = calls.until(path, lambda page: any(each["data"]["object"]["id"] == paid["id"] for each in page["data"]))
    found = next(each for each in listed["data"] if each["data"]["object"]["id"] == paid["id"])
    again = calls.get(f"/v1/events/{found['id']}").body
    same = all(again[name] == found[name] for name in ("id", "type", "created", "data"))
    named = "with its request's idempotency key" if found["request"]["idempotency_key"] == key else "without a key"
    return f"{'the same event' if same else 'another event'}, {named}"


@behaviour("a secret, then none", "/api/webhook_endpoints/object")
def endpoint(calls: Calls) -> str:
    """The secret of a webhook endpoint is told once."""
    made = _endpoint(calls)
    again = calls.get(f"/v1/webhook_endpoints/{made['id']}").body
    return f"{'a secret' if made.get('secret') else 'none'}, then {'a secret' if again.get('secret') else 'none'}"


@behaviour("enabled in our version, deleted, 404 resource_missing id", "/api/webhook_endpoints/delete")
def deleted_endpoint(calls: Calls) -> str:
    """A webhook endpoint speaks the version that it was made with, and can be deleted."""
    made = _endpoint(calls)
    ours = "our" if made["api_version"] == stripe.api_version else "another"
    path = f"/v1/webhook_endpoints/{made['id']}"
    gone = "deleted" if calls.delete(path).body.get("deleted") else "not deleted"
    return f"{made['status']} in {ours} version, {gone}, {calls.get(path).error}"


@behaviour("400 url", "/api/webhook_endpoints/create")
def endpoint_address(calls: Calls) -> str:
    """An address without a scheme is refused."""
    refused = calls.post("/v1/webhook_endpoints", {"url": "example", "enabled_events[]": "payout.paid"})
    return f"{refused.status} {refused.body['error'].get('param')}"


@behaviour(
    "construct_event and the receiver; with another secret not construct_event and not the receiver",
    "/webhooks#verify-manually",
)
def signature(calls: Calls) -> str:
    """An event under its endpoint's secret is taken by the SDK's `construct_event` and by Duly's receiver."""
    secret, another = (str(_endpoint(calls)["secret"]) for _ in range(2))
    paid = pay(calls).body["id"]
    page = calls.until("/v1/events?limit=100", lambda page: paid in json.dumps(page))
    body = json.dumps(next(each for each in page["data"] if paid in json.dumps(each)))
    header: str = stripe.WebhookSignature.generate_signature_header(body, secret)
    delivery = Delivery(body.encode(), header)
    return f"{_readers(delivery, secret)}; with another secret {_readers(delivery, another)}"


@behaviour("construct_event and the receiver", "/webhooks#verify-official-libraries")
def delivered(side: Side) -> str:
    """A webhook that is delivered is taken by both as it came."""
    if side.deliveries is None:
        raise NotAskedError("webhooks need an address that leads here: ARGS='--webhook-url https://... --listen 4242'")
    secret = str(_endpoint(side, side.deliveries.url, "payment_intent.succeeded")["secret"])
    paid = pay(side).body["id"]
    arrived = side.deliveries.naming(paid, DELIVERY_SECONDS)
    return "nothing came" if arrived is None else _readers(arrived, secret)
