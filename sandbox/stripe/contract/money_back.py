"""Refunds, disputes, events and where they are sent."""

from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.calls import Calls
from sandbox.stripe.contract.requests import booked_payment, pay
from sandbox.stripe.jsontypes import Json


@behaviour("succeeded, txn, no reason", "OpenAPI refund")
def refund(calls: Calls) -> str:
    """A refund of a booked charge is booked at once, and says nothing of a failure."""
    made = calls.post("/v1/refunds", {"charge": booked_payment(calls), "amount": 500}).body
    reason = "a reason" if "failure_reason" in made else "no reason"
    return f"{made['status']}, {str(made['balance_transaction'])[:3]}, {reason}"


@behaviour("400 amount", "/api/refunds/create")
def too_much(calls: Calls) -> str:
    """More than the charge is refused."""
    refused = calls.post("/v1/refunds", {"charge": booked_payment(calls), "amount": 2001})
    return f"{refused.status} {refused.body['error'].get('param')}"


@behaviour("400 charge_already_refunded", "/error-codes#charge-already-refunded")
def twice(calls: Calls) -> str:
    """A charge that was given back whole is refused a refund."""
    charge = booked_payment(calls)
    calls.post("/v1/refunds", {"charge": charge})
    return calls.post("/v1/refunds", {"charge": charge}).error


@behaviour("failed, with a reason and its money back", "/testing#refunds")
def failed_refund(calls: Calls) -> str:
    """A refund that succeeded can fail later."""
    id = calls.post("/v1/refunds", {"charge": booked_payment(calls, "pm_card_refundFail")}).body["id"]
    found = calls.until(f"/v1/refunds/{id}", lambda refund: refund["status"] == "failed")
    reason = "with a reason" if found.get("failure_reason") else "without a reason"
    return f"{found['status']}, {reason} and {'its' if found.get('failure_balance_transaction') else 'no'} money back"


@behaviour("pending, later succeeded", "/testing#refunds")
def pending_refund(calls: Calls) -> str:
    """A refund can be pending before it succeeds."""
    made = calls.post("/v1/refunds", {"charge": booked_payment(calls, "pm_card_pendingRefund")}).body
    later = calls.until(f"/v1/refunds/{made['id']}", lambda refund: refund["status"] != "pending")
    return f"{made['status']}, later {later['status']}"


def _dispute(calls: Calls) -> Json:
    payment = pay(calls, "pm_card_createDispute").body["id"]
    found = calls.until(f"/v1/disputes?payment_intent={payment}", lambda page: page["data"])
    dispute = found["data"][0]["id"]
    return calls.until(f"/v1/disputes/{dispute}", lambda each: each["balance_transactions"])


@behaviour("needs_response, -2000 withdrawn", "/testing#disputes")
def dispute(calls: Calls) -> str:
    """A disputed payment is taken back at once."""
    opened = _dispute(calls)
    return f"{opened['status']}, {sum(each['amount'] for each in opened['balance_transactions'])} withdrawn"


@behaviour("won, 0 withdrawn", "/testing#evidence")
def evidence(calls: Calls) -> str:
    """Winning evidence brings the money back."""
    id = _dispute(calls)["id"]
    calls.post(f"/v1/disputes/{id}", {"evidence[uncategorized_text]": "winning_evidence", "submit": "true"})
    found = calls.until(f"/v1/disputes/{id}", lambda each: len(each["balance_transactions"]) > 1)
    return f"{found['status']}, {sum(each['amount'] for each in found['balance_transactions'])} withdrawn"


@behaviour("400 charge_disputed", "/error-codes#charge-disputed")
def disputed_refund(calls: Calls) -> str:
    """A disputed charge is refused a refund."""
    return calls.post("/v1/refunds", {"charge": _dispute(calls)["charge"]}).error


@behaviour("charge.succeeded, payment_intent.created, payment_intent.succeeded; no account", "/api/events/types")
def events(calls: Calls) -> str:
    """A payment is told by three events, which name no account unless it is a connected one's."""
    paid = pay(calls).body
    mine = {paid["id"], paid["latest_charge"]}
    listed = calls.until(
        "/v1/events?limit=50", lambda page: sum(each["data"]["object"]["id"] in mine for each in page["data"]) >= 3
    )
    found = [each for each in listed["data"] if each["data"]["object"]["id"] in mine]
    types = sorted({each["type"] for each in found} - {"charge.updated"})
    return f"{', '.join(types)}; {'account' if any('account' in each for each in found) else 'no account'}"


@behaviour("a secret, then none", "/api/webhook_endpoints/object")
def endpoint(calls: Calls) -> str:
    """The secret of a webhook endpoint is told once."""
    form = {"url": "https://example.com/duly-contract", "enabled_events[]": "payout.paid"}
    made = calls.post("/v1/webhook_endpoints", form).body
    again = calls.get(f"/v1/webhook_endpoints/{made['id']}").body
    return f"{'a secret' if made.get('secret') else 'none'}, then {'a secret' if again.get('secret') else 'none'}"


@behaviour("400 url", "/api/webhook_endpoints/create")
def endpoint_address(calls: Calls) -> str:
    """An address without a scheme is refused."""
    refused = calls.post("/v1/webhook_endpoints", {"url": "example", "enabled_events[]": "payout.paid"})
    return f"{refused.status} {refused.body['error'].get('param')}"
