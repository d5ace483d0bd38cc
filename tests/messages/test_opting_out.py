"""Out of mail that neither law nor contract requires, by the link of the letter itself, and back in."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from sandbox.servers.mail import CaughtMessage, Mailbox
from settings import Settings
from tests.messages.conftest import MessagesTo
from tests.messages.mail_server import faulty_mail_server, outbox
from tests.messages.recipients import SENDER, person
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.assets import own_assets
from web.portal.app import build_portal
from web.portal.context import Portal
from web.portal.words import PortalPages

PORTAL = "https://account.a-shop-with-a-rather-long-name.example"
OURS = {"sec-fetch-site": "same-origin"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
TEMPLATES = """
[[message_templates]]
id = "offer"
name = "An offer"
about = "accounts"
[message_templates.texts.en]
subject = "An offer"
text = "Hello #{name}, a second one costs half."
[message_templates.texts.de]
subject = "Ein Angebot"
text = "Guten Tag #{name}, die zweite kostet die Hälfte."

[[message_templates]]
id = "terms"
name = "New terms"
about = "accounts"
is_required = true
texts.en = { subject = "New terms", text = "From January on our terms are new." }

[[segments]]
id = "everybody"
name = "Everybody"
about = "accounts"
"""


@pytest.fixture
async def written_to(merchant: Merchant) -> None:
    """Ada and Bernd, who are written to."""
    await person(merchant, "acc_ada")
    await person(merchant, "acc_bernd", name="Bernd", email="bernd@example.com", locale="de")
    await merchant.configure(TEMPLATES)


@pytest.fixture
async def browser(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser, or the program of a mailbox, without a session."""
    portal = Portal(settings.model_copy(update={"portal_url": PORTAL}), database, database, PortalPages(own_assets()))
    transport = httpx.ASGITransport(app=build_portal(portal, own_assets(), Counter()))
    async with httpx.AsyncClient(transport=transport, base_url=PORTAL) as client:
        yield client


class Campaign:
    """Letters to everybody, handed to a real mail server."""

    def __init__(self, database: Database, messages_to: MessagesTo, mailbox: Mailbox, tasks: ActivityEnvironment):
        self._database, self._mailbox, self._tasks = database, mailbox, tasks
        self._messages_to = messages_to

    async def write(self, id: str, template: str = "offer") -> dict[str, int]:
        """Write a letter to everybody; return who is left out."""
        words: dict[str, Any] = {"segment_id": "everybody", "transactions": [], "from": None, "to": None}
        given: dict[str, Any] = {"id": id, "template_id": template, "actor": "maria", "reason": "autumn", **words}
        left_out: dict[str, int] = (await self._database.call("communicate", **given, asked={}))["left_out"]
        return left_out

    async def send(self, url: str = "") -> None:
        """Send what is in the outbox, to another mail server perhaps."""
        messages = self._messages_to(url or self._mailbox.url, replace(SENDER, portal_url=PORTAL))
        await self._tasks.run(messages.send_page, "")

    def to(self, address: str = "ada@example.com") -> CaughtMessage:
        """Return the newest letter to an address."""
        return self._mailbox.to(address)[-1]

    def link(self, address: str = "ada@example.com") -> str:
        """Return the link of the newest letter to an address."""
        return str(self.to(address).parsed["List-Unsubscribe"]).strip("<>")


@pytest.fixture
async def campaign(
    written_to: None,
    database: Database,
    messages_to: MessagesTo,
    mailbox: Mailbox,
    activity_environment: ActivityEnvironment,
) -> Campaign:
    """The campaigns of a shop."""
    return Campaign(database, messages_to, mailbox, activity_environment)


async def test_one_click_of_a_mail_program_opts_out_without_a_session_and_a_get_changes_nothing(
    campaign: Campaign, browser: httpx.AsyncClient, cli: CommandLine, merchant: Merchant
) -> None:
    await campaign.write("autumn")
    await campaign.send()
    link = campaign.link()
    pages = [(await browser.get(link)).text for _ in range(2)]
    before, begun = (await cli.json("accounts", "show", "acc_ada"))["mail_stops"], datetime.now(UTC)

    clicked = [await browser.post(link, data=ONE_CLICK) for _ in range(2)]
    left_out = await campaign.write("winter")

    assert (before, left_out) == ([], {"opted_out": 1})
    assert all("You get our " in page and "<button" in page for page in pages)
    assert [(one.status_code, "You get no " in one.text) for one in clicked] == [(200, True)] * 2
    shown = await cli.json("accounts", "show", "acc_ada")
    (stop,) = shown["mail_stops"]
    assert (stop["kind"], stop["actor"]) == ("opted_out", "customer")
    assert stop["reason"] == "one click of communication/autumn/acc_ada"
    assert datetime.fromisoformat(stop["since"]) >= begun
    assert shown["changes"][0]["reason"] == stop["reason"]


