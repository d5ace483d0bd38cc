"""The portal in a real browser: entered by a link, an invoice paid on the gateway's page, and nothing serious anywhere.

DULY_SCREENSHOTS names a folder for the pictures of the documents; without it none is kept.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvicorn
from playwright.async_api import Page, expect

from activities.database import Database
from activities.request_tokens import PortalLinks
from tests.console.test_browser import NARROW, Person, person_at
from tests.portal.conftest import reachable
from tests.support.builders import Merchant
from web.assets import own_assets
from web.portal.app import build_portal
from web.portal.context import Portal

PAGES = ("/", "/documents", "/bills", "/payments", "/cards", "/wallet", "/subscriptions", "/details")


@pytest.fixture
async def address(portal: Portal) -> AsyncIterator[str]:
    """The portal, served on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    ours = replace(portal, settings=portal.settings.model_copy(update={"portal_url": url}))
    app = build_portal(ours, own_assets(), Counter())
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield url
    server.should_exit = True
    await serving


@pytest.fixture
async def person(address: str) -> AsyncIterator[Person]:
    """Somebody in front of the portal."""
    async with person_at(address) as found:
        yield found


async def enters(page: Page, url: str) -> None:
    """Follow the link of a letter, and press its button by the keyboard."""
    await page.goto(url)
    await page.get_by_role("button", name="Sign in").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Open invoices")).to_be_visible()


@pytest.mark.browser
async def test_a_customer_enters_pays_on_the_gateways_page_and_meets_nothing_serious(
    acting: None, workers: None, person: Person, merchant: Merchant, database: Database
) -> None:
    # given a customer with two cards who owes an invoice
    account = await reachable(merchant, await merchant.account(cards=("pm_card_visa",), owes_minor=119_000))
    await merchant.run("update duly.cards set fallback_order = 2 where account_id = :id", id=account)
    await merchant.card(account, "pm_card_mastercard", order=1)
    await merchant.subscription(account, price_minor=100)
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=account)
    bill = await merchant.value(
        "select duly.make_bill(:id, to_char(now() at time zone 'Europe/Nicosia', 'YYYY-MM'), 'maria')", id=account
    )
    page, pages = person.page, (*PAGES, f"/documents/{invoice}", f"/bills/{bill}")

    # when they enter by a link, look at each page, and pay
    await person.judge("/sign-in")
    await enters(page, f"{person.url}/enter/{await PortalLinks(database).made(account)}")
    await person.judge(*pages)
    await person.open("/")
    await person.picture("portal-overview")
    await person.open("/wallet")
    await person.picture("portal-wallet")
    await merchant.run("update duly.accounts set locale = 'de' where id = :id", id=account)
    await page.set_viewport_size({"width": NARROW, "height": 740})
    await person.judge(*pages)
    await person.open("/cards")
    await person.picture("portal-cards")
    await person.open("/wallet")
    await person.picture("portal-wallet-narrow")
    await person.open(f"/documents/{invoice}")
    await page.get_by_role("button", name="Bezahlen").click()

    # then they are on the gateway's page, and no page has anything serious or breaks its policy
    await page.wait_for_url(lambda url: not url.startswith(person.url), timeout=60_000)
    await expect(page.get_by_text("1190").or_(page.get_by_text("1,190")).first).to_be_visible()
    assert person.problems == []
