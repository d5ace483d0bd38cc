"""The hosted pages: plain forms that a customer without JavaScript can use."""

import re
import shutil
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright
from stripe import InvalidRequestError, StripeClient
from stripe.checkout import Session

from sandbox.stripe.control import Answer, CardOutcome, SandboxControl
from tests.sandbox.contract import payer

BACK = "https://example.com/back"
SUCCESS = "https://example.com/done?session={CHECKOUT_SESSION_ID}"


@pytest.fixture
def browser(stripe_sandbox: SandboxControl) -> Iterator[httpx.Client]:
    """Follows no redirect by itself, so that a test sees where it is sent."""
    with httpx.Client(base_url=stripe_sandbox.base_url, trust_env=False) as browser:
        yield browser


def setup_session(client: StripeClient) -> Session:
    customer = client.v1.customers.create({"name": "Ada"})
    return client.v1.checkout.sessions.create(
        {"mode": "setup", "customer": customer.id, "success_url": SUCCESS, "metadata": {"duly_card": "card_1"}}
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


def test_a_declined_card_is_shown_and_another_may_be_tried(stripe_sdk: StripeClient, browser: httpx.Client) -> None:
    session = setup_session(stripe_sdk)

    declined = choose(browser, page_of(session), "pm_card_visa_chargeDeclined")
    accepted = choose(browser, page_of(session), "pm_card_visa")

    assert declined.status_code == 402
    assert "Your card was declined." in declined.text
    assert accepted.status_code == 303
    assert stripe_sdk.v1.checkout.sessions.retrieve(session.id).status == "complete"


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
    (book,) = stripe_sandbox.books(metadata={"duly_request": "req_9"}).books
    assert book.charges.amount_minor == 1900


def test_two_tries_on_the_page_pay_once(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, browser: httpx.Client
) -> None:
    session = payment_session(stripe_sdk)
    url = page_of(session)
    choose(browser, url, "pm_card_chargeCustomerFail")
    choose(browser, url, "pm_card_visa")

    again = choose(browser, url, "pm_card_visa")

    assert (again.status_code, "The session is complete." in again.text) == (410, True)
    assert [total.charges.count for total in stripe_sandbox.books().totals] == [1]


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
            "off_session": True,
        }
    )

    assert payment.status == "succeeded"


def test_no_page_has_a_field_for_a_card_number(stripe_sdk: StripeClient, browser: httpx.Client) -> None:
    text = browser.get(page_of(payment_session(stripe_sdk))).text

    assert set(re.findall(r'<input type="(\w+)" name="(\w+)"', text)) == {("radio", "card")}
    assert "<script" not in text


def test_a_page_that_does_not_exist_says_so(browser: httpx.Client) -> None:
    missing = browser.get("/pages/checkout/cs_test_nothing")

    assert (missing.status_code, "No such checkout.session" in missing.text) == (404, True)


@pytest.fixture
def chromium() -> Iterator[Page]:
    """A real browser without JavaScript."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser.new_context(java_script_enabled=False).new_page()
        browser.close()


@pytest.mark.browser
def test_a_real_browser_registers_a_card_after_a_rejected_one_and_a_challenge(
    stripe_sdk: StripeClient, stripe_sandbox: SandboxControl, chromium: Page
) -> None:
    customer = stripe_sdk.v1.customers.create({"name": "Ada"})
    done = f"{stripe_sandbox.base_url}/pages/checkout/none"
    session = stripe_sdk.v1.checkout.sessions.create({"mode": "setup", "customer": customer.id, "success_url": done})
    chromium.goto(page_of(session))

    chromium.locator('input[value="pm_card_visa_chargeDeclined"]').check()
    chromium.get_by_role("button", name="Save").click()
    rejected = chromium.get_by_role("alert").inner_text()
    chromium.locator('input[value="pm_card_authenticationRequired"]').check()
    chromium.get_by_role("button", name="Save").click()
    chromium.get_by_role("button", name="Yes, it is me").click()

    assert rejected == "Your card was declined."
    assert chromium.url == done
    assert stripe_sdk.v1.checkout.sessions.retrieve(session.id).status == "complete"
