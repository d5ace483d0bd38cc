"""The guide of a payment product on Stripe Connect, from start to end (P1 to P19, X59 to X64), in a real browser.

A merchant is connected by its owner on Stripe's pages, its client pays a request by the link in a mail, and all of it
is seen in one place; then the merchant is disconnected and reconnected.
"""

import re

import pytest
from playwright.async_api import Page, expect

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.servers.mail import Mailbox
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.payments.examples.conftest import WHO, Agent
from tests.support.builders import API_KEY
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from worker import gateway_worker

EMAIL = "owner@cafe.example"
CLIENT = (
    *("--owner", "Ada", "--owner-email", "ada@example.com", "--currency", "EUR"),
    *("--sender-email", "agent@cafe.example", "--description", "As on Monday"),
)
PLATFORM = """
[[providers]]
id = "stripe"
mode = "test"
currencies = ["EUR"]
payment_methods = ["card"]
"""
MERCHANT = """
[[merchants]]
id = "{id}"
name = "Café Lumen"
currency = "EUR"
"""
# Its own provider, and what its clients see on the gateway's page.
CONFIGURATION = """
[[payment_methods]]
id = "card_of_cafe"
name = "Card"

[[transaction_types]]
id = "payment"
payment_methods = ["card", "card_of_cafe"]

[[providers]]
id = "{id}"
mode = "test"
merchant = "{id}"
currencies = ["EUR"]
payment_methods = ["card_of_cafe"]

[[sellers]]
id = "cafe"
merchant = "{id}"
name = "Café Lumen"
street = "Marktplatz 1"
postal_code = "50667"
city = "Köln"
country = "DE"
vat_id = "DE123456789"
color = "#336699"
"""


async def connects(agent: Agent, browser: Page, id: str) -> str:
    """Connect a merchant: its owner leaves Stripe's pages too early, and manages it then. Returns the account's id."""
    connected = await agent.cli.json("merchants", "connect", id, "--email", EMAIL, "--country", "DE", *WHO)
    await browser.goto(connected["url"])
    await expect(browser.get_by_text("Your account is being set up")).to_be_visible()
    await browser.get_by_role("button", name="Continue").click()
    await browser.get_by_role("button", name="Later").click()
    await expect(browser.get_by_text("More information is required")).to_be_visible()
    await browser.get_by_role("button", name="Manage").click()
    await browser.get_by_role("button", name="Submit everything").click()
    await expect(browser.get_by_text("Integration successful")).to_be_visible()
    return str(connected["gateway_account"])


async def pays(browser: Page, link: str) -> None:
    """Follow the link of a mail, and pay on Stripe's page, which has the merchant's name and colour."""
    await browser.goto(link)
    await expect(browser.get_by_role("heading", name="Catering in May")).to_be_visible()
    async with browser.expect_download() as offer:
        await browser.get_by_role("link", name="offer.pdf").click()
    assert (await offer.value).suggested_filename == "offer.pdf"
    await browser.get_by_role("button", name="Pay").click()
    await expect(browser.get_by_text("Café Lumen")).to_be_visible()
    await browser.locator('input[value="pm_card_visa"]').check()
    await browser.get_by_role("button", name="Pay").click()
    await expect(browser.get_by_role("heading", name="Thank you")).to_be_visible()


def asks(id: str, *words: str) -> tuple[str, ...]:
    """Ask a client of a merchant's for a payment, by a command."""
    return ("payment-requests", "create", "client-1", "--provider", id, "--title", "Catering in May", *words, *WHO)


async def paid_by_link(agent: Agent, browser: Page, mailbox: Mailbox, id: str, request: str) -> list[tuple[str, ...]]:
    """Send a request with a file, let the client pay it by the link of the mail; return to whom mail went then."""
    (agent.folder / "offer.pdf").write_bytes(b"%PDF-1.7")
    await agent.cli.json(
        *asks(id, "--amount", "180.00", "--id", request, "--attach", str(agent.folder / "offer.pdf"), *CLIENT)
    )
    [mail] = await mailbox.wait_for(1)
    await pays(browser, re.findall(r"http://\S+/pay/\S+", mail.text)[0])

    async def is_paid() -> bool:
        return bool((await agent.cli.json("payment-requests", "show", request))["state"] == "paid")

    await until(is_paid)
    return [one.recipients for one in (await mailbox.wait_for(3))[1:]]


@pytest.mark.browser
@pytest.mark.usefixtures("receiver")
async def test_a_merchant_connects_is_paid_by_a_link_and_disconnects(
    agent: Agent,
    browser: Page,
    period: str,
    mailbox: Mailbox,
    standing_duly: RunningDuly,
    database: Database,
    settings: Settings,
    stripe_sandbox: SandboxControl,
) -> None:
    # given a platform, and a merchant for whom the product is switched on, which is refused before
    id = f"cafe-{period}"
    await agent.configure(PLATFORM)
    await agent.configure(MERCHANT.format(id=id), "merchants", "apply")
    refused = [await agent.refused("merchants", "connect", id, "--email", EMAIL, "--country", "DE", *WHO)]
    await agent.cli.json("merchants", "enable", id, *WHO)
    await agent.configure(CONFIGURATION.format(id=id))
    refused.append(await agent.refused(*asks(id, "--amount", "180.00", *CLIENT)))

    # when its owner connects it, a client pays by a link, and the merchant is disconnected and connected again
    account = await connects(agent, browser, id)
    gateway = StripeGateway(API_KEY, api_base=stripe_sandbox.base_url, timeout_seconds=5, account=account)
    theirs = settings.model_copy(update={"provider": id})
    async with gateway_worker(standing_duly.client, database, gateway, theirs):
        notified = await paid_by_link(agent, browser, mailbox, id, f"may-{period}")
        [payment] = (await agent.cli.json("payments", "list", "--merchant", id, "--state", "succeeded"))["payments"]
        found = await agent.cli.json("payments", "show", payment["gateway_reference"])
        await agent.cli.json("merchants", "disconnect", id, *WHO, "--yes")
        refused.append(await agent.refused(*asks(id, "--amount", "20.00")))
        kept = await agent.cli.json("payments", "list", "--merchant", id)
        await agent.cli.json("merchants", "reconnect", id, "--account", account, "--email", EMAIL, *WHO)
        await agent.cli.json(*asks(id, "--amount", "20.00", "--id", f"june-{period}"))
    await gateway.close()

    # then each refusal said what to do, the money is on the merchant's account, and nothing of the history is lost
    for command, message in zip(("enable", "connect", "reconnect"), refused, strict=True):
        assert f"`merchants {command} {id}`" in message
    assert sorted(notified) == [("ada@example.com",), ("agent@cafe.example",)]
    assert (payment["kind"], payment["amount_minor"], found["id"]) == ("by_link", 18_000, payment["id"])
    assert kept["payments"] == [payment]
    assert stripe_sandbox.movements().totals == ()
    [total] = stripe_sandbox.movements(account=account).totals
    assert (total.charges.count, total.charges.amount_minor) == (1, 18_000)
