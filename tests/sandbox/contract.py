"""What the contract tests share: they say what Stripe does, so they can be held against Stripe itself."""

import os
from dataclasses import dataclass

from stripe import Charge, Customer, PaymentIntent, PaymentMethod, StripeClient
from stripe.params import PaymentIntentCreateParamsAutomaticPaymentMethods

TEST_MODE_KEY = os.environ.get("STRIPE_TEST_KEY")

# The same tests run against Stripe's own test mode where a key of it is given.
GATEWAYS = ("sandbox", "test_mode") if TEST_MODE_KEY else ("sandbox",)

# Cards are confirmed without an address to come back to only where no other method can send the customer away.
NO_REDIRECTS: PaymentIntentCreateParamsAutomaticPaymentMethods = {"enabled": True, "allow_redirects": "never"}


@dataclass(frozen=True)
class Payer:
    """A customer with a saved card, and how to charge them."""

    client: StripeClient
    customer: Customer
    method: PaymentMethod

    def pay(self, amount: int = 2000, *, currency: str = "usd", key: str | None = None) -> PaymentIntent:
        """Charges off session in one request, as Duly does."""
        return self.client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "customer": self.customer.id,
                "payment_method": self.method.id,
                "automatic_payment_methods": NO_REDIRECTS,
                "off_session": True,
                "confirm": True,
                "metadata": {"duly_request": "req_1", "duly_account": "acc_1"},
                "expand": ["latest_charge"],
            },
            {"idempotency_key": key},
        )


def payer(client: StripeClient, card: str = "pm_card_visa") -> Payer:
    """A new customer with the test card attached."""
    customer = client.v1.customers.create({"name": "Ada", "metadata": {"duly_account": "acc_1"}})
    return Payer(client, customer, client.v1.payment_methods.attach(card, {"customer": customer.id}))


def charge_of(intent: PaymentIntent) -> Charge:
    """The expanded charge of a payment."""
    assert isinstance(intent.latest_charge, Charge)
    return intent.latest_charge
