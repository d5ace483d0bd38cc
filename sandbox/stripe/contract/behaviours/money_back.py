"""Refunds and disputes."""

from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.behaviours.requests import booked_payment, pay
from sandbox.stripe.contract.calls import Calls
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


@behaviour("500, then 1500 more, refunded", "/refunds")
def in_parts(calls: Calls) -> str:
    """A payment is given back in parts; without an amount the rest is."""
    charge = booked_payment(calls)
    parts = [
        calls.post("/v1/refunds", form).body["amount"]
        for form in ({"charge": charge, "amount": 500}, {"charge": charge})
    ]
    after = calls.get(f"/v1/charges/{charge}").body
    whole = "refunded" if after["refunded"] and after["amount_refunded"] == 2000 else "not refunded"
    return f"{parts[0]}, then {parts[1]} more, {whole}"


@behaviour("400", "/api/refunds/cancel")
def cancelled_refund(calls: Calls) -> str:
    """A refund to a card cannot be cancelled."""
    id = calls.post("/v1/refunds", {"charge": booked_payment(calls)}).body["id"]
    return str(calls.post(f"/v1/refunds/{id}/cancel").status)


@behaviour("succeeded, then 400 charge_already_refunded", "/refunds")
def by_payment(calls: Calls) -> str:
    """A refund may name the payment in the charge's place."""
    intent = pay(calls, capture_method="automatic").body["id"]
    made = calls.post("/v1/refunds", {"payment_intent": intent}).body
    return f"{made['status']}, then {calls.post('/v1/refunds', {'payment_intent': intent}).error}"


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


def _dispute(calls: Calls, card: str = "pm_card_createDispute") -> Json:
    """The dispute of a payment with such a card, whose money is withdrawn unless it is an inquiry."""
    payment = pay(calls, card).body["id"]
    found = calls.until(f"/v1/disputes?payment_intent={payment}", lambda page: page["data"])
    opened = found["data"][0]
    calls.leftovers.note(opened)
    if opened["status"].startswith("warning"):
        return dict(opened)
    return calls.until(f"/v1/disputes/{opened['id']}", lambda each: each["balance_transactions"])


@behaviour("needs_response, -2000 withdrawn with a fee, fraudulent", "/testing#disputes")
def dispute(calls: Calls) -> str:
    """A disputed payment is taken back, and costs a fee."""
    opened = _dispute(calls)
    fee = "with a fee" if sum(each["fee"] for each in opened["balance_transactions"]) else "without a fee"
    withdrawn = sum(each["amount"] for each in opened["balance_transactions"])
    return f"{opened['status']}, {withdrawn} withdrawn {fee}, {opened['reason']}"


@behaviour("needs_response, product_not_received", "/testing#disputes")
def dispute_reason(calls: Calls) -> str:
    """A dispute says why."""
    opened = _dispute(calls, "pm_card_createDisputeProductNotReceived")
    return f"{opened['status']}, {opened['reason']}"


@behaviour("warning_needs_response, 0 movements, refundable", "/testing#disputes")
def inquiry(calls: Calls) -> str:
    """An inquiry asks first and takes nothing."""
    opened = _dispute(calls, "pm_card_createDisputeInquiry")
    may = "refundable" if opened["is_charge_refundable"] else "not refundable"
    return f"{opened['status']}, {len(opened['balance_transactions'])} movements, {may}"


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


@behaviour("lost, -2000 withdrawn", "/testing#evidence")
def losing_evidence(calls: Calls) -> str:
    """Losing evidence ends the dispute without the money."""
    id = _dispute(calls)["id"]
    calls.post(f"/v1/disputes/{id}", {"evidence[uncategorized_text]": "losing_evidence", "submit": "true"})
    found = calls.until(f"/v1/disputes/{id}", lambda each: each["status"] == "lost")
    return f"{found['status']}, {sum(each['amount'] for each in found['balance_transactions'])} withdrawn"


@behaviour("lost, then 400", "/api/disputes/close")
def accepted(calls: Calls) -> str:
    """A dispute that is accepted is lost, and takes no evidence any more."""
    id = _dispute(calls)["id"]
    closed = calls.post(f"/v1/disputes/{id}/close").body
    late = calls.post(f"/v1/disputes/{id}", {"evidence[uncategorized_text]": "winning_evidence"})
    return f"{closed['status']}, then {late.status}"
