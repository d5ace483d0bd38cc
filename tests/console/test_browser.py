"""The console in a real browser: signed in, searched, acted on; its own policy is kept, also narrow and in the dark.

DULY_SCREENSHOTS names a folder for the pictures of the documents; without it none is kept.
"""

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright, expect

from models.console.roles import ConsoleRole
from tests.browser.conftest import CHROMIUM
from tests.console.conftest import PASSWORD
from tests.operations.lists.conftest import busy  # noqa: F401  # the fixture
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.app import build_app
from web.assets import own_assets
from web.context import Web

AXE = Path(__file__).parent / "vendored" / "axe.min.js"
WIDE, NARROW = 1280, 360
REPORT = "/reports/revenue-by-product"
_VIOLATED = "document.addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"
_SERIOUS = """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})).violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => one.id + ' ' + one.nodes.map(node => node.target.join(' ')).join(', '))"""


@dataclass
class Person:
    """Somebody in front of the console, and what went wrong on their pages."""

    page: Page
    url: str
    problems: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Open a page, with the parts that come after it."""
        await self.page.goto(self.url + path, wait_until="networkidle")

    async def judge(self, *paths: str) -> None:
        """Note what is serious for whoever does not see or point, and what does not fit the screen."""
        source = AXE.read_text(encoding="utf-8")
        for path in paths:
            await self.open(path)
            await self.page.evaluate(source)
            self.problems += [f"{path}: {one}" for one in await self.page.evaluate(_SERIOUS)]
            wider = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            self.problems += [f"{path}: {wider} pixels too wide"] if wider > 0 else []

    async def picture(self, name: str, *, full: bool = False) -> None:
        """Keep a picture of the page."""
        if folder := os.environ.get("DULY_SCREENSHOTS"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=full)


@pytest.fixture
async def address(web: Web, cli: CommandLine) -> AsyncIterator[str]:
    """The console, served on a free port."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    # A name: passkeys are never of a number.
    url = f"http://localhost:{listening.getsockname()[1]}"
    temporal = cli.environment["DULY_TEMPORAL_ADDRESS"]
    settings = web.settings.model_copy(update={"console_url": url, "temporal_address": temporal})
    ours = replace(web, settings=settings)
    server = uvicorn.Server(uvicorn.Config(build_app(ours, own_assets()), log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield url
    server.should_exit = True
    await serving


@asynccontextmanager
async def person_at(address: str) -> AsyncIterator[Person]:
    """Give somebody a browser that remembers nothing, and note what its pages break of their policy, or fail at."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        page = await browser.new_page(viewport={"width": WIDE, "height": 800}, color_scheme="light")
        found = Person(page, address)
        await page.add_init_script(_VIOLATED)

        def note(message: Any) -> None:
            if "policy" in message.text.lower():
                found.problems.append(f"{page.url}: {message.text}")

        page.on("console", note)
        page.on("pageerror", lambda error: found.problems.append(f"{page.url}: {error}"))
        yield found
        await browser.close()


@pytest.fixture
async def person(address: str) -> AsyncIterator[Person]:
    """Somebody in front of the console."""
    async with person_at(address) as found:
        yield found


async def finds_and_opens(page: Page, period: str) -> None:
    """Sign in, find a customer by a part of his name, and open his collection."""
    await page.get_by_label("Name or e-mail").fill("maria")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("mull")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Jürgen Müller")).to_be_visible()
    await expect(page.get_by_text("declined (insufficient_funds)")).to_be_visible()
    collection = page.get_by_role("link", name=period, exact=True).first
    where = await collection.get_attribute("href")
    await collection.click()
    # The customer's page has the same actions: what is clicked too soon is left with it.
    await page.wait_for_url(f"**{where}")


async def says_that_it_was_paid_outside(page: Page) -> None:
    """Fill in the form, and wait until the collection is over."""
    await page.get_by_role("link", name="Paid outside").click()
    await page.get_by_label("Reference").fill("statement 11, line 4")
    await page.get_by_label("Why").fill("on our account since Monday")
    await page.get_by_role("button", name="Paid outside").click()
    await expect(page.get_by_role("heading", name="Paid outside: done")).to_be_visible()
    await page.get_by_role("link", name=re.compile("^To acc_")).click()
    async with asyncio.timeout(30):
        while not await page.get_by_text("settled", exact=True).count():
            _ = await page.reload()


async def goes_to_a_transaction_by_keys(page: Page) -> None:
    """Open the newest transaction without a mouse."""
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await expect(page.get_by_role("heading", name="Transactions")).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Double entry")).to_be_visible()


async def adds_a_passkey_and_signs_in_by_it(person: Person) -> None:
    """Register a device, which the browser's own tools stand for, sign out, and come back without a password."""
    page = person.page
    tools = await page.context.new_cdp_session(page)
    await tools.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**device, "isUserVerified": True, "automaticPresenceSimulation": True}
    await tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    await person.open("/passkeys")
    for name in ("laptop", "laptop again"):
        await page.get_by_label("Name of the device").fill(name)
        await page.get_by_role("button", name="Add").click()
        if name == "laptop":
            await expect(page.get_by_role("cell", name="laptop", exact=True)).to_be_visible()
    await expect(page.get_by_text("has a passkey of yours already")).to_be_visible()
    await page.locator("details.menu summary").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()


@pytest.mark.browser
async def test_a_person_signs_in_finds_an_account_acts_and_meets_nothing_serious(
    acting: None,
    person: Person,
    web: Web,
    busy: list[str],  # noqa: F811
    merchant: Merchant,
    period: str,
) -> None:
    # given a user, and a customer with a name
    await web.users.add("maria", ConsoleRole.ACCOUNTANT, PASSWORD)
    await merchant.run("update duly.accounts set owner_name = 'Jürgen Müller' where id = :id", id=busy[2])
    page = person.page

    # when she finds him by a part of his name, says that he paid outside, and goes on by keys
    await person.judge("/sign-in")
    await finds_and_opens(page, period)
    await says_that_it_was_paid_outside(page)
    await goes_to_a_transaction_by_keys(page)
    await adds_a_passkey_and_signs_in_by_it(person)

    # then no page has anything serious: wide and light, or narrow and dark
    pages = (
        *("/", "/passkeys", "/transactions", "/discrepancies?state=open", f"/accounts/{busy[0]}"),
        f"/collections/{busy[0]}/{period}",
        f"/do/collections/give-up/{busy[0]}/{period}",
        *("/reports", REPORT, "/reports/own"),
    )
    await person.judge(*pages)
    for path, name in (("/", "console-home"), (f"/accounts/{busy[0]}", "console-account"), (REPORT, "console-report")):
        await person.open(path)
        await person.picture(name)
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": NARROW, "height": 740})
    await person.judge(*pages)
    await person.open(f"/accounts/{busy[0]}")
    await person.picture("console-narrow")
    assert person.problems == []
