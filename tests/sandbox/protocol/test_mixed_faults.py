"""A client that keeps to Stripe's rules charges once, whatever goes wrong on the way."""

import pytest
import stripe
from stripe import PaymentIntent

from sandbox.stripe.control.client import SandboxControl
from tests.sandbox.contract import NO_REDIRECTS, Payer, payer

PAYMENTS = 40
TRIES_MAX = 60


def charge_for_certain(customer: Payer, request: str, attempt: int = 1) -> PaymentIntent:
    """Repeats the same key until there is an answer.

    A replayed 500 is none, so the payment is looked up; if there is none, a new attempt with a new key may be made.
    """
    for _ in range(TRIES_MAX):
        try:
            return pay(customer, request, attempt)
        except stripe.APIError as failed:
            if "idempotent-replayed" in (failed.headers or {}):
                return find(customer, request) or charge_for_certain(customer, request, attempt + 1)
        except stripe.StripeError:
            continue
    raise AssertionError(f"no answer after {TRIES_MAX} tries")


def pay(customer: Payer, request: str, attempt: int) -> PaymentIntent:
    return customer.client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.customer.id,
            "payment_method": customer.method.id,
            "off_session": True,
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
            "metadata": {"duly_request": request},
        },
        {"idempotency_key": f"{request}:{attempt}"},
    )


def find(customer: Payer, request: str) -> PaymentIntent | None:
    """Looks the payment up by customer and our metadata, until the list is told."""
    for _ in range(TRIES_MAX):
        try:
            listed = customer.client.v1.payment_intents.list({"customer": customer.customer.id, "limit": 100})
        except stripe.StripeError:
            continue
        return next((each for each in listed.data if each.metadata["duly_request"] == request), None)
    raise AssertionError(f"no list after {TRIES_MAX} tries")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_client_that_keeps_to_the_rules_charges_once_whatever_goes_wrong(
    stripe_sdk: stripe.StripeClient, stripe_sandbox: SandboxControl, seed: int
) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.mixed_faults(0.5, seed=seed, delay_seconds=0.01)

    payments = {f"req_{number}": charge_for_certain(customer, f"req_{number}") for number in range(PAYMENTS)}

    groups = stripe_sandbox.movements(group_by=("duly_request",)).groups
    assert {moved.metadata["duly_request"]: moved.payment_intent_ids for moved in groups} == {
        request: (payment.id,) for request, payment in payments.items()
    }
    assert {payment.status for payment in payments.values()} == {"succeeded"}
    assert sum(stripe_sandbox.faults_injected().values()) > PAYMENTS / 4
