"""Merchants in the console: how each is paid, where its account stands, what was passed on, and what has to be done."""

from html import unescape

import pytest

from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, Browser
from tests.support.builders import Merchant

SETUP = """
    insert into duly.merchants (id, name, currency, flow, takes_payments) values
        ('shop', 'Shop', 'EUR', 'destination', true), ('cafe', 'Café', 'EUR', 'direct', true),
        ('kiosk', 'Kiosk', 'EUR', 'direct', false);
    insert into duly.merchant_connections (merchant_id, provider_id, email, country, gateway_account, state) values
        ('shop', 'stripe', 'owner@shop.example', 'DE', 'acct_shop', 'successful');
    insert into duly.merchant_connections (merchant_id, provider_id, email, country, gateway_account, state, missing)
        values ('cafe', 'stripe', 'owner@cafe.example', 'DE', 'acct_cafe', 'incomplete', '{external_account}');
    insert into duly.providers (id, gateway, mode, state, merchant_id, gateway_account, platform_id)
        values ('shop', 'stripe', 'test', 'effective', 'shop', 'acct_shop', 'stripe')
"""
PAYMENT = """
    select duly.adopt_payment('stripe', customer_reference, account_id, 'pi_1', 'ch_1', 2500, 'EUR',
        p_found => '{{"destination": "acct_shop", "method_type": "card"}}')
        from duly.gateway_customers where account_id = '{account}';
    update duly.merchant_transfers set refunded_minor = 1000, state = 'lacks_balance', code = 'balance_insufficient';
    insert into duly.merchant_transfer_moves (transfer_id, place, kind, cause, amount_minor, state, gateway_reference,
        connected_reference) select id, 1, 'transfer', 'payment', 2500, 'moved', 'tr_1', 'py_1'
        from duly.merchant_transfers;
    insert into duly.merchant_transfer_moves (transfer_id, place, kind, cause, amount_minor, state, code)
        select id, 2, 'reversal', 'refund', 1000, 'refused', 'balance_insufficient' from duly.merchant_transfers;
    select duly.note_discrepancy('stripe', 'transfer_not_made', 'pi_1', 'open', '{account}', null, 1000, 'EUR',
        '{{"code": "balance_insufficient", "merchant": "shop"}}')
"""


@pytest.fixture
async def payer(merchant: Merchant) -> str:
    """An account whose payment was passed on to a shop that had no money left for its refund."""
    for statement in SETUP.split(";\n"):
        await merchant.run(statement)
    account = await merchant.account(cards=())
    await merchant.run("select duly.assign_payer('shop', :a, 'maria', 'buys there')", a=account)
    for statement in PAYMENT.format(account=account).split(";\n"):
        await merchant.run(statement)
    return account


async def test_a_merchant_is_shown_with_its_state_its_transfers_and_what_comes_next(
    browser: Browser, payer: str
) -> None:
    await browser.sign_in()

    listed = unescape(await browser.open("/merchants?flow=destination"))
    shop, cafe, kiosk = [unescape(await browser.open(f"/merchants/{id}")) for id in ("shop", "cafe", "kiosk")]
    shop += unescape(await browser.open("/merchants/shop/more"))
    payment = unescape(await browser.open("/payments/found/pi_1"))
    found = [(await browser.send("/search", words=one)).headers.get("location") for one in ("acct_shop", "py_1")]

    assert ("/merchants/shop" in listed, "/merchants/cafe" in listed) == (True, False)
    assert "What it has is not what it should have" in shop
    for printed in ("by the platform, which passes it on", "balance insufficient", "10.00 EUR", "lacks balance", payer):
        assert printed in shop
    assert ("external_account" in cafe, "duly merchants show cafe" in cafe) == (True, True)
    assert "duly merchants enable kiosk" in kiosk
    assert ("Passed on to the merchant" in payment, "tr_1" in payment, "refused" in payment) == (True, True, True)
    assert found == ["/merchants/shop", "/payments/found/pi_1"]


async def test_a_merchants_user_sees_its_own_merchant_alone(browser: Browser, payer: str) -> None:
    await browser.users.add("carla", ConsoleRole.VIEWER, PASSWORD, ["shop"])
    await browser.send("/sign-in", OURS, user="carla", password=PASSWORD, to="/")

    home, own = await browser.open("/"), await browser.open("/merchants/shop")
    own += await browser.open("/merchants/shop/more")
    others = [await browser.status(path) for path in ("/merchants", "/merchants/cafe", "/merchants/cafe/more")]

    assert 'href="/merchants/shop"' in home
    assert ("25.00 EUR" in own, "/discrepancies/" in own) == (True, False)
    assert others == [404] * 3
    assert await browser.status(f"/accounts/{payer}") == 200
