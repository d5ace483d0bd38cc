"""Quick Pay of an invoice on a card: the form is filled in with how its account pays, and is carried out once."""

import re

import pytest

from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, Browser
from tests.console.test_actions import refused
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.mark.usefixtures("acting", "workers")
async def test_an_agent_charges_what_is_unsettled_on_the_card_that_the_form_names_once(
    browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(cards=["pm_card_visa", "pm_card_mastercard"])
    invoice = await merchant.invoice(account, 2500)
    path = f"/do/transactions/charge/{invoice}"
    await browser.sign_in(role=ConsoleRole.AGENT)

    page = await browser.open(f"/transactions/{invoice}")
    form = await browser.open(path)
    filled = dict(re.findall(r'<select[^>]* name="(\w+)".*?<option value="([^"]+)" selected', form, re.DOTALL))
    missing = await refused(browser, path, **{**filled, "method": ""}, reason="on the phone")
    await browser.open(path)
    sent = [await browser.send(path, OURS, **filled, reason="on the phone") for _ in range(2)]
    shown = await browser.open(sent[0].headers["location"])

    first = await merchant.value("select id from duly.cards where fallback_order = 1")
    assert f'href="{path}"' in page
    assert filled == {"method": "card", "card": first, "provider": "stripe"}
    assert "unsettled 25.00 EUR" in form
    assert [one.partition(":")[0] for one in missing] == ["method"]
    assert "State: succeeded" in shown
    assert sent[0].headers["location"] == sent[1].headers["location"]
    assert (await merchant.run("select state from duly.gateway_requests"), await merchant.balance(account)) == (
        [("posted",)],
        0,
    )
    (kept,) = (await cli.json("commands", "list", "--command", "transactions quick-pay"))["commands"]
    assert (kept["subject"], kept["reason"], kept["outcome"]) == (invoice, "on the phone", "done")
