"""One attempt to charge a payment intent: the card's answer, the charge, the money and the events."""

from functools import partial
from typing import Any

from sandbox.stripe.api.errors import invalid_parameter, invalid_request
from sandbox.stripe.control.messages import Answer, CardOutcome, RefundScript
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.cards import payment_methods
from sandbox.stripe.objects.cards.payment_methods import card_error
from sandbox.stripe.objects.payments import charges, disputes
from sandbox.stripe.state.account_state import AccountState

AUTHENTICATION_REQUIRED = CardOutcome(
    answer=Answer.DECLINE,
    code="authentication_required",
    decline_code="authentication_required",
    message="Your card was declined. This transaction requires authentication.",
)


def check_has_method(params: Json) -> None:
    """Confirming in the same request needs a method in the same request."""
    if params.get("confirm") and "payment_method" not in params:
        raise invalid_parameter(
            "You must provide a payment method when `confirm` is set to true.",
            "payment_method",
            "parameter_missing",
        )


def automatic_methods(params: Json) -> Json | None:
    """What the intent offers: the account's methods, those that redirect included, unless the request names some."""
    if "allowed_payment_method_types" in params:
        return None
    given: Json = params.get("automatic_payment_methods", {"enabled": True})
    return {"allow_redirects": "always"} | given


def check_return_url(intent_or_params: Json, params: Json) -> None:
    """Where a method may send the customer away, confirming says where they come back to, on and off session."""
    automatic = intent_or_params["automatic_payment_methods"]
    if automatic and automatic["enabled"] and automatic["allow_redirects"] == "always" and "return_url" not in params:
        raise invalid_parameter(
            "A `return_url` must be specified because this intent is configured to automatically accept the payment"
            " methods enabled in the Dashboard, some of which may require a full page redirect to succeed. If you do"
            " not want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and"
            " `automatic_payment_methods[allow_redirects]` to `never`.",
            "return_url",
        )


def check_owner(method: Json, customer: Json | None, *, off_session: bool) -> None:
    """A method attached to a customer is charged for that customer only; off session it must be attached."""
    owner, payer = method["customer"], customer["id"] if customer else None
    if owner is not None and payer is None:
        raise invalid_request(
            f"The payment method `{method['id']}` belongs to a customer. Please include the customer in the"
            " `customer` parameter on the PaymentIntent.",
            param="customer",
        )
    if (owner is not None and owner != payer) or (off_session and payer is not None and owner is None):
        raise invalid_request(
            f"The customer does not have a payment method with the ID {method['id']}. The payment method must be"
            " attached to the customer.",
            param="payment_method",
        )


def check_type(method: Json, types: list[str]) -> None:
    """A method is of a type that its intent takes."""
    if method["type"] not in types:
        raise invalid_request(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. Please attach a"
            f" PaymentMethod of one of the following types: {', '.join(types)}.",
            param="payment_method",
        )


def confirm(state: AccountState, intent: Json, params: Json) -> None:
    """Asks the card once and carries out its answer; a decline raises the 402 with the whole intent."""
    method = state.payment_methods.get(intent["payment_method"])
    outcome = _answer(state, method)
    off_session = bool(params.get("off_session"))
    match outcome.answer:
        case Answer.SUCCEED:
            succeed(state, intent, method, outcome)
        case Answer.PROCESS:
            _process(state, intent, method, outcome)
        case Answer.AUTHENTICATE if not off_session and not params.get("error_on_requires_action"):
            _require_action(state, intent, params.get("return_url"))
        case Answer.AUTHENTICATE:
            _decline(state, intent, method, AUTHENTICATION_REQUIRED)
        case Answer.DECLINE:
            _decline(state, intent, method, outcome)


def _answer(state: AccountState, method: Json) -> CardOutcome:
    id = method["id"]
    card = state.cards[id]
    usual = CardOutcome() if id in state.authenticated else card.on_charge
    return state.next_outcome(id, usual)


def succeed(state: AccountState, intent: Json, method: Json, outcome: CardOutcome) -> None:
    """The issuer agreed: the money is ours, or held for us when capture is manual."""
    manual = intent["capture_method"] == "manual"
    charge = charges.record(state, intent, method, status="succeeded", outcome=charges.AUTHORIZED)
    if manual:
        charge |= {"captured": False, "amount_captured": 0}
    _finish(state, intent, charge, outcome, manual=manual)


def _finish(state: AccountState, intent: Json, charge: Json, outcome: CardOutcome, *, manual: bool) -> None:
    intent |= {"latest_charge": charge["id"], "next_action": None, "last_payment_error": None, "processing": None}
    _keep_refund_script(state, charge, outcome)
    _save_method(state, intent)
    if manual:
        intent |= {"amount_capturable": intent["amount"], "status": "requires_capture"}
        state.emit("charge.succeeded", charge)
        state.emit("payment_intent.amount_capturable_updated", intent)
        return
    charges.take_money(state, charge)
    intent |= {"amount_received": intent["amount"], "status": "succeeded"}
    state.emit("charge.succeeded", charge)
    state.emit("payment_intent.succeeded", intent)
    state.settle(intent)
    if outcome.dispute is not None:
        state.clock.after(state.delays.dispute, partial(disputes.open_dispute, state, charge, outcome.dispute))


