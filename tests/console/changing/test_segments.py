"""Segments in the console: counted, listed and exported, and written to once after what would be sent was shown."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from models.console.roles import ConsoleRole
from tests.console.conftest import Browser
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.messages import segments

DEFINITIONS = """
[[message_templates]]
id = "offer"
name = "An offer"
about = "accounts"
texts.en = { subject = "An offer", text = "Hello #{name}, you owe #{owed}. <b>" }

[[message_templates]]
id = "invoice"
name = "About an invoice"
about = "transactions"
texts.en = { subject = "Your #{number}", text = "#{open} is open." }

[[segments]]
id = "owing"
name = "Who owes 20.00 or more"
about = "accounts"
criteria = { minimum_balance = { EUR = "20.00" } }

[[segments]]
id = "open-invoices"
name = "Invoices that are open"
about = "transactions"
criteria = { classifications = ["invoice"], open = true }
"""
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@pytest.fixture
async def owing(merchant: Merchant) -> list[str]:
    """Three customers who owe 25.00, 35.00 and 5.00 EUR, and of whom the first has an address, and the definitions."""
    accounts = [await merchant.account(f"acc_{minor}", owes_minor=minor) for minor in (2500, 3500, 500)]
    await merchant.run(
        "update duly.accounts set email = id || '@example.com', owner_name = '=Ada' where id = 'acc_2500'"
    )
    await merchant.configure(DEFINITIONS)
    return accounts


def texts(page: str) -> str:
    """Return a page's text."""
    return unescape(re.sub(r"<[^>]*>", " ", page))


def figures(page: str) -> dict[str, str]:
    """Return the counts that stand above a preview."""
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", page))


async def sent(browser: Browser, preview: str, **fields: str) -> httpx.Response:
    """Send the form of a preview as it came, with who and why."""
    hidden: dict[str, Any] = {name: unescape(value) for name, value in _HIDDEN.findall(preview)}
    return await browser.send("/segments/owing/message", **(hidden | fields))


async def test_a_segment_is_counted_and_listed_a_page_at_a_time_and_exported(
    browser: Browser, owing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "ROWS", 1)
    await browser.sign_in()

    listed = await browser.open("/segments")
    page = await browser.open("/segments/owing")
    totals = texts(await browser.open("/segments/owing/totals"))
    first = await browser.open("/segments/owing/members")
    second = await browser.open("/segments/owing/members?after=acc_2500")
    exported = await browser.open("/segments/owing/members.csv")
    invoices = texts(await browser.open("/segments/open-invoices/members"))
    none = texts(await browser.open("/segments/open-invoices/members?to=2020-01-31"))
    wrong = [await browser.status(f"/segments/{one}") for one in ("none", "open-invoices/members?from=soon")]

    assert "Who owes 20.00 or more" in listed
    assert "20.00 EUR" in texts(page)
    assert re.search(r"EUR\s+2\s+60\.00 EUR\s+60\.00 EUR", totals)
    assert ("acc_2500" in first, "acc_3500" in first, "?after=acc_2500" in first) == (True, False, True)
    assert ("acc_2500" in second, "acc_3500" in second, 'rel="next"' in second) == (False, True, False)
    assert [line.split(",")[0] for line in exported.splitlines()] == ["Account", "acc_2500", "acc_3500", "Rows"]
    assert ("25.00,EUR" in exported, exported.splitlines()[-1]) == (True, "Rows,2")
    assert ("25.00 EUR" in invoices, "Nobody is" in none) == (True, True)
    assert wrong == [404, 422]


