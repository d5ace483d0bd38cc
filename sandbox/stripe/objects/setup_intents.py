"""Setup intents: a card is saved and checked without a charge."""

from functools import partial

from stripe import SetupIntent

from sandbox.stripe.account_state import World, changed, merge_metadata
from sandbox.stripe.control_messages import Answer, CardOutcome
from sandbox.stripe.errors import invalid_request
from sandbox.stripe.fields import blank
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects import confirmation, customers, mandates, payment_methods
from sandbox.stripe.objects.payment_methods import card_error

_OPEN = {"requires_payment_method", "requires_confirmation", "requires_action"}


def create(world: World, params: Json) -> Json:
    """A new set-up; with `confirm` the card is checked in the same request."""
    confirmation.check_has_method(params)
    customer = customers.referenced(world, params["customer"]) if "customer" in params else None
    method = payment_methods.usable(world, params["payment_method"]) if "payment_method" in params else None
    if method is not None:
        confirmation.check_owner(method, customer, off_session=False)
    intent = world.setup_intents.insert(_new(world, params, customer, method))
    world.emit("setup_intent.created", intent)
    if params.get("confirm"):
        _confirm(world, intent, params)
    return intent


def _new(world: World, params: Json, customer: Json | None, method: Json | None) -> Json:
    id = world.ids.new("seti")
    return blank(SetupIntent) | {
        "id": id,
        "automatic_payment_methods": params.get(
            "automatic_payment_methods", {"allow_redirects": "always", "enabled": True}
        ),
        "client_secret": world.ids.secret_of(id),
        "created": world.clock.now(),
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


def confirm(world: World, params: Json, id: str) -> Json:
    """Checks the card now."""
    intent = world.setup_intents.get(id)
    if intent["status"] not in _OPEN:
        raise _unexpected_state(intent, "confirm")
    if "payment_method" in params:
        method = payment_methods.usable(world, params["payment_method"])
        confirmation.check_owner(method, world.customers.find(intent["customer"]), off_session=False)
        intent["payment_method"] = method["id"]
    if intent["payment_method"] is None:
        raise invalid_request(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state",
            setup_intent=dict(intent),
        )
    _confirm(world, intent, params)
    return intent


def _confirm(world: World, intent: Json, params: Json) -> None:
    method = world.payment_methods.get(intent["payment_method"])
    outcome = world.next_outcome(method["id"], world.cards[method["id"]].on_setup)
    match outcome.answer:
        case Answer.SUCCEED:
            succeed(world, intent)
        case Answer.PROCESS:
            intent |= {"status": "processing", "last_setup_error": None}
            world.settle(intent)
            world.clock.after(outcome.after_seconds, partial(_decide, world, intent, outcome))
        case Answer.AUTHENTICATE:
            intent |= {
                "last_setup_error": None,
                "next_action": confirmation.challenge(world, intent, params.get("return_url")),
                "status": "requires_action",
            }
            world.emit("setup_intent.requires_action", intent)
        case Answer.DECLINE:
            fail(world, intent, outcome)
            raise card_error(outcome, setup_intent=dict(intent), payment_method=dict(method))


def _decide(world: World, intent: Json, outcome: CardOutcome) -> None:
    if outcome.then is Answer.SUCCEED:
        succeed(world, intent)
    else:
        fail(world, intent, outcome)


def succeed(world: World, intent: Json) -> None:
    """The card is good: it is attached to the customer, with a mandate for charges off session."""
    method = world.payment_methods.get(intent["payment_method"])
    if intent["customer"] and method["customer"] is None:
        payment_methods.attach_to(world, method["id"], world.customers.get(intent["customer"]))
    if intent["usage"] == "off_session":
        intent["mandate"] = mandates.create(world, method)["id"]
    intent |= {"last_setup_error": None, "next_action": None, "status": "succeeded"}
    world.emit("setup_intent.succeeded", intent)
    world.settle(intent)


def fail(world: World, intent: Json, outcome: CardOutcome) -> None:
    """The issuer refused the card; the intent wants another."""
    method = world.payment_methods.get(intent["payment_method"])
    intent |= {
        "last_setup_error": card_error(outcome).body()["error"] | {"payment_method": dict(method)},
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    world.emit("setup_intent.setup_failed", intent)
    world.settle(intent)


def cancel(world: World, params: Json, id: str) -> Json:
    """Ends the set-up for good."""
    intent = world.setup_intents.get(id)
    if intent["status"] not in _OPEN:
        raise _unexpected_state(intent, "cancel")
    intent |= {
        "cancellation_reason": params.get("cancellation_reason"),
        "next_action": None,
        "status": "canceled",
    }
    world.emit("setup_intent.canceled", intent)
    return intent


def update(world: World, params: Json, id: str) -> Json:
    """Changes a set-up that is not done."""
    intent = world.setup_intents.get(id)
    before = dict(intent)
    if "metadata" in params:
        intent["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if "description" in params:
        intent["description"] = params["description"]
    if "customer" in params:
        intent["customer"] = customers.referenced(world, params["customer"])["id"]
    if "payment_method" in params:
        method = payment_methods.usable(world, params["payment_method"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    if changed(before, intent, "customer"):
        world.setup_intents.index(intent, "customer")
    return intent


def _unexpected_state(intent: Json, verb: str) -> Exception:
    return invalid_request(
        f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}.",
        code="setup_intent_unexpected_state",
        setup_intent=dict(intent),
    )
