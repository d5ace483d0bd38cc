"""Refunds: money back to the cardholder, at once, later, or not after all."""

from functools import partial

from stripe import Refund

from sandbox.stripe.api.errors import invalid_parameter, invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.control.messages import RefundScript
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.payments import application_fees, charges, transfers
from sandbox.stripe.state.account_state import AccountState, changed, converted, merge_metadata

_STATUS = {
    RefundScript.SUCCEED: "succeeded",
    RefundScript.FAIL: "succeeded",
    RefundScript.PEND: "pending",
    RefundScript.REQUIRE_ACTION: "requires_action",
}


def create(state: AccountState, params: Json) -> Json:
    """Gives back the amount, or all that is left of the charge."""
    charge = _charge_of(state, params)
    amount = _refundable_amount(charge, params)
    application_fees.check_given_back(state, charge, params)
    transfers.check_reversed(state, charge, params, amount)
    script = state.refund_scripts.get(charge["id"], RefundScript.SUCCEED)
    refund = state.refunds.insert(_new(state, params, charge, amount, _STATUS[script]))
    if params.get("refund_application_fee") and not params.get("reverse_transfer"):
        _give_fee_back(state, refund, charge)
    state.note("refund", refund, charge, amount)
    _refunded(charge, amount)
    if params.get("reverse_transfer"):
        transfers.reverse_with(state, refund, charge, with_fee=bool(params.get("refund_application_fee")))
    if refund["status"] == "succeeded":
        _book_or_wait(state, refund, charge)
    state.emit("refund.created", refund)
    state.emit("charge.refunded", charge)
    if script is RefundScript.PEND:
        state.clock.after(state.delays.refund, partial(succeed, state, refund))
    elif script is RefundScript.FAIL:
        state.clock.after(state.delays.refund, partial(fail, state, refund, "expired_or_canceled_card"))
    return refund


def _give_fee_back(state: AccountState, refund: Json, charge: Json) -> None:
    """The platform's part goes back: with the refund's booking, or at once to the account that the money went on to."""
    part = application_fees.share(charge, charge["amount_refunded"], refund["amount"])
    if charge["transfer_data"] is None:
        state.fees_to_give_back[refund["id"]] = part
    elif part:
        application_fees.create_refund(state, {"amount": part}, charge["application_fee"])


