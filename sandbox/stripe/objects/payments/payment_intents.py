"""Payment intents: asked for, confirmed, and what the issuer made of it (`confirmation.py` does the attempt)."""

from stripe import PaymentIntent

from sandbox.stripe import money
from sandbox.stripe.api.errors import invalid_parameter, invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects import customers
from sandbox.stripe.objects.cards import payment_methods
from sandbox.stripe.objects.payments import application_fees, confirmation, transfers
from sandbox.stripe.state.account_state import AccountState, changed, merge_metadata
from sandbox.stripe.state.ids import APPLICATION

_COPIED = (
    "application_fee_amount",
    "description",
    "on_behalf_of",
    "receipt_email",
    "shipping",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
_CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
# Shared by all intents, and never changed in place.
_NO_DETAILS: Json = {"tip": {}}
_OPTIONS: Json = {"card": {"network": None, "request_three_d_secure": "automatic"}}
_CARD_ONLY = ["card"]


def create(state: AccountState, params: Json) -> Json:
    """A new intent; with `confirm` it is charged in the same request."""
    currency = money.check_currency(params["currency"])
    money.check_amount(params["amount"], currency)
    _check_together(params)
    application_fees.check(state, params)
    transfers.check(state, params)
    customer = customers.referenced(state, params["customer"]) if "customer" in params else None
    method = payment_methods.usable(state, params["payment_method"]) if "payment_method" in params else None
    if method is not None:
        confirmation.check_owner(method, customer, off_session=bool(params.get("off_session")))
        confirmation.check_type(method, params.get("allowed_payment_method_types", _CARD_ONLY))
    intent = state.payment_intents.insert(_new(state, params, currency, customer, method))
    state.emit("payment_intent.created", intent)
    if params.get("confirm"):
        confirmation.confirm(state, intent, params)
    return intent


def _check_together(params: Json) -> None:
    if "off_session" in params and not params.get("confirm"):
        raise invalid_parameter(
            "You cannot set `off_session` without `confirm` set to true when creating a PaymentIntent.", "off_session"
        )
    confirmation.check_has_method(params)
    if params.get("confirm"):
        confirmation.check_return_url({"automatic_payment_methods": confirmation.automatic_methods(params)}, params)
    if params.get("off_session") and params.get("setup_future_usage"):
        raise invalid_parameter(
            "You may only specify one of these parameters: off_session, setup_future_usage.", "off_session"
        )


def _new(state: AccountState, params: Json, currency: str, customer: Json | None, method: Json | None) -> Json:
    id = state.ids.new("pi")
    intent = blank(PaymentIntent) | {
        "id": id,
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": _NO_DETAILS,
        "amount_received": 0,
        "application": APPLICATION if state.platform is not None else None,
        "automatic_payment_methods": confirmation.automatic_methods(params),
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": state.ids.secret_of(id),
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": state.clock.now(),
        "currency": currency,
        "customer": customer["id"] if customer else None,
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "payment_method": method["id"] if method else None,
        "payment_method_options": _OPTIONS,
        "payment_method_types": params.get("allowed_payment_method_types", _CARD_ONLY),
        "status": "requires_confirmation" if method else "requires_payment_method",
        "transfer_data": transfers.destination_of(params),
    }
    return intent | {name: params[name] for name in _COPIED if name in params}


def confirm(state: AccountState, params: Json, id: str) -> Json:
    """Charges the intent now."""
    intent = state.payment_intents.get(id)
    if intent["status"] not in {"requires_confirmation", "requires_payment_method", "requires_action"}:
        raise unexpected_state(intent, "confirm")
    if "payment_method" in params:
        method = payment_methods.usable(state, params["payment_method"])
        confirmation.check_owner(
            method, state.customers.find(intent["customer"]), off_session=bool(params.get("off_session"))
        )
        confirmation.check_type(method, intent["payment_method_types"])
        intent["payment_method"] = method["id"]
    if intent["payment_method"] is None:
        raise invalid_request(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the"
            " PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a"
            " payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    confirmation.check_return_url(intent, params)
    confirmation.confirm(state, intent, params)
    return intent


def capture(state: AccountState, params: Json, id: str) -> Json:
    """Takes the authorised money, or a part of it; the rest is released."""
    intent = state.payment_intents.get(id)
    if intent["status"] != "requires_capture":
        raise unexpected_state(intent, "capture")
    amount = params["amount_to_capture"] if "amount_to_capture" in params else intent["amount_capturable"]
    if not 0 < amount <= intent["amount_capturable"]:
        raise invalid_request(
            "The amount to capture must be positive and not above the capturable amount.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    confirmation.capture(state, intent, amount)
    return intent


def cancel(state: AccountState, params: Json, id: str) -> Json:
    """Ends the intent for good; an authorisation is released."""
    intent = state.payment_intents.get(id)
    if intent["status"] not in _CANCELABLE:
        raise unexpected_state(intent, "cancel")
    if intent["status"] == "requires_capture":
        confirmation.release(state, intent)
    intent |= {
        "amount_capturable": 0,
        "canceled_at": state.clock.now(),
        "cancellation_reason": params.get("cancellation_reason"),
        "next_action": None,
        "status": "canceled",
    }
    state.emit("payment_intent.canceled", intent)
    return intent


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes an intent; its terms only before it is charged."""
    intent = state.payment_intents.get(id)
    before = dict(intent)
    application_fees.check(state, params)
    if {"amount", "currency", "customer", "payment_method"} & params.keys():
        _update_terms(state, intent, params)
    intent |= {name: params[name] for name in _COPIED if name in params}
    if "metadata" in params:
        intent["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if changed(before, intent, *_COPIED, "metadata", "amount", "currency", "customer", "payment_method"):
        state.payment_intents.index(intent, "customer")
    return intent


def _update_terms(state: AccountState, intent: Json, params: Json) -> None:
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        raise unexpected_state(intent, "update")
    terms = intent | params
    currency = money.check_currency(terms["currency"])
    amount = money.check_amount(terms["amount"], currency)
    if "customer" in params:
        intent["customer"] = customers.referenced(state, params["customer"])["id"]
    if params.get("payment_method"):
        method = payment_methods.usable(state, params["payment_method"])
        confirmation.check_owner(method, state.customers.find(intent["customer"]), off_session=False)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation", "next_action": None}
    intent |= {"amount": amount, "currency": currency}


def unexpected_state(intent: Json, verb: str) -> Exception:
    """The refusal of a verb that the intent's status does not allow; it carries the whole intent."""
    return invalid_request(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )
