"""Mandates: the customer's leave to charge a saved card."""

from stripe import Mandate

from sandbox.stripe.account_state import World
from sandbox.stripe.fields import blank
from sandbox.stripe.jsontypes import Json


def create(world: World, method: Json) -> Json:
    """A mandate to charge the method again and again."""
    mandate = blank(Mandate) | {
        "id": world.ids.new("mandate"),
        "customer_acceptance": {"accepted_at": world.clock.now(), "offline": {}, "type": "offline"},
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {"card": {}, "type": "card"},
        "status": "active",
        "type": "multi_use",
    }
    return world.mandates.insert(mandate)


def revoke(world: World, mandate: Json) -> None:
    """The customer took the leave back at the bank."""
    previous = {"status": mandate["status"]}
    mandate["status"] = "inactive"
    world.emit("mandate.updated", mandate, previous)
