"""3-D Secure: what follows when the cardholder passes the bank's challenge, or does not."""

from sandbox.stripe.account_state import World
from sandbox.stripe.control_messages import Answer, CardOutcome
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects import confirmation, setup_intents

_NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def intent_of(world: World, id: str) -> Json:
    """The payment or setup intent of that id."""
    return world.setup_intents.get(id) if id.startswith("seti_") else world.payment_intents.get(id)


def answer(world: World, id: str, *, passed: bool) -> Json:
    """Carries on with an intent that waited for its customer; one that no longer waits is left as it is."""
    intent = intent_of(world, id)
    if intent["status"] != "requires_action":
        return intent
    if id.startswith("seti_"):
        _answer_setup(world, intent, passed=passed)
    else:
        _answer_payment(world, intent, passed=passed)
    return intent


def _answer_setup(world: World, intent: Json, *, passed: bool) -> None:
    if not passed:
        setup_intents.fail(world, intent, _refusal("setup_intent_authentication_failure"))
        return
    _remember(world, intent["payment_method"])
    setup_intents.succeed(world, intent)


def _answer_payment(world: World, intent: Json, *, passed: bool) -> None:
    if not passed:
        confirmation.give_up(world, intent, _refusal("payment_intent_authentication_failure"))
        return
    _remember(world, intent["payment_method"])
    method = world.payment_methods.get(intent["payment_method"])
    confirmation.succeed(world, intent, method, CardOutcome())


def _remember(world: World, method: str) -> None:
    # Some cards want to see the customer once; others will want it again at the next charge.
    if world.cards[method].first_setup_authenticates_for_good:
        world.authenticated.add(method)


def _refusal(code: str) -> CardOutcome:
    return CardOutcome(answer=Answer.DECLINE, code=code, decline_code=None, message=_NOT_AUTHENTICATED)
