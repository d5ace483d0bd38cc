"""What tests of the hosted pages share."""

import httpx
from stripe import StripeClient
from stripe.checkout import Session

BACK = "https://example.com/back"
SUCCESS = "https://example.com/done?session={CHECKOUT_SESSION_ID}"


def setup_session(client: StripeClient) -> Session:
    customer = client.v1.customers.create({"name": "Ada"})
    return client.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "allowed_payment_method_types": ["card"],
            "customer": customer.id,
            "success_url": SUCCESS,
            "metadata": {"duly_card": "card_1"},
        }
    )


def payment_session(client: StripeClient) -> Session:
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": SUCCESS,
            "cancel_url": "https://example.com/no",
            "line_items": [
                {
                    "quantity": 2,
                    "price_data": {"currency": "eur", "unit_amount": 950, "product_data": {"name": "Plan"}},
                }
            ],
            "payment_intent_data": {"metadata": {"duly_request": "req_9"}},
        }
    )


def page_of(session: Session) -> str:
    assert session.url is not None
    return session.url


def choose(browser: httpx.Client, url: str, card: str) -> httpx.Response:
    return browser.post(url, data={"card": card})
