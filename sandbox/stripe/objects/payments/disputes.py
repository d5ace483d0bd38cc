"""Disputes: the cardholder's bank takes money back, and evidence may win it again."""

from datetime import timedelta
from functools import partial

from stripe import Dispute

from sandbox.stripe import money
from sandbox.stripe.api.errors import invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.control.messages import DisputeScript
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.payments import charges
from sandbox.stripe.state.account_state import AccountState, merge_metadata

EVIDENCE_DUE = timedelta(days=7)
_OPEN = {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}
_HARMLESS = frozenset({"won", "warning_closed"})


def open_dispute(state: AccountState, charge: Json, script: DisputeScript) -> Json:
    """The cardholder disputes the charge, or a part of it that no other dispute is about; an inquiry moves no money."""
    if charge["disputed"] and not 0 < (script.amount or 0) <= _undisputed(state, charge):
        raise invalid_request(f"Charge {charge['id']} has already been disputed.", code="charge_disputed")
    amount = script.amount or charges.refundable(charge) or charge["amount_captured"]
    if charge["status"] != "succeeded" or amount > charge["amount_captured"]:
        raise invalid_request("Only money that was captured can be disputed.", param="amount")
    dispute = state.disputes.insert(_new(state, charge, script, amount))
    charge["disputed"] = not script.is_inquiry
    state.emit("charge.dispute.created", dispute)
    if not script.is_inquiry:
        _withdraw_later(state, dispute)
    if charge["payment_method_details"]["type"] != "card":
        # A bank takes a debit back without asking: there is nothing to answer.
        state.clock.after(state.delays.withdrawal, partial(_take_back, state, dispute))
    return dispute


def _take_back(state: AccountState, dispute: Json) -> None:
    if dispute["status"] in _OPEN:
        decide(state, dispute, won=False)


def _undisputed(state: AccountState, charge: Json) -> int:
    """What of a charge no dispute has taken, or may take."""
    taken = sum(
        each["amount"] for each in state.disputes if each["charge"] == charge["id"] and each["status"] not in _HARMLESS
    )
    return charges.refundable(charge) - int(taken)


def _new(state: AccountState, charge: Json, script: DisputeScript, amount: int) -> Json:
    now = state.clock.now()
    is_card = charge["payment_method_details"]["type"] == "card"
    dispute = blank(Dispute) | {
        "id": state.ids.new("du" if script.is_inquiry else "dp"),
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": blank(Dispute.Evidence) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + int(EVIDENCE_DUE.total_seconds()),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "manual",
        },
        "is_charge_refundable": script.is_inquiry,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": script.reason,
        "status": "warning_needs_response" if script.is_inquiry else "needs_response",
    }
    return dispute | ({"payment_method_details": _disputed_card(charge, script)} if is_card else {})


def _disputed_card(charge: Json, script: DisputeScript) -> Json:
    brand = charge["payment_method_details"]["card"]["brand"]
    card = {
        "brand": brand,
        "case_type": "inquiry" if script.is_inquiry else "chargeback",
        "network": brand,
        "network_reason_code": "83",
    }
    return {"card": card, "type": "card"}


def _withdraw_later(state: AccountState, dispute: Json) -> None:
    if state.delays.withdrawal:
        state.clock.after(state.delays.withdrawal, partial(_withdraw, state, dispute))
    else:
        _withdraw(state, dispute)


def _withdraw(state: AccountState, dispute: Json) -> None:
    if dispute["balance_transactions"] or dispute["status"] == "won":
        return
    charge = state.charges.get(dispute["charge"])
    state.note("dispute", dispute, charge, dispute["amount"])
    transaction = state.transact(
        dispute,
        amount=-dispute["amount"],
        fee_settled=money.dispute_fee(state.settlement_of(dispute["currency"])[0]),
        type="adjustment",
        category="dispute",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], transaction]
    state.emit("charge.dispute.funds_withdrawn", dispute)


