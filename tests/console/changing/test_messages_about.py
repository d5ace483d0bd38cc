"""A message about one transaction, from its page: shown before it is sent, sent once, and found among the messages."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from models.console.roles import ConsoleRole
from tests.console.changing.test_segments import DEFINITIONS, figures, owing, texts  # noqa: F401  # the fixture
from tests.console.conftest import Browser
from tests.console.test_actions import draft_of
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@pytest.fixture
async def invoice(merchant: Merchant, owing: list[str]) -> str:  # noqa: F811
    """The invoice of the customer who has an address."""
    return str(await merchant.value("select id from duly.financial_transactions where account_id = :id", id=owing[0]))


async def sent(browser: Browser, path: str, preview: str, **fields: str) -> httpx.Response:
    """Send the form of a preview as it came, with who and why."""
    hidden: dict[str, Any] = {name: unescape(value) for name, value in _HIDDEN.findall(preview)}
    return await browser.send(path, **(hidden | fields))


async def test_an_agent_writes_about_an_invoice_once_and_finds_it_on_its_page(
    acting: None, workers: None, browser: Browser, invoice: str, cli: CommandLine, merchant: Merchant
) -> None:
    # given an agent, to whom no segment is open, before the page of an invoice
    await browser.sign_in(role=ConsoleRole.AGENT)
    path = f"/transactions/{invoice}/message"
    shown = await browser.open(f"/transactions/{invoice}")
    form = await browser.open(path)
    preview = await browser.open(f"{path}?template=invoice")
    before = await merchant.value("select count(*) from duly.messages where kind = 'communication'")
    (suggested,) = re.findall(r'name="id"[^>]* value="([^"]*)"', preview)

    # when the form is sent, twice, and its id is used for another template
    answer = await sent(browser, path, preview, id=suggested, reason="she asked for it")
    again = await sent(browser, path, preview, id=suggested, reason="she asked for it")
    done = texts(await browser.open(answer.headers["location"]))

    # then what was shown before is sent once, and found from the invoice
    assert f'href="{path}"' in shown
    assert ("About an invoice" in form, "An offer" in form, "Posted from" in form) == (True, False, False)
    assert figures(preview) == {"Chosen": "1", "Letters": "1"}
    assert "€25.00 is open." in preview
    assert (before, answer.status_code, again.headers["location"]) == (0, 303, answer.headers["location"])
    assert ("Send: done" in done, f'href="/transactions/{invoice}"' in browser.last) == (True, True)
    (communication,) = (await cli.json("communicate", "list"))["communications"]
    assert (communication["id"], communication["actor"], communication["reason"]) == (
        *(suggested, "maria", "she asked for it"),
    )
    assert f"/messages/communication/{suggested}/{invoice}" in await browser.open(f"/transactions/{invoice}/more")
    assert f"communication/{suggested}/{invoice}" in await browser.open(f"/messages?communication={suggested}")


async def test_who_is_not_written_to_about_a_transaction_is_shown_with_the_reason(
    acting: None,
    browser: Browser,
    invoice: str,
    owing: list[str],  # noqa: F811
    merchant: Merchant,
    cli: CommandLine,
) -> None:
    await browser.sign_in(role=ConsoleRole.AGENT)
    path = f"/transactions/{invoice}/message"
    await cli.json("communicate", "stop", owing[0], "--actor", "paul", "--reason", "by phone")
    draft = await draft_of(cli, owing[0])

    out = await browser.open(f"{path}?template=invoice")
    other = await browser.client.get(f"{path}?template=offer")

    assert figures(out) == {"Chosen": "1", "Letters": "0", "Left out: opted out": "1"}
    assert "Nobody gets a letter" in texts(out)
    assert "'offer' is about accounts, not transactions" in texts(other.text)
    assert other.status_code == 422
    assert "Not while draft" in texts(await browser.open(f"/transactions/{draft}"))
    assert await browser.status(f"/transactions/{draft}/message") == 404
    assert await browser.status("/transactions/ft_999/message") == 404


async def test_viewers_write_to_nobody(browser: Browser, invoice: str) -> None:
    await browser.sign_in(role=ConsoleRole.VIEWER)

    assert f"/transactions/{invoice}/message" not in await browser.open(f"/transactions/{invoice}")
    assert await browser.status(f"/transactions/{invoice}/message") == 403
