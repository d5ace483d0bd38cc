"""Saving and checking a card without a charge."""

import pytest
from stripe import CardError, InvalidRequestError, StripeClient

from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl
from tests.sandbox.contract import NO_REDIRECTS, payer


def test_a_good_card_is_accepted_and_belongs_to_the_customer(gateway_sdk: StripeClient) -> None:
    customer = gateway_sdk.v1.customers.create({"name": "Ada"})

    setup = gateway_sdk.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "usage": "off_session",
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
            "expand": ["payment_method"],
        }
    )

    assert setup.status == "succeeded"
    assert not isinstance(setup.payment_method, str | None)
    assert setup.payment_method.customer == customer.id


def test_a_bad_card_is_rejected_with_the_reason(gateway_sdk: StripeClient) -> None:
    customer = gateway_sdk.v1.customers.create({"name": "Ada"})

    with pytest.raises(CardError) as rejected:
        gateway_sdk.v1.setup_intents.create(
            {
                "customer": customer.id,
                "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
                "confirm": True,
                "automatic_payment_methods": NO_REDIRECTS,
            }
        )

    error = rejected.value.error
    assert error is not None
    assert error.setup_intent is not None
    setup = gateway_sdk.v1.setup_intents.retrieve(error.setup_intent.id)
    assert setup.status == "requires_payment_method"
    assert setup.last_setup_error is not None
    assert setup.last_setup_error.decline_code == "insufficient_funds"


def test_a_card_that_wants_authentication_waits_for_its_holder(gateway_sdk: StripeClient) -> None:
    customer = gateway_sdk.v1.customers.create({"name": "Ada"})

    setup = gateway_sdk.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
            "return_url": "https://example.com/back",
        }
    )

    assert setup.status == "requires_action"
    assert setup.next_action is not None
    assert setup.next_action.redirect_to_url is not None


def test_a_setup_is_canceled_once(gateway_sdk: StripeClient) -> None:
    setup = gateway_sdk.v1.setup_intents.create({"usage": "off_session"})

    canceled = gateway_sdk.v1.setup_intents.cancel(setup.id, {"cancellation_reason": "abandoned"})
    with pytest.raises(InvalidRequestError) as again:
        gateway_sdk.v1.setup_intents.cancel(setup.id)

    assert canceled.status == "canceled"
    assert again.value.code == "setup_intent_unexpected_state"


def test_a_slow_check_is_processing_before_it_is_decided(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl
) -> None:
    customer = payer(stripe_sdk)
    slow = CardOutcome(answer=Answer.PROCESS, then=Answer.SUCCEED, after_seconds=60)
    stripe_sandbox.script_card(customer.method.id, slow)
    setup = stripe_sdk.v1.setup_intents.create(
        {
            "customer": customer.customer.id,
            "payment_method": customer.method.id,
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
        }
    )
    assert setup.status == "processing"

    stripe_sandbox.advance(60)

    assert stripe_sdk.v1.setup_intents.retrieve(setup.id).status == "succeeded"


def test_a_mandate_can_be_revoked(stripe_sdk: StripeClient, stripe_sandbox: SandboxControl) -> None:
    customer = payer(stripe_sdk)
    setup = stripe_sdk.v1.setup_intents.create(
        {
            "customer": customer.customer.id,
            "payment_method": customer.method.id,
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
        }
    )
    assert isinstance(setup.mandate, str)

    stripe_sandbox.revoke_mandate(setup.mandate)

    assert stripe_sdk.v1.mandates.retrieve(setup.mandate).status == "inactive"
    assert stripe_sdk.v1.events.list({"limit": 1}).data[0].type == "mandate.updated"


def test_set_ups_are_listed_by_customer(gateway_sdk: StripeClient) -> None:
    customer = payer(gateway_sdk)
    mine = gateway_sdk.v1.setup_intents.create({"customer": customer.customer.id})
    gateway_sdk.v1.setup_intents.create({})

    listed = gateway_sdk.v1.setup_intents.list({"customer": customer.customer.id})

    assert [setup.id for setup in listed] == [mine.id]
