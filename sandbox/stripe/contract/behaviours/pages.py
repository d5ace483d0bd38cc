"""The pages of Checkout and of 3-D Secure: what the API does about them, and what follows when somebody visits one."""

from typing import Any

from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.behaviours.requests import BACK, pay, saved_card
from sandbox.stripe.contract.calls import Calls, Reply
from sandbox.stripe.contract.leftovers import MARK
from sandbox.stripe.contract.side import Side
from sandbox.stripe.contract.visitors import Wish
from sandbox.stripe.jsontypes import Json

ALWAYS_ASKS = "pm_card_threeDSecure2Required"


def _line(number: int, name: str, unit_amount: int, quantity: int) -> dict[str, Any]:
    price = {"[currency]": "usd", "[unit_amount]": unit_amount, "[product_data][name]": name}
    prices = {f"line_items[{number}][price_data]{part}": value for part, value in price.items()}
    return prices | {f"line_items[{number}][quantity]": quantity}


def _payment_page(calls: Calls, **more: Any) -> Reply:
    form = {"mode": "payment", "success_url": BACK} | _line(0, "Plan", 950, 2)
    return calls.post("/v1/checkout/sessions", form | more)


def _asked(calls: Calls, card: str = ALWAYS_ASKS) -> Json:
    """A payment that waits for its customer, who comes back to us."""
    form = {"amount": 2000, "currency": "usd", "payment_method": card, "confirm": "true", "return_url": BACK}
    return calls.post("/v1/payment_intents", form).body


@behaviour("400 currency", "/api/checkout/sessions/create")
def setup_page(calls: Calls) -> str:
    """A page in `setup` mode wants a currency or the methods that it may offer."""
    refused = calls.post("/v1/checkout/sessions", {"mode": "setup", "success_url": BACK})
    return f"{refused.status} {'currency' if 'currency' in refused.body['error']['message'] else 'otherwise'}"


@behaviour("open with a page, then expired without", "/api/checkout/sessions/expire")
def card_page(calls: Calls) -> str:
    """A page for cards opens, and is closed by command."""
    form = {"mode": "setup", "currency": "usd", "success_url": BACK}
    opened = calls.post("/v1/checkout/sessions", form).body
    closed = calls.post(f"/v1/checkout/sessions/{opened['id']}/expire").body
    page, gone = "with" if opened["url"] else "without", "with" if closed["url"] else "without"
    return f"{opened['status']} {page} a page, then {closed['status']} {gone}"


@behaviour("400", "/api/checkout/sessions/expire")
def closed_page(calls: Calls) -> str:
    """A page that is closed is not closed again."""
    id = _payment_page(calls).body["id"]
    calls.post(f"/v1/checkout/sessions/{id}/expire")
    return str(calls.post(f"/v1/checkout/sessions/{id}/expire").status)


@behaviour("unpaid, no intent yet", "/api/checkout/sessions/object")
def payment_page(calls: Calls) -> str:
    """A page for a payment makes its payment intent when the customer pays."""
    opened = _payment_page(calls).body
    return f"{opened['payment_status']}, {'an intent' if opened['payment_intent'] else 'no intent yet'}"


@behaviour("Plan 2 1900, Seat 1 500", "/api/checkout/sessions/line_items")
def line_items(calls: Calls) -> str:
    """What a page is for is listed by name, quantity and amount."""
    id = _payment_page(calls, **_line(1, "Seat", 500, 1)).body["id"]
    items = calls.get(f"/v1/checkout/sessions/{id}/line_items").body["data"]
    return ", ".join(f"{each['description']} {each['quantity']} {each['amount_total']}" for each in items)


@behaviour("payment 1900 usd, hosted, a day, ours", "/api/checkout/sessions/object")
def session(calls: Calls) -> str:
    """A session holds the total, how long it is open, and our metadata."""
    made = _payment_page(calls).body
    held = calls.get(f"/v1/checkout/sessions/{made['id']}").body
    hours = round((held["expires_at"] - held["created"]) / 3600)
    hosted = "hosted" if str(held["ui_mode"]).startswith("hosted") else held["ui_mode"]
    ours = "ours" if MARK in held["metadata"] else "nobody's"
    total = f"{held['mode']} {held['amount_total']} {held['currency']}"
    return f"{total}, {hosted}, {'a day' if hours == 24 else f'{hours} hours'}, {ours}"


@behaviour("400 expires_at", "/api/checkout/sessions/create")
def short_page(calls: Calls) -> str:
    """A page is open for half an hour at least."""
    refused = _payment_page(calls, expires_at=_payment_page(calls).body["created"] + 600)
    return f"{refused.status} {refused.body['error'].get('param')}"


@behaviour("complete paid without a page; succeeded 1900, ours", "/payments/checkout")
def paid_page(side: Side) -> str:
    """A page that is paid has its money and its intent, which bears our metadata."""
    opened = _payment_page(side, **{f"payment_intent_data[metadata][{MARK}]": side.run}).body
    side.visit(Wish.PAY, opened)
    path = f"/v1/checkout/sessions/{opened['id']}?expand[]=payment_intent"
    held = side.until(path, lambda found: found["status"] == "complete")
    intent = held["payment_intent"]
    page = "with" if held["url"] else "without"
    ours = "ours" if MARK in intent["metadata"] else "nobody's"
    paid = f"{intent['status']} {intent['amount_received']}, {ours}"
    return f"{held['status']} {held['payment_status']} {page} a page; {paid}"


