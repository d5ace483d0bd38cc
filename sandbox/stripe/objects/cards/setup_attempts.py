"""Setup attempts: each confirmation of a setup intent, and how it ended."""

from stripe import SetupAttempt

from sandbox.stripe.api.fields import blank
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState

_PRINTED = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")


def begin(state: AccountState, intent: Json, method: Json) -> None:
    """The card is asked once more; the intent names its latest attempt."""
    card = {name: method["card"][name] for name in _PRINTED}
    attempt = blank(SetupAttempt) | {
        "id": state.ids.new("setatt"),
        "created": state.clock.now(),
        "customer": intent["customer"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": card | {"network": method["card"]["brand"], "three_d_secure": None, "wallet": None},
            "type": "card",
        },
        "setup_intent": intent["id"],
        "status": "confirmed",
        "usage": intent["usage"],
    }
    state.setup_attempts.insert(attempt)
    intent["latest_attempt"] = attempt["id"]


def follow(state: AccountState, intent: Json, status: str, error: Json | None = None) -> None:
    """The latest attempt goes where its intent goes; an intent that was never confirmed has none."""
    attempt = state.setup_attempts.find(intent["latest_attempt"])
    if attempt is not None:
        attempt |= {"status": status, "setup_error": error}
