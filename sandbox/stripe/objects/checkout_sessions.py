"""Checkout sessions: a hosted page that saves a card (`setup`) or takes a payment (`payment`)."""

from datetime import timedelta
from functools import partial
from typing import Any

from stripe.checkout import Session

from sandbox.stripe import money
from sandbox.stripe.api.errors import invalid_parameter, invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.bank_accounts import DEBITED_IN
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects import branding, customers
from sandbox.stripe.objects.cards import payment_methods, setup_intents
from sandbox.stripe.objects.payments import application_fees, payment_intents, transfers
from sandbox.stripe.state.account_state import AccountState, merge_metadata

EXPIRES_AFTER = timedelta(hours=24)
EXPIRES_AFTER_MIN = timedelta(minutes=30)
_COPIED = ("cancel_url", "client_reference_id", "customer_email", "locale", "return_url", "submit_type", "success_url")


def create(state: AccountState, params: Json) -> Json:
    """A session with the address of its page, open for a day unless it says otherwise."""
    mode = params.get("mode", "payment")
    if mode == "subscription":
        raise invalid_request("This sandbox has no subscriptions of Stripe's.", param="mode")
    if "success_url" not in params and "return_url" not in params:
        raise invalid_parameter("Missing required param: success_url.", "success_url", "parameter_missing")
    _check_methods(params, mode)
    of_the_other = "payment_intent_data" if mode == "setup" else "setup_intent_data"
    if of_the_other in params:
        raise invalid_parameter(f"You can not pass `{of_the_other}` in `{mode}` mode.", of_the_other)
    application_fees.check(state, params.get("payment_intent_data", {}))
    transfers.check(state, params.get("payment_intent_data", {}))
    customer = customers.referenced(state, params["customer"])["id"] if "customer" in params else None
    session = _new(state, params, mode, customer)
    session |= _payment_terms(state, session["id"], params) if mode == "payment" else _setup_terms(state, params)
    state.checkout_sessions.insert(session)
    state.clock.after(session["expires_at"] - state.clock.now(), partial(_expire, state, session))
    return session


def _check_methods(params: Json, mode: str) -> None:
    """In `setup` mode nothing says what could be offered: either the currency does, or a list of methods."""
    allowed = params.get("allowed_payment_method_types")
    if mode == "setup" and allowed is None and "currency" not in params:
        raise invalid_parameter(
            "Missing required param: currency. It is required in `setup` mode when `allowed_payment_method_types` is"
            " not set.",
            "currency",
            "parameter_missing",
        )
    known = {"card", *DEBITED_IN} if mode == "payment" else {"card"}
    if allowed is not None and not set(allowed) <= known:
        raise invalid_parameter(f"This sandbox has {', '.join(sorted(known))} only.", "allowed_payment_method_types")


def _new(state: AccountState, params: Json, mode: str, customer: str | None) -> Json:
    id = state.ids.new("cs_test")
    return blank(Session) | {
        "id": id,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": state.clock.now(),
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer": customer,
        "expires_at": _expiry(state, params),
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "mode": mode,
        "payment_method_types": params.get("allowed_payment_method_types", ["card"]),
        "phone_number_collection": {"enabled": False},
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "shipping_options": [],
        "status": "open",
        "ui_mode": params.get("ui_mode", "hosted_page"),
        "url": f"{state.base_url}/pages/checkout/{id}",
        **branding.branding_of(params),
        **{name: params[name] for name in _COPIED if name in params},
    }


def _expiry(state: AccountState, params: Json) -> int:
    now = state.clock.now()
    expires_at = int(params.get("expires_at", now + EXPIRES_AFTER.total_seconds()))
    earliest, latest = now + EXPIRES_AFTER_MIN.total_seconds(), now + EXPIRES_AFTER.total_seconds()
    if not earliest <= expires_at <= latest:
        raise invalid_parameter(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            "expires_at",
        )
    return expires_at


def _payment_terms(state: AccountState, id: str, params: Json) -> Json:
    items = [_line_item(state, item, number) for number, item in enumerate(params.get("line_items", []))]
    if not items:
        raise invalid_parameter("You must specify at least one line item.", "line_items", "parameter_missing")
    currency = items[0]["currency"]
    if any(item["currency"] != currency for item in items):
        raise invalid_parameter("All line items must have the same currency.", "line_items")
    total = money.check_amount(sum(item["amount_total"] for item in items), currency)
    types = [type for type in params.get("allowed_payment_method_types", ["card"]) if _fits(type, currency)]
    if not types:
        raise invalid_parameter(f"None of the methods takes {currency}.", "allowed_payment_method_types")
    state.line_items[id] = items
    state.intent_data[id] = params.get("payment_intent_data", {})
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": currency,
        "payment_method_types": types,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    }


