"""A card's holder follows our link in a real browser: accepted, rejected, or asked by their bank."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from models.cards.card import CardState, ValidationOutcome
from sandbox.stripe.control.client import SandboxControl
from sandbox.stripe.control.messages import WebhookEndpoint
from settings import Settings
from tests.browser.conftest import CHROMIUM
from tests.cards.test_registration import until_state
from tests.fixtures.cards import CardClient
from tests.fixtures.stripe import WEBHOOK_SECRET
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app

pytestmark = pytest.mark.browser


@pytest.fixture
def listener() -> socket.socket:
    """A free port of this machine, taken already."""
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def settings(settings: Settings, listener: socket.socket) -> Settings:
    """Settings of workers whose customers are led to the receiver of this test."""
    return settings.model_copy(update={"public_url": f"http://127.0.0.1:{listener.getsockname()[1]}"})


@pytest.fixture
async def our_site(
    database: Database,
    duly: RunningDuly,
    settings: Settings,
    listener: socket.socket,
    stripe_sandbox: SandboxControl,
    gateway: StripeGateway,
) -> AsyncIterator[str]:
    """Duly's own web process: links of customers come in there, and the gateway's events."""
    app = build_app(Webhook(EventInbox(database, "stripe"), duly.client, (WEBHOOK_SECRET,), ReceiverClock(gateway)))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve([listener]))
    stripe_sandbox.add_webhook_endpoint(WebhookEndpoint(url=f"{settings.public_url}/webhooks/stripe"))
    yield settings.public_url
    stripe_sandbox.clear_webhook_endpoints()
    server.should_exit = True
    await serving


@pytest.fixture
async def browser() -> AsyncIterator[Page]:
    """A customer's browser."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield await chromium.new_page()
        await chromium.close()


async def link_of(merchant: Merchant, site: str, card: str) -> str:
    token = await merchant.value("select link_token from duly.cards where id = :id", id=card)
    return f"{site}/cards/{token}"


async def choose(page: Page, test_card: str) -> None:
    await page.locator(f'input[value="{test_card}"]').check()
    await page.get_by_role("button", name="Save").click()


@pytest.mark.nightly
async def test_a_customer_saves_a_card_after_one_that_was_rejected(
    merchant: Merchant, card_client: CardClient, our_site: str, browser: Page
) -> None:
    account = await merchant.account(cards=[])
    card, first = await card_client.page(account)

    await browser.goto(await link_of(merchant, our_site, card))
    await choose(browser, "pm_card_visa_chargeDeclined")
    rejected = await browser.get_by_role("alert").inner_text()
    await choose(browser, "pm_card_visa")
    await browser.get_by_text("Your card is being checked.").wait_for()

    assert first.outcome is ValidationOutcome.ACTION_REQUIRED
    assert rejected == "Your card was declined."
    assert await until_state(card_client, card, CardState.ACTIVE) == (CardState.ACTIVE, "")
    assert await merchant.value("select (duly.chargeable_card(:id, 'stripe')).id", id=account) == card


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(("button", "state"), [("Yes, it is me", CardState.ACTIVE), ("No", CardState.REJECTED)])
async def test_a_bank_asks_the_cards_holder_and_takes_their_word(
    merchant: Merchant, card_client: CardClient, our_site: str, browser: Page, button: str, state: CardState
) -> None:
    account = await merchant.account(cards=[])
    card, _ = await card_client.save(account, "pm_card_authenticationRequiredOnSetup")

    await browser.goto(await link_of(merchant, our_site, card))
    await browser.get_by_role("button", name=button, exact=True).click()
    await browser.get_by_text("Your card is being checked.").wait_for()

    assert (await until_state(card_client, card, state))[0] == state