def _keep_refund_script(state: AccountState, charge: Json, outcome: CardOutcome) -> None:
    if outcome.refund is not RefundScript.SUCCEED:
        state.refund_scripts[charge["id"]] = outcome.refund


def _save_method(state: AccountState, intent: Json) -> None:
    """With `setup_future_usage` a successful payment attaches its method; otherwise an unattached one is used up."""
    method = state.payment_methods.get(intent["payment_method"])
    if method["customer"] is not None:
        return
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach_to(state, method["id"], state.customers.get(intent["customer"]))
    else:
        state.used_up.add(method["id"])


def capture(state: AccountState, intent: Json, amount: int) -> None:
    """Takes authorised money."""
    charge = state.charges.get(intent["latest_charge"])
    charge |= {"captured": True, "amount_captured": amount}
    charges.take_money(state, charge)
    intent |= {"amount_capturable": 0, "amount_received": amount, "status": "succeeded"}
    state.emit("charge.captured", charge)
    state.emit("payment_intent.succeeded", intent)


def release(state: AccountState, intent: Json) -> None:
    """Gives authorised money back; Stripe writes it down as a refund although none was ever taken."""
    charge = state.charges.get(intent["latest_charge"])
    charge |= {"amount_refunded": charge["amount"], "refunded": True}
    state.emit("charge.refunded", charge)


def _process(state: AccountState, intent: Json, method: Json, outcome: CardOutcome) -> None:
    """A slow method: accepted now, decided later."""
    charge = charges.record(state, intent, method, status="pending", outcome=charges.AUTHORIZED)
    intent |= {"latest_charge": charge["id"], "status": "processing", "next_action": None, "last_payment_error": None}
    state.emit("payment_intent.processing", intent)
    state.emit("charge.pending", charge)
    state.settle(intent)
    state.clock.after(outcome.after_seconds, partial(_decide, state, intent, charge, outcome))


def _decide(state: AccountState, intent: Json, charge: Json, outcome: CardOutcome) -> None:
    if outcome.then is Answer.SUCCEED:
        charge |= {"status": "succeeded", "captured": True, "amount_captured": charge["amount"]}
        _finish(state, intent, charge, outcome, manual=False)
        return
    charge |= _failure(outcome)
    fail(state, intent, charge, outcome)


def _decline(state: AccountState, intent: Json, method: Json, outcome: CardOutcome) -> None:
    charge = charges.record(state, intent, method, status="failed", outcome=charges.refused(outcome))
    charge |= _failure(outcome)
    error = fail(state, intent, charge, outcome)
    raise card_error(outcome, charge=charge["id"], payment_intent=dict(intent), payment_method=error["payment_method"])


def _failure(outcome: CardOutcome) -> Json:
    message = outcome.message or "Your card was declined."
    return {
        "failure_code": outcome.code,
        "failure_message": message,
        "outcome": charges.refused(outcome),
        "paid": False,
        "status": "failed",
    }


def fail(state: AccountState, intent: Json, charge: Json, outcome: CardOutcome) -> Json:
    """The issuer refused: the intent wants another method; gives the error as the intent keeps it."""
    intent["latest_charge"] = charge["id"]
    state.emit("charge.failed", charge)
    return give_up(state, intent, outcome, charge=charge["id"])


def give_up(state: AccountState, intent: Json, outcome: CardOutcome, **details: str) -> Json:
    """The attempt is over without money; gives the error as the intent keeps it."""
    error = _last_error(state, intent, outcome) | details
    intent |= {
        "last_payment_error": error,
        "next_action": None,
        "payment_method": None,
        "processing": None,
        "status": "requires_payment_method",
    }
    state.emit("payment_intent.payment_failed", intent)
    state.settle(intent)
    return error


def _last_error(state: AccountState, intent: Json, outcome: CardOutcome) -> Json:
    method = state.payment_methods.find(intent["payment_method"])
    body = card_error(outcome).body()["error"]
    error: dict[str, Any] = body | {"payment_method": dict(method) if method else None}
    return error


def _require_action(state: AccountState, intent: Json, return_url: str | None) -> None:
    """On session: the customer has to pass the bank's page first."""
    intent |= {
        "last_payment_error": None,
        "next_action": challenge(state, intent, return_url),
        "status": "requires_action",
    }
    state.emit("payment_intent.requires_action", intent)


def challenge(state: AccountState, intent: Json, return_url: str | None) -> Json:
    """Where the customer proves to be the cardholder."""
    url = f"{state.base_url}/pages/challenge/{intent['id']}"
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
