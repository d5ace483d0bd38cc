"""A payment page bears the brand of the seller whose money it takes: the house's, a merchant's, or its account's."""

from dataclasses import replace
from typing import Any

import pytest

from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.charges import Charge, PageBrand
from models.gateway.errors import KEY_USED, GatewayUnansweredError
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.payments.paying_by_link import make, terms
from tests.support.builders import Merchant

SELLER = """
    insert into duly.sellers (id, merchant_id, name, street, postal_code, city, country, vat_id, color,
        background_color, logo_url) values (:id, :merchant, :name, 'Marktplatz 1', '50667', 'Köln', 'DE', 'DE123456789',
        :color, :background, :logo)
"""
ACCOUNTS_OWN = ("Stripe sandbox", "#0074d4", "#ffffff", "")
HOUSE = ("Fibernetz GmbH", "#aa0033", "#f4f7f5", "https://example.com/house.png")
CAFE = ("Café Lumen", "#336699", "", "")


async def sell(merchant: Merchant, brand: tuple[str, str, str, str], of: str | None = None) -> None:
    """Name the seller of the house, or of a merchant."""
    await merchant.run(
        SELLER,
        id="cafe" if of else "house",
        merchant=of,
        name=brand[0],
        color=brand[1],
        background=brand[2],
        logo=brand[3],
    )


async def shown(platform: Platform, whose: Merchant, provider: str, id: str) -> tuple[str, str, str, str]:
    """Open a page through a provider, and return its name, its colours and its logo at the gateway."""
    account = await whose.account(cards=[])
    handle, _ = await make(platform.duly, f"{id}-{platform.period}", terms(account), provider)
    page: str = await handle.execute_update("open_page", result_type=str)
    session: Any = await whose.stripe.v1.checkout.sessions.retrieve_async(page.rpartition("/")[2])
    of = session.branding_settings
    return of.display_name, of.button_color, of.background_color, of.logo.url if of.logo else ""


async def test_each_page_has_the_name_and_colour_of_the_seller_whose_money_it_takes(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    own, theirs = platform.own.merchant, cafe.client.merchant

    before = await shown(platform, own, "stripe", "before")
    await sell(own, HOUSE)
    of_house = [await shown(platform, own, "stripe", "own"), await shown(platform, theirs, cafe.id, "without")]
    await sell(own, CAFE, cafe.id)
    of_both = [await shown(platform, own, "stripe", "own-2"), await shown(platform, theirs, cafe.id, "with")]

    assert before == ACCOUNTS_OWN
    assert of_house == [HOUSE, ACCOUNTS_OWN]
    assert of_both == [HOUSE, (*CAFE[:2], *ACCOUNTS_OWN[2:])]


async def test_a_brand_that_changes_while_an_answer_is_lost_opens_no_second_page(
    gateway: StripeGateway, merchant: Merchant
) -> None:
    customer = (await merchant.stripe.v1.customers.create_async({"name": "Ada"})).id
    charge = Charge("key-1", "req-1", "acc-1", "pay-1", 2500, "EUR", customer, "", brand=PageBrand(*HOUSE))

    opened = await gateway.open_page(charge, return_url="https://example.com/back")
    with pytest.raises(GatewayUnansweredError) as repeated:
        await gateway.open_page(replace(charge, brand=PageBrand(*CAFE)), return_url="https://example.com/back")
    found = await gateway.find_page_payment(replace(charge, brand=PageBrand(*CAFE)), gateway_reference="")

    assert repeated.value.code == KEY_USED
    assert found is not None
    assert found.gateway_reference == opened.gateway_reference
