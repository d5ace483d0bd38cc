"""My Payments (P14, P15): every payment through a gateway with its details, filtered as `payments list` filters."""

from html import unescape
from typing import Any

import pytest

from tests.console.conftest import Browser
from tests.support.builders import Merchant

PAID = """
    select duly.adopt_payment('{provider}', 'cus_{reference}', '{account}', 'pi_{reference}', 'ch_{reference}', {minor},
        'EUR', p_found => '{{"method_type": "card"}}')
"""


@pytest.fixture
async def paid(merchant: Merchant) -> dict[str, Any]:
    """Three payments: of 25 and of 75 euros through the platform, and one of 25 on a merchant's account."""
    await merchant.run("insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR')")
    await merchant.run(
        "insert into duly.providers (id, gateway, mode, merchant_id, gateway_account, platform_id)"
        " values ('cafe', 'stripe', 'test', 'cafe', 'acct_cafe', 'stripe')"
    )
    account = await merchant.account(cards=())
    for reference, provider, minor in (("1", "stripe", 2500), ("2", "stripe", 7500), ("3", "cafe", 2500)):
        await merchant.run(PAID.format(reference=reference, provider=provider, account=account, minor=minor).strip())
    return {"account": account}


@pytest.mark.gate_cases(5)
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"1", "2", "3"}),
        ("state=succeeded&method=card", {"1", "2", "3"}),
        ("method=bank_transfer", set()),
        ("provider=stripe", {"1", "2"}),
        ("merchant=cafe", {"3"}),
        ("currency=eur&at_least=25.01", {"2"}),
        ("currency=EUR&at_most=25.00&provider=stripe", {"1"}),
        ("to=2001-01-01", set()),
    ],
)
async def test_payments_are_filtered_on_the_page_and_in_its_export(
    browser: Browser, paid: dict[str, Any], query: str, expected: set[str]
) -> None:
    await browser.sign_in()

    page = await browser.open(f"/payments?{query}")
    export = (await browser.client.get(f"/payments.csv?{query}")).text

    assert {one for one in "123" if f'/payments/found/pi_{one}"' in page} == expected
    assert export.count(paid["account"]) == len(expected)
    assert "Method,Card,Provider" in export


async def test_an_amount_without_its_currency_is_named_and_the_list_shown_without_it(
    browser: Browser, paid: dict[str, Any]
) -> None:
    await browser.sign_in()

    without = unescape(await browser.open("/payments?at_least=25.01"))
    unknown = unescape(await browser.open("/payments?currency=xxq&at_least=25.01"))
    wrong = unescape(await browser.open("/payments?currency=EUR&at_most=much"))

    assert "Currency: an amount is of a currency" in without
    # what was typed stays where it was typed
    assert ('name="at_least" value="25.01"' in without, 'name="at_most" value="much"' in wrong) == (True, True)
    assert "amount 'much' is not a decimal number" in wrong
    assert "XXQ" in unknown
    assert (without.count("/payments/found/pi_"), wrong.count("/payments/found/pi_")) == (3, 3)
    assert (await browser.client.get("/payments.csv?at_least=25.01")).status_code == 422
