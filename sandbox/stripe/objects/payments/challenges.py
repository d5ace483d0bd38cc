"""3-D Secure: what follows when the cardholder passes the bank's challenge, or does not."""

from sandbox.stripe.control.messages import Answer, CardOutcome
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.cards import setup_intents
from sandbox.stripe.objects.payments import confirmation
from sandbox.stripe.state.account_state import AccountState

_NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def intent_of(state: AccountState, id: str) -> Json:
    """The payment or setup intent of that id."""
    return state.setup_intents.get(id) if id.startswith("seti_") else state.payment_intents.get(id)


def answer(state: AccountState, id: str, *, passed: bool) -> Json:
    """Carries on with an intent that waited for its customer; one that no longer waits is left as it is."""
    intent = intent_of(state, id)
    if intent["status"] != "requires_action":
        return intent
    if id.startswith("seti_"):
        _answer_setup(state, intent, passed=passed)
    else:
        _answer_payment(state, intent, passed=passed)
    return intent


def _answer_setup(state: AccountState, intent: Json, *, passed: bool) -> None:
    if not passed:
        setup_intents.fail(state, intent, _refusal("setup_intent_authentication_failure"))
        return
    _remember(state, intent["payment_method"])
    setup_intents.succeed(state, intent)


def _answer_payment(state: AccountState, intent: Json, *, passed: bool) -> None:
    if not passed:
        confirmation.give_up(state, intent, _refusal("payment_intent_authentication_failure"))
        return
    _remember(state, intent["payment_method"])
    method = state.payment_methods.get(intent["payment_method"])
    confirmation.succeed(state, intent, method, CardOutcome())


def _remember(state: AccountState, method: str) -> None:
    # Some cards want to see the customer once; others will want it again at the next charge.
    if state.cards[method].first_setup_authenticates_for_good:
        state.authenticated.add(method)


def _refusal(code: str) -> CardOutcome:
    return CardOutcome(answer=Answer.DECLINE, code=code, decline_code=None, message=_NOT_AUTHENTICATED)