def _charge_of(state: AccountState, params: Json) -> Json:
    if "charge" in params:
        return state.charges.referenced(params["charge"], param="charge")
    if "payment_intent" not in params:
        raise invalid_parameter(
            "One of the following params should be provided for this request: payment_intent or charge.", "charge"
        )
    intent = state.payment_intents.referenced(params["payment_intent"], param="payment_intent")
    latest = state.charges.find(intent["latest_charge"])
    if latest is None or latest["status"] != "succeeded":
        raise invalid_request(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return latest


def _refundable_amount(charge: Json, params: Json) -> int:
    left = charges.refundable(charge)
    amount = int(params.get("amount", left))
    id = charge["id"]
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise invalid_request(f"Charge {id} was not captured; it cannot be refunded.", code="charge_not_refundable")
    if charge["disputed"]:
        raise invalid_request(f"Charge {id} has been charged back; cannot issue a refund.", code="charge_disputed")
    if left == 0:
        raise invalid_request(f"Charge {id} has already been refunded.", code="charge_already_refunded")
    if amount < 1:
        raise invalid_parameter("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > left:
        raise invalid_request(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            code="amount_too_large",
            param="amount",
        )
    return amount


def _new(state: AccountState, params: Json, charge: Json, amount: int, status: str) -> Json:
    refund: Json = blank(Refund) | {
        "id": state.ids.new("re"),
        "amount": amount,
        "charge": charge["id"],
        "created": state.clock.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": _destination(charge, status),
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.get("reason"),
        "status": status,
    }
    if status == "pending":
        refund["pending_reason"] = "processing"
    return refund


def _destination(charge: Json, status: str) -> Json:
    """Where the money goes; to a bank account by a transfer."""
    kind = charge["payment_method_details"]["type"]
    if kind == "card":
        return {"card": _card_details(status), "type": "card"}
    transfer = {"sepa_debit": "eu_bank_transfer", "us_bank_account": "us_bank_transfer"}[kind]
    return {transfer: {"reference": None, "reference_status": None}, "type": transfer}


def _card_details(status: str) -> Json:
    return {
        "reference_status": "pending",
        "reference_type": "acquirer_reference_number",
        "type": "pending" if status == "pending" else "refund",
    }


def _book_or_wait(state: AccountState, refund: Json, charge: Json) -> None:
    """Takes the money from the balance; the refund is pending while its charge is unbooked or the balance too low."""
    reason = _waits_for(state, refund, charge)
    if reason is None:
        _book(state, refund)
    else:
        refund |= {"status": "pending", "pending_reason": reason}
        state.unbooked_refunds[refund["id"]] = partial(_book_waiting, state, refund, charge)


def _waits_for(state: AccountState, refund: Json, charge: Json) -> str | None:
    if charge["balance_transaction"] is None:
        return "charge_pending"
    currency, rate = state.settlement_of(refund["currency"])
    if state.settings.refunds_need_balance and state.balance(currency) < converted(refund["amount"], rate):
        return "insufficient_funds"
    return None


def _book_waiting(state: AccountState, refund: Json, charge: Json) -> None:
    if _waits_for(state, refund, charge) is None:
        succeed(state, refund)


def _book(state: AccountState, refund: Json) -> None:
    if refund["balance_transaction"] is None:
        charge = state.charges.get(refund["charge"])
        fee = application_fees.give_back(state, charge, state.fees_to_give_back.pop(refund["id"], 0))
        transaction = state.transact(
            refund, amount=-refund["amount"], application_fee=-fee, type="refund", category="refund"
        )
        refund["balance_transaction"] = transaction["id"]


def _refunded(charge: Json, amount: int) -> None:
    total = charge["amount_refunded"] + amount
    charge |= {"amount_refunded": total, "refunded": total == charge["amount_captured"]}


def succeed(state: AccountState, refund: Json) -> None:
    """A refund that was pending or wanted the customer went through."""
    if refund["status"] not in {"pending", "requires_action"}:
        return
    before = dict(refund)
    _end(state, refund, "succeeded")
    _book(state, refund)
    previous = changed(before, refund, "status", "balance_transaction")
    state.emit("refund.updated", refund, previous)
    state.emit("charge.refund.updated", refund, previous)


def fail(state: AccountState, refund: Json, reason: str) -> None:
    """The bank sent the money back to us, maybe long after the refund had succeeded."""
    if refund["status"] in {"failed", "canceled"}:
        return
    previous = {"status": refund["status"]}
    _take_back(state, refund)
    _end(state, refund, "failed")
    refund["failure_reason"] = reason
    for type in ("refund.failed", "refund.updated", "charge.refund.updated"):
        state.emit(type, refund, previous)


def cancel(state: AccountState, _params: Json, id: str) -> Json:
    """Ends a refund that waits for the customer."""
    refund = state.refunds.get(id)
    if refund["status"] != "requires_action":
        raise invalid_request(
            f"This refund cannot be canceled because it has a status of {refund['status']}.",
            code="refund_unexpected_state",
        )
    _take_back(state, refund)
    _end(state, refund, "canceled")
    refund["failure_reason"] = "merchant_request"
    state.emit("refund.updated", refund, {"status": "requires_action"})
    return refund


def _take_back(state: AccountState, refund: Json) -> None:
    charge = state.charges.get(refund["charge"])
    state.note("refund_failure", refund, charge, refund["amount"])
    if refund["balance_transaction"] is not None:
        transaction = state.transact(refund, amount=refund["amount"], type="refund_failure", category="refund_failure")
        refund["failure_balance_transaction"] = transaction["id"]
    _refunded(charge, -refund["amount"])


def _end(state: AccountState, refund: Json, status: str) -> None:
    """Nothing is awaited any more: what was said about the wait is left out."""
    state.unbooked_refunds.pop(refund["id"], None)
    refund.pop("pending_reason", None)
    refund.pop("next_action", None)
    refund["status"] = status


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes what is written on the refund, never its money."""
    refund = state.refunds.get(id)
    before = dict(refund)
    if "metadata" in params:
        refund["metadata"] = merge_metadata(refund["metadata"], params["metadata"])
    previous = changed(before, refund, "metadata")
    if previous:
        state.emit("refund.updated", refund, previous)
    return refund
