"""Payments and cards."""

from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.behaviours.requests import NO_REDIRECTS, booked_payment, pay
from sandbox.stripe.contract.calls import Calls

_BARE = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}


@behaviour("null, later txn, by charge.updated", "/payments/payment-intents/asynchronous-capture")
def late_booking(calls: Calls) -> str:
    """With asynchronous capture a charge is booked after it succeeded."""
    charge = pay(calls).body["latest_charge"]
    first = calls.get(f"/v1/charges/{charge}").body["balance_transaction"]
    later = calls.until(f"/v1/charges/{charge}", lambda found: found["balance_transaction"])["balance_transaction"]
    events = calls.get("/v1/events", type="charge.updated", limit=50).body["data"]
    has_event = any(event["data"]["object"]["id"] == charge for event in events)
    return f"{first or 'null'}, later {str(later)[:3]}, {'by charge.updated' if has_event else 'without an event'}"


@behaviour("txn at once", "/payments/payment-intents/asynchronous-capture")
def booked_at_once(calls: Calls) -> str:
    """With `capture_method=automatic` the booking is in the answer."""
    paid = pay(calls, capture_method="automatic", **{"expand[]": "latest_charge"}).body
    return f"{str(paid['latest_charge']['balance_transaction'])[:3]} at once"


@behaviour("400 return_url", "/payments/payment-methods/integration-options")
def payment_return_url(calls: Calls) -> str:
    """Confirming without `return_url` is refused where methods may redirect."""
    refused = calls.post("/v1/payment_intents", _BARE)
    return f"{refused.status} {'return_url' if 'return_url' in refused.body['error']['message'] else 'otherwise'}"


@behaviour("400 return_url", "/payments/payment-methods/integration-options")
def setup_return_url(calls: Calls) -> str:
    """The same holds for a setup intent."""
    refused = calls.post("/v1/setup_intents", {"payment_method": "pm_card_visa", "confirm": "true"})
    return f"{refused.status} {'return_url' if 'return_url' in refused.body['error']['message'] else 'otherwise'}"


@behaviour("402 card_declined fraudulent, blocked", "/testing#fraud-prevention")
def radar(calls: Calls) -> str:
    """Radar blocks a payment before the issuer is asked."""
    refused = pay(calls, "pm_card_radarBlock")
    charge = calls.get(f"/v1/charges/{refused.body['error']['charge']}").body
    return f"{refused.error}, {charge['outcome']['type']}"


@behaviour("400 amount_too_small amount", "/currencies#minimum-and-maximum-charge-amounts")
def minimum(calls: Calls) -> str:
    """Less than the currency's minimum is refused."""
    return calls.post("/v1/payment_intents", {"amount": 49, "currency": "usd"}).error


@behaviour("400", "/currencies#three-decimal")
def three_decimals(calls: Calls) -> str:
    """An amount in a three-decimal currency ends in 0."""
    return str(calls.post("/v1/payment_intents", {"amount": 12345, "currency": "kwd"}).status)


@behaviour("disabled, unavailable, receipt; no transfer", "OpenAPI charge, payment_method_details_card")
def sent_and_left_out(calls: Calls) -> str:
    """A charge says what was not asked for, has a receipt, and leaves out what there is none of."""
    charge = calls.get(f"/v1/charges/{pay(calls).body['latest_charge']}").body
    card = charge["payment_method_details"]["card"]
    statuses = [card.get(name, {}).get("status", "absent") for name in ("extended_authorization", "multicapture")]
    receipt = "receipt" if charge["receipt_url"] else "no receipt"
    return f"{', '.join(statuses)}, {receipt}; {'transfer' if 'transfer' in charge else 'no transfer'}"


@behaviour("succeeded, setatt", "OpenAPI setup_intent")
def latest_attempt(calls: Calls) -> str:
    """A setup intent that was confirmed names its latest attempt."""
    saved = calls.post("/v1/setup_intents", {"payment_method": "pm_card_visa", "confirm": "true"} | NO_REDIRECTS).body
    return f"{saved['status']}, {str(saved['latest_attempt']).split('_', maxsplit=1)[0]}"


@behaviour("txn, fee_details add up to the fee", "/api/balance_transactions/object")
def fees(calls: Calls) -> str:
    """A movement's fee is the sum of its details."""
    charge = calls.get(f"/v1/charges/{booked_payment(calls)}").body
    moved = calls.get(f"/v1/balance_transactions/{charge['balance_transaction']}").body
    total = sum(each["amount"] for each in moved["fee_details"])
    return f"{moved['id'][:3]}, fee_details {'add up to the fee' if total == moved['fee'] else 'differ'}"
