"""The bank asks for the cardholder, and what follows."""

import httpx
import pytest
from stripe import CardError, StripeClient

from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl
from tests.sandbox.contract import NO_REDIRECTS, payer
from tests.sandbox.pages.hosted import BACK, choose, page_of, setup_session


@pytest.mark.parametrize(("result", "status"), [("pass", "complete"), ("fail", "open")])
def test_the_bank_asks_for_the_cardholder(
    stripe_sdk: StripeClient, browser: httpx.Client, result: str, status: str
) -> None:
    session = setup_session(stripe_sdk)
    challenge = choose(browser, page_of(session), "pm_card_authenticationRequired").headers["location"]
    assert "Is it you?" in browser.get(challenge).text

    back = browser.post(challenge, data={"result": result})
    browser.get(back.headers["location"])

    assert stripe_sdk.v1.checkout.sessions.retrieve(session.id).status == status


def test_a_payment_refused_off_session_is_finished_by_the_customer(
    stripe_sdk: StripeClient, browser: httpx.Client
) -> None:
    customer = payer(stripe_sdk, "pm_card_authenticationRequired")
    with pytest.raises(CardError) as refused:
        customer.pay()
    assert refused.value.error is not None
    assert refused.value.error.payment_intent is not None
    id = refused.value.error.payment_intent.id

    asked = stripe_sdk.v1.payment_intents.confirm(id, {"payment_method": customer.method.id, "return_url": BACK})
    assert asked.next_action is not None
    assert asked.next_action.redirect_to_url is not None
    browser.post(asked.next_action.redirect_to_url.url or "", data={"result": "pass"})

    assert stripe_sdk.v1.payment_intents.retrieve(id).status == "succeeded"


def test_an_off_session_payment_that_wants_the_customer_is_finished_on_the_bank_s_page(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, browser: httpx.Client
) -> None:
    customer = payer(stripe_sdk)
    stripe_sandbox.script_card(customer.method.id, CardOutcome(answer=Answer.AUTHENTICATE))
    payment = stripe_sdk.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.customer.id,
            "payment_method": customer.method.id,
            "confirm": True,
            "return_url": f"{BACK}?of=ada",
        }
    )
    assert payment.next_action is not None
    assert payment.next_action.redirect_to_url is not None
    assert payment.next_action.redirect_to_url.url is not None

    sent = browser.post(payment.next_action.redirect_to_url.url, data={"result": "pass"})

    assert sent.headers["location"] == f"{BACK}?of=ada&payment_intent={payment.id}&redirect_status=succeeded"
    assert stripe_sdk.v1.payment_intents.retrieve(payment.id).status == "succeeded"


def test_a_card_authenticated_when_it_was_saved_is_charged_off_session_later(
    stripe_sdk: StripeClient, browser: httpx.Client
) -> None:
    session = setup_session(stripe_sdk)
    challenge = choose(browser, page_of(session), "pm_card_authenticationRequiredOnSetup").headers["location"]
    browser.post(challenge, data={"result": "pass"})
    assert isinstance(session.customer, str)
    (method,) = stripe_sdk.v1.payment_methods.list({"customer": session.customer}).data

    payment = stripe_sdk.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": session.customer,
            "payment_method": method.id,
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
            "off_session": True,
        }
    )

    assert payment.status == "succeeded"
