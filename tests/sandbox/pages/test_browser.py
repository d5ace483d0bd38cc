"""A real browser on the hosted pages."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright
from stripe import StripeClient

from sandbox.stripe.control.client import SandboxControl
from tests.sandbox.pages.hosted import page_of


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
    session = stripe_sdk.v1.checkout.sessions.create(
        {"mode": "setup", "allowed_payment_method_types": ["card"], "customer": customer.id, "success_url": done}
    )
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
