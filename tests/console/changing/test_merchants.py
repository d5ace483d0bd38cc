"""Merchants in the console: switched on and off, and whose payments are taken for one, as the commands do it."""

from html import unescape

from models.console.roles import ConsoleRole
from tests.console.conftest import Browser
from tests.console.test_actions import done, refused
from tests.console.test_four_eyes import becomes
from tests.support.builders import Merchant


async def test_an_operator_assigns_an_account_to_a_merchant_and_switches_it_off(
    acting: None, browser: Browser, merchant: Merchant
) -> None:
    await merchant.run(
        "insert into duly.merchants (id, name, currency, flow, takes_payments)"
        " values ('shop', 'Shop', 'EUR', 'destination', true)"
    )
    account = await merchant.account(cards=())
    await browser.sign_in()
    seen = unescape(await browser.open("/merchants/shop"))
    await becomes(browser, "olga", ConsoleRole.OPERATOR)

    assigned = await done(browser, "/do/merchants/assign/shop", account=account, reason="buys there")
    shown = unescape(await browser.open("/merchants/shop/more"))
    wrong = await refused(browser, "/do/merchants/release/shop", account="nobody", reason="moved away")
    off = await done(browser, "/do/merchants/disable/shop", reason="contract ended")
    rows = await merchant.run("select account_id, assigned_by from duly.merchant_payers where ended_at is null")

    assert "/do/merchants/disable/shop" not in seen
    assert ("pays for it" in assigned, f"/accounts/{account}" in shown) == (True, True)
    assert wrong == ["account: there is no customer's account nobody (account_exists)"]
    assert "off" in off
    assert [tuple(row) for row in rows] == [(account, "olga")]
    assert "duly merchants enable shop" in unescape(await browser.open("/merchants/shop"))
