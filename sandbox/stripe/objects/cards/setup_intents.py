"""Setup intents: a card is saved and checked without a charge."""

from functools import partial

from stripe import SetupIntent

from sandbox.stripe.api.errors import invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.control.messages import Answer, CardOutcome
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects import customers
from sandbox.stripe.objects.cards import mandates, payment_methods, setup_attempts
from sandbox.stripe.objects.cards.payment_methods import card_error
from sandbox.stripe.objects.payments import confirmation
from sandbox.stripe.state.account_state import AccountState, changed, merge_metadata

_OPEN = {"requires_payment_method", "requires_confirmation", "requires_action"}


def create(state: AccountState, params: Json) -> Json:
    """A new set-up; with `confirm` the card is checked in the same request."""
    confirmation.check_has_method(params)
    if params.get("confirm"):
        confirmation.check_return_url({"automatic_payment_methods": confirmation.automatic_methods(params)}, params)
    customer = customers.referenced(state, params["customer"]) if "customer" in params else None
    method = payment_methods.usable(state, params["payment_method"]) if "payment_method" in params else None
    if method is not None:
        confirmation.check_owner(method, customer, off_session=False)
    intent = state.setup_intents.insert(_new(state, params, customer, method))
    state.emit("setup_intent.created", intent)
    if params.get("confirm"):
        _confirm(state, intent, params)
    return intent


def _new(state: AccountState, params: Json, customer: Json | None, method: Json | None) -> Json:
    id = state.ids.new("seti")
    return blank(SetupIntent) | {
        "id": id,
        "automatic_payment_methods": confirmation.automatic_methods(params),
        "client_secret": state.ids.secret_of(id),
        "created": state.clock.now(),
        "customer": customer["id"] if customer else None,
        "description": params.get("description"),
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "payment_method": method["id"] if method else None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": ["card"],
        "status": "requires_confirmation" if method else "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }


def confirm(state: AccountState, params: Json, id: str) -> Json:
    """Checks the card now."""
    intent = state.setup_intents.get(id)
    if intent["status"] not in _OPEN:
        raise _unexpected_state(intent, "confirm")
    if "payment_method" in params:
        method = payment_methods.usable(state, params["payment_method"])
        confirmation.check_owner(method, state.customers.find(intent["customer"]), off_session=False)
        intent["payment_method"] = method["id"]
    if intent["payment_method"] is None:
        raise invalid_request(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state",
            setup_intent=dict(intent),
        )
    confirmation.check_return_url(intent, params)
    _confirm(state, intent, params)
    return intent


def _confirm(state: AccountState, intent: Json, params: Json) -> None:
    method = state.payment_methods.get(intent["payment_method"])
    setup_attempts.begin(state, intent, method)
    outcome = state.next_outcome(method["id"], state.cards[method["id"]].on_setup)
    match outcome.answer:
        case Answer.SUCCEED:
            succeed(state, intent)
        case Answer.PROCESS:
            setup_attempts.follow(state, intent, "processing")
            intent |= {"status": "processing", "last_setup_error": None}
            state.settle(intent)
            state.clock.after(outcome.after_seconds, partial(_decide, state, intent, outcome))
        case Answer.AUTHENTICATE:
            setup_attempts.follow(state, intent, "requires_action")
            intent |= {
                "last_setup_error": None,
                "next_action": confirmation.challenge(state, intent, params.get("return_url")),
                "status": "requires_action",
            }
            state.emit("setup_intent.requires_action", intent)
        case Answer.DECLINE:
            fail(state, intent, outcome)
            raise card_error(outcome, setup_intent=dict(intent), payment_method=dict(method))


def _decide(state: AccountState, intent: Json, outcome: CardOutcome) -> None:
    if outcome.then is Answer.SUCCEED:
        succeed(state, intent)
    else:
        fail(state, intent, outcome)


def succeed(state: AccountState, intent: Json) -> None:
    """The card is good: it is attached to the customer, with a mandate for charges off session."""
    method = state.payment_methods.get(intent["payment_method"])
    if intent["customer"] and method["customer"] is None:
        payment_methods.attach_to(state, method["id"], state.customers.get(intent["customer"]))
    if intent["usage"] == "off_session":
        intent["mandate"] = mandates.create(state, method)["id"]
    setup_attempts.follow(state, intent, "succeeded")
    intent |= {"last_setup_error": None, "next_action": None, "status": "succeeded"}
    state.emit("setup_intent.succeeded", intent)
    state.settle(intent)


def fail(state: AccountState, intent: Json, outcome: CardOutcome) -> None:
    """The issuer refused the card; the intent wants another."""
    method = state.payment_methods.get(intent["payment_method"])
    error = card_error(outcome).body()["error"] | {"payment_method": dict(method)}
    setup_attempts.follow(state, intent, "failed", error)
    intent |= {
        "last_setup_error": error,
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    state.emit("setup_intent.setup_failed", intent)
    state.settle(intent)


def cancel(state: AccountState, params: Json, id: str) -> Json:
    """Ends the set-up for good."""
    intent = state.setup_intents.get(id)
    if intent["status"] not in _OPEN:
        raise _unexpected_state(intent, "cancel")
    setup_attempts.follow(state, intent, "abandoned")
    intent |= {
        "cancellation_reason": params.get("cancellation_reason"),
        "next_action": None,
        "status": "canceled",
    }
    state.emit("setup_intent.canceled", intent)
    return intent


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes a set-up that is not done."""
    intent = state.setup_intents.get(id)
    before = dict(intent)
    if "metadata" in params:
        intent["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if "description" in params:
        intent["description"] = params["description"]
    if "customer" in params:
        intent["customer"] = customers.referenced(state, params["customer"])["id"]
    if "payment_method" in params:
        method = payment_methods.usable(state, params["payment_method"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    if changed(before, intent, "customer"):
        state.setup_intents.index(intent, "customer")
    return intent


def _unexpected_state(intent: Json, verb: str) -> Exception:
    return invalid_request(
        f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}.",
        code="setup_intent_unexpected_state",
        setup_intent=dict(intent),
    )
