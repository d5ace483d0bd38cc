"""Every object of the sandbox has the fields, and only the fields, that the SDK knows of."""

from typing import Any

import pytest
import stripe
from stripe import StripeObject

from sandbox.stripe.api.errors import ApiError
from sandbox.stripe.app import build_app
from sandbox.stripe.control.client import Answer, CardOutcome, DisputeScript
from sandbox.stripe.control.messages import CardScript
from sandbox.stripe.objects import accounts, checkout_sessions, customers, webhook_endpoints
from sandbox.stripe.objects.cards import payment_methods, setup_intents
from sandbox.stripe.objects.payments import balance, disputes, payment_intents, refunds
from sandbox.stripe.state.account_state import AccountState
from tests.sandbox.protocol.conformance import violations

RESOURCES: dict[str, type[StripeObject]] = {
    "accounts": stripe.Account,
    "balance_transactions": stripe.BalanceTransaction,
    "charges": stripe.Charge,
    "checkout_sessions": stripe.checkout.Session,
    "customers": stripe.Customer,
    "disputes": stripe.Dispute,
    "mandates": stripe.Mandate,
    "payment_intents": stripe.PaymentIntent,
    "payment_methods": stripe.PaymentMethod,
    "refunds": stripe.Refund,
    "setup_intents": stripe.SetupIntent,
    "webhook_endpoints": stripe.WebhookEndpoint,
}


@pytest.fixture(scope="module")
def busy_world() -> AccountState:
    """An account in which everything that the sandbox can do has been done once."""
    state: AccountState = build_app().state.sandbox.platform
    customer = customers.create(state, {"name": "Ada", "email": "ada@example.com", "metadata": {"a": "1"}})["id"]
    method = payment_methods.attach(state, {"customer": customer}, "pm_card_visa")["id"]
    for card in ("pm_card_visa", "pm_card_createDispute", "pm_card_refundFail", "pm_card_pendingRefund"):
        other = payment_methods.attach(state, {"customer": customer}, card)["id"]
        intent = _charge(state, customer, other)
        state.clock.run_due()
        if card != "pm_card_createDispute":
            refunds.create(state, {"payment_intent": intent["id"], "amount": 500})
    _decline_and_authenticate(state, customer, method)
    inquiry = disputes.open_dispute(
        state, state.charges.get(_charge(state, customer, method)["latest_charge"]), DisputeScript(is_inquiry=True)
    )
    disputes.escalate(state, inquiry)
    disputes.update(state, {"evidence": {"uncategorized_text": "winning_evidence"}}, inquiry["id"])
    setup_intents.create(
        state,
        {"customer": customer, "payment_method": "pm_card_visa", "confirm": True, "return_url": "https://example.com"},
    )
    checkout_sessions.create(state, {"mode": "setup", "currency": "usd", "success_url": "https://example.com"})
    item = {"price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Plan"}}}
    checkout_sessions.create(state, {"mode": "payment", "line_items": [item], "success_url": "https://example.com"})
    webhook_endpoints.create(state, {"url": "https://example.com/hook", "enabled_events": ["payout.paid"]})
    accounts.onboard(state, accounts.create(state, {"email": "shop@example.com"}))
    state.clock.advance(10)
    return state


def _charge(state: AccountState, customer: str, method: str) -> dict[str, Any]:
    terms = {
        "amount": 2000,
        "currency": "usd",
        "customer": customer,
        "payment_method": method,
        "confirm": True,
        "return_url": "https://example.com",
    }
    return payment_intents.create(state, terms)


def _decline_and_authenticate(state: AccountState, customer: str, method: str) -> None:
    outcomes = (
        CardOutcome(answer=Answer.DECLINE, advice_code="do_not_try_again", network_decline_code="51"),
        CardOutcome(answer=Answer.AUTHENTICATE),
        CardOutcome(answer=Answer.PROCESS, then=Answer.DECLINE),
    )
    state.script(method, CardScript(outcomes=outcomes))
    with pytest.raises(ApiError):
        _charge(state, customer, method)
    _charge(state, customer, method)
    _charge(state, customer, method)


@pytest.mark.parametrize("noun", RESOURCES)
def test_every_object_conforms_to_the_sdk(busy_world: AccountState, noun: str) -> None:
    rows = list(busy_world.table(noun))

    found = [line for row in rows for line in violations(RESOURCES[noun], row)]

    assert rows
    assert found == []


def test_the_balance_conforms_to_the_sdk(busy_world: AccountState) -> None:
    answer = balance.retrieve_balance(busy_world, {})

    assert violations(stripe.Balance, answer) == []


def test_events_conform_to_the_sdk_and_have_types_that_it_knows(busy_world: AccountState) -> None:
    known = stripe.Event.__annotations__["type"].__args__

    found = [line for event in busy_world.events for line in violations(stripe.Event, event) if ".data" not in line]

    assert found == []
    assert {event["type"] for event in busy_world.events} <= set(known)


def test_a_missing_field_is_found(busy_world: AccountState) -> None:
    charge = next(iter(busy_world.charges))
    without_amount = {name: value for name, value in charge.items() if name != "amount"}

    assert violations(stripe.Charge, without_amount) == ["Charge.amount is missing"]


def test_an_ill_typed_field_is_found(busy_world: AccountState) -> None:
    charge = next(iter(busy_world.charges)) | {"amount": "2000"}

    assert violations(stripe.Charge, charge) == ["Charge.amount is '2000', not <class 'int'>"]