async def test_the_letter_says_in_its_header_and_its_text_where_to_opt_out_and_the_link_names_nobody(
    campaign: Campaign, mailbox: Mailbox
) -> None:
    await campaign.write("autumn")
    await campaign.send()

    letter, german = campaign.to(), campaign.to("bernd@example.com")
    link = campaign.link()
    assert re.fullmatch(re.escape(PORTAL) + r"/mail/[A-Za-z0-9_-]{43}", link)
    assert letter.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"To get no more mail like this: {link}" in letter.text
    assert f"Keine solchen E-Mails mehr erhalten: {campaign.link('bernd@example.com')}" in german.text
    assert link != campaign.link("bernd@example.com")


async def test_the_header_stands_on_the_wire_as_programs_follow_it(
    campaign: Campaign, browser: httpx.AsyncClient
) -> None:
    await campaign.write("autumn")

    async with faulty_mail_server() as server:
        await campaign.send(server.url)

    # Neither folded nor as encoded words, though the line is long: no program follows such a link.
    links = [re.findall(r"\r\nList-Unsubscribe: <(https://\S{75,})>\r\n", one) for one in server.taken]
    assert [len(found) for found in links] == [1, 1]
    assert [(await browser.post(link, data=ONE_CLICK)).status_code for (link,) in links] == [200, 200]


async def test_back_in_is_a_button_of_our_page_and_no_click_of_a_mail_program(
    campaign: Campaign, browser: httpx.AsyncClient, merchant: Merchant
) -> None:
    await campaign.write("autumn")
    await campaign.send()
    link = campaign.link("bernd@example.com")

    out = await browser.post(link, data={"choice": "out"}, headers=OURS)
    elsewhere = await browser.post(link, data={"choice": "in"}, headers={"sec-fetch-site": "cross-site"})
    back = await browser.post(link, data={"choice": "in"}, headers=OURS)
    nothing = await browser.post(link, data={}, headers=OURS)

    assert "erhalten keine Neuigkeiten" in out.text
    assert "erhalten Neuigkeiten" in back.text
    assert [one.status_code for one in (out, elsewhere, back, nothing)] == [200, 403, 200, 409]
    changes = await merchant.run("select changes, reason from duly.account_changes where changes ? 'mail' order by id")
    assert [(row.changes["mail"]["is"], row.reason) for row in changes] == [
        ("opted_out", "page of the link of communication/autumn/acc_bernd"),
        (None, "page of the link of communication/autumn/acc_bernd"),
    ]


async def test_who_reads_an_old_address_may_opt_out_and_not_back_in(
    campaign: Campaign, browser: httpx.AsyncClient, merchant: Merchant
) -> None:
    await campaign.write("autumn")
    await campaign.send()
    link = campaign.link()
    await merchant.run("update duly.accounts set email = 'new@example.com' where id = 'acc_ada'")

    out = await browser.post(link, data=ONE_CLICK)
    back = await browser.post(link, data={"choice": "in"}, headers=OURS)

    assert [one.status_code for one in (out, back)] == [200, 200]
    assert "sent to another address" in back.text
    assert await merchant.value("select count(*) from duly.mail_stops") == 1


@pytest.mark.parametrize("data", [ONE_CLICK, {"choice": "out"}])
async def test_a_link_that_there_is_not_is_answered_alike_whatever_is_sent(
    browser: httpx.AsyncClient, written_to: None, data: dict[str, str]
) -> None:
    for token in ("x" * 43, "short", "x" * 44):
        answers = [await browser.get(f"/mail/{token}"), await browser.post(f"/mail/{token}", data=data, headers=OURS)]
        assert [one.status_code for one in answers] == [404, 404]


async def test_who_opts_out_between_writing_and_sending_is_sent_nothing_but_what_the_law_requires(
    campaign: Campaign, browser: httpx.AsyncClient, merchant: Merchant, mailbox: Mailbox, cli: CommandLine
) -> None:
    await campaign.write("autumn")
    await campaign.send()
    await campaign.write("winter")
    await browser.post(campaign.link(), data=ONE_CLICK)

    left_out = await campaign.write("terms", "terms")
    await campaign.send()
    shown = await cli.json("communicate", "preview", "terms", "--segment", "everybody")

    found = await outbox(merchant)
    assert found["communication/winter/acc_ada"] == ("withheld", "opted_out")
    assert found["communication/terms/acc_ada"] == ("sent", "")
    assert (left_out, shown["left_out"]) == ({}, {})
    assert "List-Unsubscribe" not in campaign.to().parsed
    assert "/mail/" not in campaign.to().text


async def test_no_receipt_or_invoice_offers_to_opt_out_of_it(
    campaign: Campaign, merchant: Merchant, mailbox: Mailbox, database: Database
) -> None:
    await database.call("stop_mail", account_id="acc_ada", kind="opted_out", actor="customer", reason="asked for it")
    await merchant.configure("[message_rules]\nsends_invoices = true\nconfirms_payments = true")
    await merchant.invoice("acc_ada", 2500)
    await merchant.transfer("acc_ada", 2500)

    await campaign.send()

    letters = mailbox.to("ada@example.com")
    assert len(letters) == 2
    assert all("List-Unsubscribe" not in letter.parsed for letter in letters)