async def test_what_would_be_sent_is_shown_and_then_sent_once(
    acting: None, workers: None, browser: Browser, owing: list[str], cli: CommandLine, merchant: Merchant
) -> None:
    # given a preview: one of the two has an address
    await browser.sign_in()
    form = await browser.open("/segments/owing/message")
    preview = await browser.open("/segments/owing/message?template=offer")
    other = await browser.open("/segments/owing/message?template=offer&member=acc_3500")
    before = await merchant.value("select count(*) from duly.messages where kind = 'communication'")

    # when it is sent, twice, and once more by another form
    answer = await sent(browser, preview, id="autumn", reason="the autumn's letter")
    again = await sent(browser, preview, id="autumn", reason="the autumn's letter")
    shown = texts(await browser.open(answer.headers["location"]))
    repeated = await sent(
        browser, await browser.open("/segments/owing/message?template=offer"), id="autumn", reason="x"
    )

    # then each is written to once, and the letters are found
    assert ("An offer" in form, "About an invoice" in form) == (True, False)
    assert figures(preview) == {"Chosen": "2", "Letters": "1", "Left out: no address": "1"}
    assert "Hello =Ada, you owe €25.00. &lt;b&gt;" in preview
    assert "acc_3500 gets no letter" in texts(other)
    assert (before, answer.status_code, again.headers["location"]) == (0, 303, answer.headers["location"])
    assert ("Send: done" in shown, "Letters: 1" in shown, 'href="/segments/owing"' in browser.last) == (True,) * 3
    assert "nothing is written again" in texts(await browser.open(repeated.headers["location"]))
    (communication,) = (await cli.json("communicate", "list"))["communications"]
    assert (communication["actor"], communication["reason"]) == ("maria", "the autumn's letter")
    assert "/messages?communication=autumn" in await browser.open("/segments/owing")
    assert "communication/autumn/acc_2500" in await browser.open("/messages?communication=autumn")
    assert "communication/autumn" not in await browser.open("/messages?communication=spring")
    assert "autumn" in await browser.open("/communications?segment=owing")


async def test_what_cannot_be_sent_is_refused_in_the_words_of_the_command(
    acting: None, browser: Browser, owing: list[str], merchant: Merchant
) -> None:
    await browser.sign_in()
    preview = await browser.open("/segments/owing/message?template=offer")

    without_why = await sent(browser, preview, id="autumn", reason="")
    wrong_id = await sent(browser, preview, id="Autumn!", reason="the autumn's letter")
    other = await browser.client.get("/segments/owing/message?template=invoice")
    days = await browser.client.get("/segments/owing/message?template=offer&from=2026-01-01")

    assert [one.status_code for one in (without_why, wrong_id, other, days)] == [422] * 4
    assert "say why" in texts(without_why.text)
    assert "has 1 to 64 small letters" in texts(wrong_id.text)
    assert 'value="Autumn!"' in wrong_id.text
    assert "'invoice' is about transactions, not accounts" in texts(other.text)
    assert "which have no days" in texts(days.text)
    assert await merchant.value("select count(*) from duly.messages where kind = 'communication'") == 0


@pytest.mark.parametrize(("role", "status"), [(ConsoleRole.AGENT, 403), (ConsoleRole.OPERATOR, 200)])
async def test_agents_write_to_no_whole_segment(
    browser: Browser, owing: list[str], role: ConsoleRole, status: int
) -> None:
    await browser.sign_in(role=role)

    page = await browser.open("/segments/owing")

    assert ("/segments/owing/message" in page) == (status == 200)
    assert await browser.status("/segments/owing/message") == status
    assert await browser.status("/segments/owing/members.csv") == 403


async def test_a_segment_that_has_grown_since_it_was_shown_is_shown_again_and_nobody_is_written_to(
    acting: None, browser: Browser, owing: list[str], merchant: Merchant
) -> None:
    await browser.sign_in()
    preview = await browser.open("/segments/owing/message?template=offer")
    for account in ("late_1", "late_2"):
        await merchant.account(account, owes_minor=5000)
    await merchant.run("update duly.accounts set email = id || '@example.com' where id like 'late%'")

    refused = await sent(browser, preview, id="autumn", reason="the autumn's letter")
    letters = await merchant.value("select count(*) from duly.messages where kind = 'communication'")

    assert refused.status_code == 422
    assert "it would be 3 letters now, more than 2: look at it again" in texts(refused.text)
    assert (figures(refused.text)["Letters"], 'name="shown" value="3"' in refused.text, letters) == ("3", True, 0)


async def test_a_template_that_was_edited_since_it_was_shown_is_shown_again_and_nobody_is_written_to(
    acting: None, browser: Browser, owing: list[str], merchant: Merchant
) -> None:
    await browser.sign_in()
    preview = await browser.open("/segments/owing/message?template=offer")
    edited = (
        """update duly.message_templates set texts = '{"en": {"subject": "Sale", "text": "Now"}}' where id = 'offer'"""
    )
    await merchant.run(edited)

    refused = await sent(browser, preview, id="autumn", reason="the autumn's letter")
    again = await sent(browser, refused.text, id="autumn", reason="the autumn's letter")

    assert (refused.status_code, again.status_code) == (422, 303)
    assert "not those of the preview any more: look at it again" in texts(refused.text)
    assert "Sale" in texts(refused.text)