def update(state: AccountState, params: Json, id: str) -> Json:
    """Adds evidence; submitted unless `submit=false`. Stripe's winning_evidence and losing_evidence decide at once."""
    dispute = _open(state, id)
    if "metadata" in params:
        dispute["metadata"] = merge_metadata(dispute["metadata"], params["metadata"])
    if "evidence" not in params:
        state.emit("charge.dispute.updated", dispute)
        return dispute
    dispute["evidence"] = dispute["evidence"] | params["evidence"]
    dispute["evidence_details"] = dispute["evidence_details"] | {"has_evidence": True}
    if params.get("submit", True):
        _submit(state, dispute)
    else:
        state.emit("charge.dispute.updated", dispute)
    return dispute


def _submit(state: AccountState, dispute: Json) -> None:
    details = dispute["evidence_details"]
    dispute["evidence_details"] = details | {"submission_count": details["submission_count"] + 1}
    is_inquiry = dispute["status"].startswith("warning")
    previous = {"status": dispute["status"]}
    dispute["status"] = "warning_under_review" if is_inquiry else "under_review"
    state.emit("charge.dispute.updated", dispute, previous)
    verdict = {"winning_evidence": True, "losing_evidence": False}.get(dispute["evidence"]["uncategorized_text"])
    if verdict is not None:
        decide(state, dispute, won=verdict)


def close(state: AccountState, _params: Json, id: str) -> Json:
    """Accepts the dispute as lost."""
    dispute = _open(state, id)
    decide(state, dispute, won=False)
    return dispute


def decide(state: AccountState, dispute: Json, *, won: bool, reinstated: int = 0) -> None:
    """The bank's last word: a won dispute brings its amount back, a lost one perhaps a part; the fee stays paid."""
    _refuse_closed(dispute)
    previous = {"status": dispute["status"]}
    if dispute["status"].startswith("warning"):
        dispute["status"] = "warning_closed"
    else:
        dispute["status"] = "won" if won else "lost"
    if dispute["status"] == "won" and dispute["balance_transactions"]:
        _reinstate(state, dispute, dispute["amount"])
    if dispute["status"] == "lost":
        _withdraw(state, dispute)
        if reinstated:
            _reinstate(state, dispute, reinstated)
    state.emit("charge.dispute.closed", dispute, previous)


def overturn(state: AccountState, dispute: Json) -> None:
    """The bank changes its mind, and gives back what was lost and has not come back yet."""
    if dispute["status"] != "lost":
        raise invalid_request(f"Only a lost dispute is overturned; this one is {dispute['status']}.")
    dispute["status"] = "won"
    taken, *given_back = (each["amount"] for each in dispute["balance_transactions"])
    # In another currency a part is as much of the dispute as of what was taken.
    if rest := dispute["amount"] + round(dispute["amount"] * sum(given_back) / taken):
        _reinstate(state, dispute, rest)
    state.emit("charge.dispute.updated", dispute, {"status": "lost"})


def _reinstate(state: AccountState, dispute: Json, amount: int) -> None:
    charge = state.charges.get(dispute["charge"])
    state.note("dispute_reversal", dispute, charge, amount)
    transaction = state.transact(dispute, amount=amount, type="adjustment", category="dispute_reversal")
    dispute["balance_transactions"] = [*dispute["balance_transactions"], transaction]
    state.emit("charge.dispute.funds_reinstated", dispute)


def escalate(state: AccountState, dispute: Json) -> None:
    """An inquiry becomes a chargeback: now the money is withdrawn."""
    state.charges.get(dispute["charge"])["disputed"] = True
    details = dispute["payment_method_details"]
    dispute |= {
        "is_charge_refundable": False,
        "payment_method_details": details | {"card": details["card"] | {"case_type": "chargeback"}},
        "status": "needs_response",
    }
    state.emit("charge.dispute.updated", dispute, {"status": "warning_needs_response"})
    _withdraw_later(state, dispute)


def _open(state: AccountState, id: str) -> Json:
    dispute = state.disputes.get(id)
    _refuse_closed(dispute)
    return dispute


def _refuse_closed(dispute: Json) -> None:
    if dispute["status"] not in _OPEN:
        raise invalid_request(f"This dispute is already closed with the status {dispute['status']}.")
