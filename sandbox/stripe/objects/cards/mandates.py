"""Mandates: the customer's leave to charge a saved card."""

from stripe import Mandate

from sandbox.stripe.api.fields import blank
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState


def create(state: AccountState, method: Json) -> Json:
    """A mandate to charge the method again and again."""
    mandate = blank(Mandate) | {
        "id": state.ids.new("mandate"),
        "customer_acceptance": {"accepted_at": state.clock.now(), "offline": {}, "type": "offline"},
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {"card": {}, "type": "card"},
        "status": "active",
        "type": "multi_use",
    }
    return state.mandates.insert(mandate)


def revoke(state: AccountState, mandate: Json) -> None:
    """The customer took the leave back at the bank."""
    previous = {"status": mandate["status"]}
    mandate["status"] = "inactive"
    state.emit("mandate.updated", mandate, previous)
