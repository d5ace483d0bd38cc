"""The requests that the behaviours have in common, as forms."""

from typing import Any

from sandbox.stripe.contract.calls import Calls, Reply

NO_REDIRECTS = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
BACK = "https://example.com/back"


def payment(card: str = "pm_card_visa", **more: Any) -> dict[str, Any]:
    """A payment of 20.00 on a test card, confirmed at once."""
    return {"amount": 2000, "currency": "usd", "payment_method": card, "confirm": "true"} | NO_REDIRECTS | more


def pay(calls: Calls, card: str = "pm_card_visa", **more: Any) -> Reply:
    """Sends it."""
    return calls.post("/v1/payment_intents", payment(card, **more))


def saved_card(calls: Calls, card: str) -> dict[str, str]:
    """A new customer and the test card attached to it, as the parameters of a payment."""
    customer = calls.post("/v1/customers", {"description": "contract test"}).body["id"]
    method = calls.post(f"/v1/payment_methods/{card}/attach", {"customer": customer}).body["id"]
    return {"customer": customer, "payment_method": method}


def booked_payment(calls: Calls, card: str = "pm_card_visa") -> str:
    """The charge of a payment whose balance transaction is there, which is at once where capture is synchronous."""
    charge: str = pay(calls, card, capture_method="automatic").body["latest_charge"]
    return charge