@behaviour("complete no_payment_required; succeeded, the customer's card", "/payments/save-and-reuse")
def saved_by_page(side: Side) -> str:
    """A card that is saved on a page belongs to the page's customer."""
    customer = side.post("/v1/customers", {"description": "contract test"}).body["id"]
    form = {"mode": "setup", "currency": "usd", "success_url": BACK, "customer": customer}
    opened = side.post("/v1/checkout/sessions", form).body
    side.visit(Wish.SAVE, opened)
    path = f"/v1/checkout/sessions/{opened['id']}?expand[]=setup_intent.payment_method"
    held = side.until(path, lambda found: found["status"] == "complete")
    setup = held["setup_intent"]
    owner = "the customer's" if setup["payment_method"]["customer"] == customer else "nobody's"
    return f"{held['status']} {held['payment_status']}; {setup['status']}, {owner} card"


@behaviour("requires_action redirect_to_url, back to us, no charge", "/testing#regulatory-cards")
def three_d_secure(calls: Calls) -> str:
    """A card that wants 3-D Secure sends its customer to a page, and nothing is charged before."""
    asked = _asked(calls)
    action = asked["next_action"]
    back = "back to us" if action["redirect_to_url"]["return_url"] == BACK else "elsewhere"
    return f"{asked['status']} {action['type']}, {back}, {'a charge' if asked['latest_charge'] else 'no charge'}"


@behaviour("requires_action use_stripe_sdk", "/payments/3d-secure/authentication-flow")
def without_redirects(calls: Calls) -> str:
    """Where no redirect is allowed the challenge is one for Stripe's script."""
    asked = pay(calls, ALWAYS_ASKS).body
    return f"{asked['status']} {asked['next_action']['type']}"


@behaviour("requires_action redirect_to_url", "/payments/paymentintents/lifecycle")
def confirmed_again(calls: Calls) -> str:
    """Confirming again passes no challenge: it asks anew."""
    again = calls.post(f"/v1/payment_intents/{_asked(calls)['id']}/confirm", {"return_url": BACK})
    return f"{again.body['status']} {again.body['next_action']['type']}" if again.status == 200 else again.error


@behaviour("succeeded, no action left", "/payments/paymentintents/lifecycle")
def another_card(calls: Calls) -> str:
    """A payment that waits for a challenge is paid with another card."""
    form = {"payment_method": "pm_card_visa", "return_url": BACK}
    again = calls.post(f"/v1/payment_intents/{_asked(calls)['id']}/confirm", form)
    left = "an action" if again.body.get("next_action") else "no action"
    return f"{again.body['status']}, {left} left" if again.status == 200 else again.error


@behaviour("canceled, no action left, then 400 payment_intent_unexpected_state", "/api/payment_intents/cancel")
def cancelled_challenge(calls: Calls) -> str:
    """A payment that waits for a challenge is cancelled, and confirmed no more."""
    id = _asked(calls)["id"]
    ended = calls.post(f"/v1/payment_intents/{id}/cancel").body
    left = "an action" if ended["next_action"] else "no action"
    return f"{ended['status']}, {left} left, then {calls.post(f'/v1/payment_intents/{id}/confirm').error}"


@behaviour("requires_action redirect_to_url, then canceled", "/testing#regulatory-cards")
def saving_challenge(calls: Calls) -> str:
    """Saving such a card wants the same, and can be cancelled."""
    form = {"payment_method": ALWAYS_ASKS, "confirm": "true", "return_url": BACK}
    asked = calls.post("/v1/setup_intents", form).body
    ended = calls.post(f"/v1/setup_intents/{asked['id']}/cancel").body
    return f"{asked['status']} {asked['next_action']['type']}, then {ended['status']}"


@behaviour("402 authentication_required authentication_required", "/testing#regulatory-cards")
def off_session(calls: Calls) -> str:
    """Off session nobody can be asked: the payment is declined."""
    return pay(calls, off_session="true", **saved_card(calls, "pm_card_authenticationRequired")).error


@behaviour("requires_payment_method, then requires_action", "/payments/save-and-reuse#charge-saved-payment-method")
def brought_back(calls: Calls) -> str:
    """A payment that was declined for that is confirmed on session, and asks."""
    card = saved_card(calls, "pm_card_authenticationRequired")
    declined = pay(calls, off_session="true", **card).body["error"]["payment_intent"]
    again = calls.post(f"/v1/payment_intents/{declined['id']}/confirm", {"payment_method": card["payment_method"]})
    return f"{declined['status']}, then {again.body['status'] if again.status == 200 else again.error}"


@behaviour("succeeded, a charge", "/testing#regulatory-cards")
def passed_challenge(side: Side) -> str:
    """A challenge that is passed charges, without a further request."""
    asked = _asked(side)
    side.visit(Wish.PASS, asked)
    paid = side.until(f"/v1/payment_intents/{asked['id']}", lambda found: found["status"] != "requires_action")
    return f"{paid['status']}, {'a charge' if paid['latest_charge'] else 'no charge'}"


@behaviour("requires_payment_method payment_intent_authentication_failure", "/testing#regulatory-cards")
def failed_challenge(side: Side) -> str:
    """A challenge that is failed ends the attempt, not the payment."""
    asked = _asked(side)
    side.visit(Wish.FAIL, asked)
    left = side.until(f"/v1/payment_intents/{asked['id']}", lambda found: found["status"] != "requires_action")
    return f"{left['status']} {left['last_payment_error']['code']}"
