"""Keys, versions, idempotency, parameters and metadata."""

import base64
import secrets

from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.behaviours.requests import pay, payment
from sandbox.stripe.contract.calls import Calls

_CUSTOMER = {"description": "contract test"}


def _key() -> str:
    return f"contract-{secrets.token_hex(12)}"


@behaviour("200", "/api/authentication")
def basic(calls: Calls) -> str:
    """A secret key is taken by HTTP Basic authentication, as the user."""
    encoded = base64.b64encode(f"{calls.key}:".encode()).decode()
    return calls.post("/v1/customers", _CUSTOMER, Authorization=f"Basic {encoded}").error


@behaviour("401", "/api/errors")
def wrong_key(calls: Calls) -> str:
    """A key of somebody else is refused."""
    return str(calls.post("/v1/customers", _CUSTOMER, Authorization="Bearer sk_test_of_nobody").status)


@behaviour("400", "/api/versioning")
def version(calls: Calls) -> str:
    """A version that never was is refused."""
    return str(calls.post("/v1/customers", _CUSTOMER, Stripe_Version="2999-01-01").status)


@behaviour("200, replayed, the same object, key echoed", "/api/idempotent_requests")
def replay(calls: Calls) -> str:
    """A repeat under the same key is answered with the first answer."""
    key = _key()
    first = calls.post("/v1/customers", _CUSTOMER, Idempotency_Key=key)
    second = calls.post("/v1/customers", _CUSTOMER, Idempotency_Key=key)
    replayed = "replayed" if second.headers.get("Idempotent-Replayed") == "true" else "anew"
    same = "the same object" if first.body["id"] == second.body["id"] else "another object"
    echoed = "key echoed" if second.headers.get("Idempotency-Key") == key else "key not echoed"
    return f"{second.status}, {replayed}, {same}, {echoed}"


@behaviour("400 idempotency_error", "/api/idempotent_requests")
def reused(calls: Calls) -> str:
    """The same key with other parameters is refused."""
    key = _key()
    calls.post("/v1/customers", _CUSTOMER, Idempotency_Key=key)
    refused = calls.post("/v1/customers", {"description": "another"}, Idempotency_Key=key)
    return f"{refused.status} {refused.body['error']['type']}"


@behaviour("one object; the others replayed or 409 idempotency_key_in_use", "/api/idempotent_requests")
def in_progress(calls: Calls) -> str:
    """Requests in the same moment under one key make one object."""
    replies = calls.at_once(6, "/v1/customers", _CUSTOMER, Idempotency_Key=_key())
    made = {reply.body["id"] for reply in replies if reply.status == 200}
    others = {reply.error for reply in replies if reply.status != 200} - {"409 idempotency_key_in_use"}
    return "; ".join(sorted(others)) or (
        "one object; the others replayed or 409 idempotency_key_in_use" if len(made) == 1 else f"{len(made)} objects"
    )


@behaviour("402 card_declined generic_decline, replayed", "/api/idempotent_requests")
def declined_replay(calls: Calls) -> str:
    """A decline is an answer like any other: it is replayed."""
    key, form = _key(), payment("pm_card_visa_chargeDeclined")
    calls.post("/v1/payment_intents", form, Idempotency_Key=key)
    second = calls.post("/v1/payment_intents", form, Idempotency_Key=key)
    return f"{second.error}, {'replayed' if second.headers.get('Idempotent-Replayed') else 'anew'}"


@behaviour("400 parameter_missing currency, then 200", "/api/idempotent_requests")
def not_stored(calls: Calls) -> str:
    """A request that fails validation uses no key up."""
    key = _key()
    refused = calls.post("/v1/payment_intents", {"amount": 2000}, Idempotency_Key=key)
    made = calls.post("/v1/payment_intents", {"amount": 2000, "currency": "usd"}, Idempotency_Key=key)
    return f"{refused.error}, then {made.error}"


@behaviour("400 parameter_unknown colour", "/error-codes")
def unknown_parameter(calls: Calls) -> str:
    """An unknown parameter is refused by its name."""
    return calls.post("/v1/customers", {"colour": "red"}).error


@behaviour("400 metadata", "/api/metadata")
def metadata_keys(calls: Calls) -> str:
    """An update that would bring metadata above 50 keys is refused."""
    full = {f"metadata[key{number}]": "x" for number in range(50)}
    customer = calls.post("/v1/customers", full).body["id"]
    return calls.post(f"/v1/customers/{customer}", {"metadata[one_more]": "x"}).error


@behaviour("400", "/api/metadata")
def metadata_key(calls: Calls) -> str:
    """A metadata key of 41 characters is refused."""
    return str(calls.post("/v1/customers", {f"metadata[{'k' * 41}]": "x"}).status)


@behaviour("400", "/api/metadata")
def metadata_value(calls: Calls) -> str:
    """A metadata value of 501 characters is refused."""
    return str(calls.post("/v1/customers", {"metadata[key]": "x" * 501}).status)


@behaviour("400 parameter_invalid_integer limit", "/api/pagination")
def page(calls: Calls) -> str:
    """A page has at most 100 rows."""
    return calls.get("/v1/customers", limit=101).error


@behaviour("404 resource_missing id", "/error-codes")
def missing(calls: Calls) -> str:
    """An object that is not there is 404."""
    return calls.get("/v1/customers/cus_nobody").error


@behaviour("402 card_declined insufficient_funds, retry false", "/error-low-level")
def retry(calls: Calls) -> str:
    """A decline says that repeating the request is no use."""
    declined = pay(calls, "pm_card_visa_chargeDeclinedInsufficientFunds")
    return f"{declined.error}, retry {declined.headers.get('Stripe-Should-Retry', 'unsaid')}"
