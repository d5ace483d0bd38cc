"""Charges: the attempts on a card or a bank account, and the money they move."""

from functools import partial

from stripe import Charge

from sandbox.stripe import money
from sandbox.stripe.api.fields import blank
from sandbox.stripe.control.messages import CardOutcome
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.payments import application_fees, transfers
from sandbox.stripe.state.account_state import AccountState, changed, converted, merge_metadata


def record(state: AccountState, intent: Json, method: Json, *, status: str, outcome: Json) -> Json:
    """A charge of the intent's amount on the method, with the intent's metadata as it is now."""
    amount, succeeded = intent["amount"], status == "succeeded"
    id = state.ids.new("ch" if method["type"] == "card" else "py")
    charge = blank(Charge) | {
        "id": id,
        "amount": amount,
        "amount_captured": amount if succeeded else 0,
        "amount_refunded": 0,
        "application": intent["application"],
        "application_fee_amount": intent["application_fee_amount"],
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "DULY SANDBOX",
        "captured": succeeded,
        "created": state.clock.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "metadata": intent["metadata"],
        "on_behalf_of": intent["on_behalf_of"],
        "outcome": outcome,
        "paid": status != "failed",
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(state, method),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_url": f"{state.base_url}/pages/receipt/{id}" if succeeded else None,
        "refunded": False,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "transfer_data": intent["transfer_data"],
        "transfer_group": intent["transfer_group"],
    }
    return state.charges.insert(charge)


def _details(state: AccountState, method: Json) -> Json:
    """What was charged, as it was then; made once for each state of a card."""
    if method["type"] != "card":
        return _debited(method)
    printed = method["card"]
    known = state.charged_as.get(method["id"])
    if known is None or known[0] is not printed:
        shared = {name: printed[name] for name in _SHARED}
        card = blank(Charge.PaymentMethodDetails.Card) | shared
        card |= {"network": printed["brand"], "network_token": {"used": False}} | _NOT_ASKED_FOR
        known = state.charged_as[method["id"]] = printed, {"card": card, "type": "card"}
    return known[1]


def _debited(method: Json) -> Json:
    """The bank account that was debited."""
    kind = method["type"]
    resource = (
        Charge.PaymentMethodDetails.SepaDebit if kind == "sepa_debit" else Charge.PaymentMethodDetails.UsBankAccount
    )
    details = blank(resource)
    # Stripe leaves out what it does not know; a mandate that there is none of is null for SEPA alone.
    details.pop("expected_debit_date")
    if kind == "us_bank_account":
        details.pop("mandate")
    return {"type": kind, kind: details | {name: value for name, value in method[kind].items() if name in details}}


# What the merchant could have asked of the network, and has not.
_NOT_ASKED_FOR: Json = {
    "extended_authorization": {"status": "disabled"},
    "incremental_authorization": {"status": "unavailable"},
    "multicapture": {"status": "unavailable"},
}

_SHARED = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status")


# What the issuer said when it agreed. Shared by all charges, like every nested value here: never changed in place.
AUTHORIZED: Json = blank(Charge.Outcome) | {
    "network_status": "approved_by_network",
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}


def refused(outcome: CardOutcome) -> Json:
    """What the issuer said, or Radar in its place, as a charge's `outcome` tells it."""
    if outcome.is_blocked:
        return BLOCKED
    return blank(Charge.Outcome) | {
        "advice_code": outcome.advice_code,
        "network_advice_code": outcome.network_advice_code,
        "network_decline_code": outcome.network_decline_code,
        "network_status": "declined_by_network",
        "reason": outcome.decline_code or outcome.code,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


BLOCKED: Json = blank(Charge.Outcome) | {
    "network_status": "not_sent_to_network",
    "reason": "highest_risk_level",
    "risk_level": "highest",
    "risk_score": 90,
    "rule": "block_if_high_risk",
    "seller_message": "Stripe blocked this payment as too risky.",
    "type": "blocked",
}


def take_money(state: AccountState, charge: Json) -> None:
    """Moves the captured money to us; with asynchronous capture its balance transaction appears later."""
    state.note("charge", charge, charge, charge["amount_captured"])
    intent = state.payment_intents.get(charge["payment_intent"])
    if state.delays.balance_transaction and intent["capture_method"] == "automatic_async":
        state.clock.after(state.delays.balance_transaction, partial(_settle_late, state, charge))
    else:
        _settle(state, charge)


def _settle(state: AccountState, charge: Json) -> None:
    amount, currency = charge["amount_captured"], charge["currency"]
    settled, rate = state.settlement_of(currency)
    fee = money.charge_fee(amount, currency) if rate is None else money.charge_fee(converted(amount, rate), settled)
    transaction = state.transact(
        charge,
        amount=amount,
        fee_settled=fee,
        # Of what goes on to another account the fee is taken there.
        application_fee=0 if charge["transfer_data"] else converted(application_fees.fee_of(charge), rate),
        type="charge" if charge["payment_method_details"]["type"] == "card" else "payment",
        category="charge",
        available_on=state.clock.now() + int(state.delays.funds),
    )
    charge["balance_transaction"] = transaction["id"]
    if charge["transfer_data"]:
        transfers.pass_on(state, charge)
    else:
        application_fees.take(state, charge)


def _settle_late(state: AccountState, charge: Json) -> None:
    _settle(state, charge)
    state.emit("charge.updated", charge, {"balance_transaction": None})
    state.retry_unbooked_refunds()


def refundable(charge: Json) -> int:
    """What is left to give back, in minor units."""
    return int(charge["amount_captured"]) - int(charge["amount_refunded"])


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes what is written on the charge, never its money."""
    charge = state.charges.get(id)
    before = dict(charge)
    for name in ("description", "receipt_email", "transfer_group"):
        if name in params:
            charge[name] = params[name]
    if "metadata" in params:
        charge["metadata"] = merge_metadata(charge["metadata"], params["metadata"])
    previous = changed(before, charge, "description", "receipt_email", "transfer_group", "metadata")
    if previous:
        state.emit("charge.updated", charge, previous)
    return charge
