"""A saved card at the gateway, and the charges that tests ask for."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import stripe

from models.gateway.charges import Charge
from sandbox.stripe.control.client import CardOutcome, SandboxControl
from tests.sandbox.openapi.recorder import Recorder, answer_differences, request_differences


@dataclass(frozen=True)
class Cardholder:
    """A customer at the gateway with one saved card."""

    customer: str
    token: str

    def charge(self, attempt: int = 1, *, amount_minor: int = 2500, currency: str = "EUR") -> Charge:
        """The charge of one attempt: its key is its name."""
        return Charge(
            idempotency_key=f"test:req_1:{attempt}",
            request_id="req_1",
            account_id="acc_1",
            payment_id="ft_1",
            amount_minor=amount_minor,
            currency=currency,
            customer=self.customer,
            token=self.token,
        )


@dataclass(frozen=True)
class Cards:
    """Saves cards at the sandbox."""

    stripe: stripe.StripeClient
    sandbox: SandboxControl

    async def save(self, test_card: str = "pm_card_visa", *answers: CardOutcome) -> Cardholder:
        """Save a test card with a customer of its own; `answers` are what its issuer says next."""
        customer = await self.stripe.v1.customers.create_async({})
        card = await self.stripe.v1.payment_methods.attach_async(test_card, {"customer": customer.id})
        if answers:
            self.sandbox.script_card(card.id, *answers)
        return Cardholder(customer.id, card.id)


@pytest.fixture(autouse=True)
def fits_the_openapi(stripe_recorder: Recorder) -> Iterator[None]:
    """Every request that was accepted, and every answer, is held against Stripe's OpenAPI when the test is over."""
    stripe_recorder.take()
    stripe_recorder.is_on = True
    yield
    stripe_recorder.is_on = False
    taken = stripe_recorder.take()
    found = [line for exchange in taken for line in (*answer_differences(exchange), *request_differences(exchange))]
    assert sorted(set(found)) == []


@pytest.fixture
def cards(stripe_client: stripe.StripeClient, stripe_sandbox: SandboxControl) -> Cards:
    """Where customers' cards come from."""
    return Cards(stripe_client, stripe_sandbox)


@pytest.fixture
def unused_address() -> str:
    """The address of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"http://127.0.0.1:{port}"
