"""Payment methods: saved cards, and bank accounts that a page debits.

Test methods by name become a new method each time they are used or attached.
"""

from datetime import UTC, datetime
from typing import Any

from stripe import PaymentMethod

from sandbox.stripe.api.errors import ApiError, invalid_request, missing_object
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.bank_accounts import TEST_BANK_ACCOUNTS, TestBankAccount
from sandbox.stripe.cards import EXPIRES_IN_YEARS, TEST_CARDS, TOKENS, TestCard
from sandbox.stripe.control.messages import Answer, CardOutcome
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState, changed, merge_metadata

_REUSED = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a"
    " connected account without Customer attachment, or was detached from a Customer. It may not be used again. To"
    " use a PaymentMethod multiple times, you must attach it to a Customer first."
)
_BLANK_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
_BLANK_DETAILS: Json = {"address": _BLANK_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}


def create(state: AccountState, params: Json) -> Json:
    """A method from a test token (`card[token]=tok_visa`); numbers are refused, as Stripe does by default."""
    if params.get("type") != "card":
        raise invalid_request("This sandbox makes payment methods of type card only.", param="type")
    card = params.get("card", {})
    if "token" not in card:
        raise invalid_request(
            "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test"
            " tokens that map to the test card you are using, see https://stripe.com/docs/testing.",
            param="card[number]",
        )
    name = TOKENS.get(card["token"])
    if name is None:
        raise missing_object("token", card["token"], param="card[token]", in_path=False)
    return make(state, name, params)


def make(state: AccountState, name: str, params: Json | None = None) -> Json:
    """A new method that behaves as the test card or account of that name does, or as that name was scripted."""
    params, card = params or {}, TEST_BANK_ACCOUNTS.get(name) or TEST_CARDS[name]
    method: Json = blank(PaymentMethod) | {
        "id": state.ids.new("pm"),
        "allow_redisplay": params.get("allow_redisplay", "unspecified"),
        "billing_details": _merged_details(_BLANK_DETAILS, params),
        "created": state.clock.now(),
        "metadata": merge_metadata({}, params.get("metadata", {})),
    }
    if isinstance(card, TestBankAccount):
        method |= {"type": card.type, card.type: _bank_account(card)}
    else:
        method |= {"type": "card", "card": _printed(card, state.clock.now())}
    state.cards[method["id"]] = card
    if name in state.scripts:
        state.scripts[method["id"]] = state.scripts.pop(name)
    return state.payment_methods.insert(method)


def _merged_details(current: Json, params: Json) -> Json:
    given = params.get("billing_details", {})
    address = current["address"] | (given.get("address") or {})
    merged: Json = current | given | {"address": address}
    return merged


def _bank_account(account: TestBankAccount) -> Json:
    known: Json = {"fingerprint": account.fingerprint, "last4": account.last4}
    if account.type == "sepa_debit":
        made_of = {"charge": None, "setup_attempt": None}
        sepa = {"bank_code": account.bank, "branch_code": "", "country": account.country, "generated_from": made_of}
        return blank(PaymentMethod.SepaDebit) | known | sepa
    return (
        blank(PaymentMethod.UsBankAccount)
        | known
        | {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": account.bank,
        }
    )


def _printed(card: TestCard, now: int) -> Json:
    today = datetime.fromtimestamp(now, UTC)
    return blank(PaymentMethod.Card) | {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": today.month,
        "exp_year": today.year + EXPIRES_IN_YEARS,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
    }


def usable(state: AccountState, id: str) -> Json:
    """The method that a payment or set-up names; a test name gives a new one, a detached one is refused."""
    if id in TEST_CARDS or id in TEST_BANK_ACCOUNTS:
        return make(state, id)
    method = state.payment_methods.referenced(id, param="payment_method")
    if id in state.used_up:
        raise invalid_request(_REUSED)
    return method