def _fits(type: str, currency: str) -> bool:
    """Stripe leaves out without a word what does not take the currency."""
    return DEBITED_IN.get(type, currency) == currency


def _line_item(state: AccountState, item: Json, number: int) -> Json:
    price, quantity = item.get("price_data"), item.get("quantity", 1)
    if price is None or "unit_amount" not in price or "product_data" not in price:
        param = f"line_items[{number}][price_data]"
        raise invalid_parameter("This sandbox wants price_data with unit_amount and product_data.", param)
    amount = price["unit_amount"] * quantity
    return {
        "id": state.ids.new("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": money.check_currency(price["currency"]),
        "description": price["product_data"]["name"],
        "price": None,
        "quantity": quantity,
    }


def _setup_terms(state: AccountState, params: Json) -> Json:
    if "line_items" in params:
        raise invalid_parameter("You can not pass `line_items` in `setup` mode.", "line_items")
    shared = {name: params[name] for name in ("customer", "allowed_payment_method_types") if name in params}
    intent = setup_intents.create(state, shared | params.get("setup_intent_data", {}))
    currency = {"currency": money.check_currency(params["currency"])} if "currency" in params else {}
    return currency | {"setup_intent": intent["id"]}


def submit(state: AccountState, id: str, card: str) -> Json:
    """The customer chose a card or a bank account on the page; gives the intent, or raises the page's decline."""
    session = _open(state, id)
    method = payment_methods.make(state, card)
    back = f"{state.base_url}/pages/checkout/{id}/return"
    if session["mode"] == "setup":
        state.when_settled[session["setup_intent"]] = partial(_settled, state, session)
        terms: Json = {"payment_method": method["id"], "return_url": back}
        return setup_intents.confirm(state, terms, session["setup_intent"])
    intent = _payment_intent(state, session)
    state.when_settled[intent["id"]] = partial(_settled, state, session)
    confirm = {"payment_method": method["id"], "return_url": back}
    return payment_intents.confirm(state, confirm, intent["id"])


def _payment_intent(state: AccountState, session: Json) -> Json:
    if session["payment_intent"] is not None:
        return state.payment_intents.get(session["payment_intent"])
    data: dict[str, Any] = {
        "allowed_payment_method_types": session["payment_method_types"],
        "amount": session["amount_total"],
        "currency": session["currency"],
    }
    if session["customer"] is not None:
        data["customer"] = session["customer"]
    intent = payment_intents.create(state, data | state.intent_data[session["id"]])
    session["payment_intent"] = intent["id"]
    state.checkout_sessions.index(session, "payment_intent")
    return intent


def _settled(state: AccountState, session: Json, intent: Json) -> None:
    """The session follows its intent: complete at once, unpaid while the bank thinks, or still open after a no."""
    status, was = intent["status"], session["status"]
    if status in {"succeeded", "processing"}:
        paid = session["mode"] == "payment" and status == "succeeded"
        session |= {"status": "complete", "url": None}
        if paid:
            session["payment_status"] = "paid"
        if was == "open":
            state.emit("checkout.session.completed", session)
        elif paid:
            state.emit("checkout.session.async_payment_succeeded", session)
    elif was == "complete":
        state.emit("checkout.session.async_payment_failed", session)


def expire(state: AccountState, _params: Json, id: str) -> Json:
    """Closes the page now."""
    session = _open(state, id)
    _expire(state, session)
    return session


def _expire(state: AccountState, session: Json) -> None:
    if session["status"] == "open":
        session |= {"status": "expired", "url": None}
        state.emit("checkout.session.expired", session)


def _open(state: AccountState, id: str) -> Json:
    session = state.checkout_sessions.get(id)
    if session["status"] != "open":
        raise invalid_request(
            f"Only open Checkout Sessions can be expired or paid; this one has the status {session['status']}."
        )
    return session


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes the session's metadata."""
    session = state.checkout_sessions.get(id)
    if "metadata" in params:
        session["metadata"] = merge_metadata(session["metadata"], params["metadata"])
    return session


def list_line_items(state: AccountState, _params: Json, id: str) -> Json:
    """What is paid for."""
    state.checkout_sessions.get(id)
    url = f"/v1/checkout/sessions/{id}/line_items"
    return {"object": "list", "data": state.line_items.get(id, []), "has_more": False, "url": url}


def list_all(state: AccountState, params: Json) -> Json:
    """Sessions by creation, customer, intent and status."""
    filters = {name: value for name, value in params.items() if name != "customer_details"}
    if "customer_details" in params:
        filters["customer_email"] = params["customer_details"]["email"]
    return listed(state.checkout_sessions, filters, url="/v1/checkout/sessions")
