"""Every object of the sandbox has the fields, and only the fields, that the SDK knows of."""

from typing import Any

import pytest
import stripe
from stripe import StripeObject

from sandbox.stripe.account_state import World
from sandbox.stripe.app import build_app
from sandbox.stripe.control import Answer, CardOutcome, DisputeScript
from sandbox.stripe.control_messages import CardScript
from sandbox.stripe.errors import ApiError
from sandbox.stripe.objects import (
    accounts,
    balance,
    checkout_sessions,
    customers,
    disputes,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
    webhook_endpoints,
)
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
def busy_world() -> World:
    """An account in which everything that the sandbox can do has been done once."""
    world: World = build_app().state.sandbox.platform
    customer = customers.create(world, {"name": "Ada", "email": "ada@example.com", "metadata": {"a": "1"}})["id"]
    method = payment_methods.attach(world, {"customer": customer}, "pm_card_visa")["id"]
    for card in ("pm_card_visa", "pm_card_createDispute", "pm_card_refundFail", "pm_card_pendingRefund"):
        other = payment_methods.attach(world, {"customer": customer}, card)["id"]
        intent = _charge(world, customer, other)
        world.clock.run_due()
        if card != "pm_card_createDispute":
            refunds.create(world, {"payment_intent": intent["id"], "amount": 500})
    _decline_and_authenticate(world, customer, method)
    inquiry = disputes.open_dispute(
        world, world.charges.get(_charge(world, customer, method)["latest_charge"]), DisputeScript(is_inquiry=True)
    )
    disputes.escalate(world, inquiry)
    disputes.update(world, {"evidence": {"uncategorized_text": "winning_evidence"}}, inquiry["id"])
    setup_intents.create(world, {"customer": customer, "payment_method": "pm_card_visa", "confirm": True})
    checkout_sessions.create(world, {"mode": "setup", "success_url": "https://example.com"})
    item = {"price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Plan"}}}
    checkout_sessions.create(world, {"mode": "payment", "line_items": [item], "success_url": "https://example.com"})
    webhook_endpoints.create(world, {"url": "https://example.com/hook", "enabled_events": ["payout.paid"]})
    accounts.onboard(world, accounts.create(world, {"email": "shop@example.com"}))
    world.clock.advance(10)
    return world


def _charge(world: World, customer: str, method: str) -> dict[str, Any]:
    terms = {"amount": 2000, "currency": "usd", "customer": customer, "payment_method": method, "confirm": True}
    return payment_intents.create(world, terms)


def _decline_and_authenticate(world: World, customer: str, method: str) -> None:
    outcomes = (
        CardOutcome(answer=Answer.DECLINE, advice_code="do_not_try_again", network_decline_code="51"),
        CardOutcome(answer=Answer.AUTHENTICATE),
        CardOutcome(answer=Answer.PROCESS, then=Answer.DECLINE),
    )
    world.script(method, CardScript(outcomes=outcomes))
    with pytest.raises(ApiError):
        _charge(world, customer, method)
    _charge(world, customer, method)
    _charge(world, customer, method)


@pytest.mark.parametrize("noun", RESOURCES)
def test_every_object_conforms_to_the_sdk(busy_world: World, noun: str) -> None:
    rows = list(busy_world.table(noun))

    found = [line for row in rows for line in violations(RESOURCES[noun], row)]

    assert rows
    assert found == []


def test_the_balance_conforms_to_the_sdk(busy_world: World) -> None:
    answer = balance.retrieve_balance(busy_world, {})

    assert violations(stripe.Balance, answer) == []


def test_events_conform_to_the_sdk_and_have_types_that_it_knows(busy_world: World) -> None:
    known = stripe.Event.__annotations__["type"].__args__

    found = [line for event in busy_world.events for line in violations(stripe.Event, event) if ".data" not in line]

    assert found == []
    assert {event["type"] for event in busy_world.events} <= set(known)


def test_a_missing_field_is_found(busy_world: World) -> None:
    charge = next(iter(busy_world.charges))
    without_amount = {name: value for name, value in charge.items() if name != "amount"}

    assert violations(stripe.Charge, without_amount) == ["Charge.amount is missing"]


def test_an_ill_typed_field_is_found(busy_world: World) -> None:
    charge = next(iter(busy_world.charges)) | {"amount": "2000"}

    assert violations(stripe.Charge, charge) == ["Charge.amount is '2000', not <class 'int'>"]
