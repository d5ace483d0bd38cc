"""Checkout: plain forms that a customer without JavaScript can use."""

import re

import httpx
import pytest
from stripe import InvalidRequestError, StripeClient

from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl
from tests.sandbox.pages.hosted import SUCCESS, choose, page_of, payment_session, setup_session


def test_a_card_is_saved_on_the_page(stripe_sdk: StripeClient, browser: httpx.Client) -> None:
    session = setup_session(stripe_sdk)

    done = choose(browser, page_of(session), "pm_card_mastercard")
    sent_to = browser.get(done.headers["location"])

    found = stripe_sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    assert sent_to.headers["location"] == SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id)
    assert (found.status, found.payment_status, found.url) == ("complete", "no_payment_required", None)
    assert not isinstance(found.setup_intent, str | None)
    assert not isinstance(found.setup_intent.payment_method, str | None)
    assert found.setup_intent.payment_method.customer == session.customer
    assert stripe_sdk.v1.events.list({"limit": 1}).data[0].type == "checkout.session.completed"


def test_a_page_that_saves_a_card_takes_no_terms_of_a_payment(stripe_sdk: StripeClient) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        stripe_sdk.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "allowed_payment_method_types": ["card"],
                "success_url": SUCCESS,
                "payment_intent_data": {"setup_future_usage": "off_session"},
            }
        )

    assert refused.value.param == "payment_intent_data"


def test_a_declined_card_is_shown_and_another_may_be_tried(stripe_sdk: StripeClient, browser: httpx.Client) -> None:
    session = setup_session(stripe_sdk)

    declined = choose(browser, page_of(session), "pm_card_visa_chargeDeclined")
    accepted = choose(browser, page_of(session), "pm_card_visa")

    assert declined.status_code == 402
    assert "Your card was declined." in declined.text
    assert accepted.status_code == 303
    assert stripe_sdk.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_payment_is_taken_on_the_page(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, browser: httpx.Client
) -> None:
    session = payment_session(stripe_sdk)
    assert (session.amount_total, session.currency, session.payment_status) == (1900, "eur", "unpaid")
    assert "Pay 19.00 eur" in browser.get(page_of(session)).text

    choose(browser, page_of(session), "pm_card_visa")

    found = stripe_sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent", "line_items"]})
    assert (found.status, found.payment_status) == ("complete", "paid")
    assert not isinstance(found.payment_intent, str | None)
    assert found.payment_intent.amount_received == 1900
    assert found.line_items is not None
    assert [item.description for item in found.line_items] == ["Plan"]
    (moved,) = stripe_sandbox.movements(metadata={"duly_request": "req_9"}).groups
    assert moved.charges.amount_minor == 1900


@pytest.mark.parametrize(
    ("then", "status", "event"),
    [
        (Answer.SUCCEED, "paid", "checkout.session.async_payment_succeeded"),
        (Answer.DECLINE, "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_a_slow_payment_on_the_page_is_decided_later(
    stripe_sdk: StripeClient,
    stripe_sandbox: SandboxControl,
    browser: httpx.Client,
    then: Answer,
    status: str,
    event: str,
) -> None:
    session = payment_session(stripe_sdk)
    slow = CardOutcome(answer=Answer.PROCESS, then=then, after_seconds=3600)
    stripe_sandbox.script_card("pm_card_visa", slow)
    choose(browser, page_of(session), "pm_card_visa")
    waiting = stripe_sdk.v1.checkout.sessions.retrieve(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")

    stripe_sandbox.advance(3600)

    assert stripe_sdk.v1.checkout.sessions.retrieve(session.id).payment_status == status
    assert stripe_sdk.v1.events.list({"limit": 1}).data[0].type == event


def test_two_tries_on_the_page_pay_once(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, browser: httpx.Client
) -> None:
    session = payment_session(stripe_sdk)
    url = page_of(session)
    choose(browser, url, "pm_card_chargeCustomerFail")
    choose(browser, url, "pm_card_visa")

    again = choose(browser, url, "pm_card_visa")

    assert (again.status_code, "The session is complete." in again.text) == (410, True)
    assert [total.charges.count for total in stripe_sandbox.movements().totals] == [1]


def test_a_session_closes_after_its_time(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, browser: httpx.Client
) -> None:
    session = setup_session(stripe_sdk)

    stripe_sandbox.advance(24 * 3600 + 1)

    assert choose(browser, page_of(session), "pm_card_visa").status_code == 410
    assert stripe_sdk.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert stripe_sdk.v1.events.list({"limit": 1}).data[0].type == "checkout.session.expired"


def test_an_open_session_is_expired_by_command_once(stripe_sdk: StripeClient) -> None:
    session = setup_session(stripe_sdk)

    assert stripe_sdk.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(InvalidRequestError, match="Only open Checkout Sessions"):
        stripe_sdk.v1.checkout.sessions.expire(session.id)


def test_sessions_are_listed_by_customer_and_status(stripe_sdk: StripeClient) -> None:
    session = setup_session(stripe_sdk)
    setup_session(stripe_sdk)
    assert isinstance(session.customer, str)

    mine = stripe_sdk.v1.checkout.sessions.list({"customer": session.customer, "status": "open"})

    assert [each.id for each in mine] == [session.id]


def test_no_page_has_a_field_for_a_card_number(stripe_sdk: StripeClient, browser: httpx.Client) -> None:
    text = browser.get(page_of(payment_session(stripe_sdk))).text

    assert set(re.findall(r'<input type="(\w+)" name="(\w+)"', text)) == {("radio", "card")}
    assert "<script" not in text


def test_a_page_that_does_not_exist_says_so(browser: httpx.Client) -> None:
    missing = browser.get("/pages/checkout/cs_test_nothing")

    assert (missing.status_code, "No such checkout.session" in missing.text) == (404, True)