def retrieve(state: AccountState, _params: Json, id: str) -> Json:
    """The method; a test name gives a new method of its kind."""
    return make(state, id) if id in TEST_CARDS else state.payment_methods.get(id)


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes billing details, expiry and metadata of an attached method."""
    method = state.payment_methods.get(id)
    if method["customer"] is None:
        raise invalid_request(
            "You must save this PaymentMethod to a customer before you can update it.", param="payment_method"
        )
    before = dict(method)
    method["billing_details"] = _merged_details(method["billing_details"], params)
    expiry = {name: value for name, value in params.get("card", {}).items() if name in {"exp_month", "exp_year"}}
    if expiry and "card" not in method:
        raise invalid_request("You can only update the expiry of a payment method of type card.", param="card")
    if expiry:
        method["card"] = method["card"] | expiry
    if "metadata" in params:
        method["metadata"] = merge_metadata(method["metadata"], params["metadata"])
    if "allow_redisplay" in params:
        method["allow_redisplay"] = params["allow_redisplay"]
    previous = changed(before, method, "billing_details", *expiry and ("card",), "metadata", "allow_redisplay")
    if previous:
        state.emit("payment_method.updated", method, previous)
    return method


def attach(state: AccountState, params: Json, id: str) -> Json:
    """Saves the method to a customer; Stripe refuses cards that the issuer declines at once."""
    if "customer" not in params:
        raise invalid_request("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = state.customers.referenced(params["customer"], param="customer")
    check_attachable(state, id)
    return attach_to(state, id, customer)


def check_attachable(state: AccountState, id: str) -> None:
    """Refuses a method that is taken, used up, or declined by its issuer."""
    card: TestCard | TestBankAccount | None = TEST_CARDS.get(id)
    if card is None:
        method = state.payment_methods.get(id)
        if id in state.used_up:
            raise invalid_request(_REUSED)
        if method["customer"] is not None:
            raise invalid_request(
                "The payment method you provided has already been attached to a customer.",
                code="payment_method_unexpected_state",
            )
        card = state.cards[id]
    if card.on_attach.answer is Answer.DECLINE:
        raise card_error(card.on_attach)


def attach_to(state: AccountState, id: str, customer: Json) -> Json:
    """Attaches without asking; a test name becomes a method of the customer's own."""
    method = make(state, id) if id in TEST_CARDS else state.payment_methods.get(id)
    if method["customer"] != customer["id"]:
        method["customer"] = customer["id"]
        state.payment_methods.index(method, "customer")
        state.emit("payment_method.attached", method)
    return method


def detach(state: AccountState, _params: Json, id: str) -> Json:
    """Takes the method from its customer; it can never be used again."""
    method = state.payment_methods.get(id)
    if method["customer"] is None:
        raise invalid_request(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    previous = {"customer": method["customer"]}
    method["customer"] = None
    state.used_up.add(id)
    state.emit("payment_method.detached", method, previous)
    return method


def card_error(outcome: CardOutcome, **details: Any) -> ApiError:
    """The 402 of a decline, with every code that the issuer and the network gave."""
    return ApiError(
        402,
        outcome.message or "Your card was declined.",
        type="card_error",
        code=outcome.code,
        decline_code=outcome.decline_code,
        advice_code=outcome.advice_code,
        network_advice_code=outcome.network_advice_code,
        network_decline_code=outcome.network_decline_code,
        headers={"Stripe-Should-Retry": "false"},
        **details,
    )


def list_of_customer(state: AccountState, params: Json, customer: str) -> Json:
    """The customer's methods."""
    state.customers.get(customer)
    filters = {**params, "customer": customer}
    return listed(state.payment_methods, filters, url=f"/v1/customers/{customer}/payment_methods")


def retrieve_of_customer(state: AccountState, _params: Json, customer: str, id: str) -> Json:
    """One of the customer's methods."""
    method = state.payment_methods.get(id)
    if method["customer"] != customer:
        raise missing_object("PaymentMethod", id, param="payment_method")
    return method
