"""A card that is taken away is nowhere saved afterwards, whatever its holder is about to do on a page."""

import httpx
import pytest

from models.cards.card import CardState
from models.operator_command import OperatorCommand
from tests.cards.test_registration import fill_in
from tests.fixtures.cards import CardClient
from tests.support.builders import Merchant

WHO = OperatorCommand("maria", "entered twice")


async def saved_at_the_gateway(merchant: Merchant, account: str) -> list[str]:
    """Return the cards that the gateway keeps for an account's customer."""
    customer = await merchant.value(
        "select customer_reference from duly.gateway_customers where account_id = :account", account=account
    )
    page = await merchant.stripe.v1.customers.payment_methods.list_async(customer)
    return [method.id for method in page.data]


async def test_the_page_on_which_it_would_be_saved_is_closed(merchant: Merchant, card_client: CardClient) -> None:
    account = await merchant.account(cards=[])
    card, first = await card_client.page(account)

    await card_client.workflow(card).execute_update("remove", WHO)
    result = await card_client.ended(card)

    async with httpx.AsyncClient() as browser:
        assert (await browser.post(first.url, data={"card": "pm_card_visa"})).status_code >= 400
    assert result.state is CardState.REMOVED
    assert await saved_at_the_gateway(merchant, account) == []


async def test_a_confirmation_that_its_bank_waits_for_saves_nothing(
    merchant: Merchant, card_client: CardClient
) -> None:
    account = await merchant.account(cards=[])
    card, first = await card_client.save(account, "pm_card_authenticationRequiredOnSetup")

    await card_client.workflow(card).execute_update("remove", WHO)
    await card_client.ended(card)

    async with httpx.AsyncClient() as browser:
        assert (await browser.post(first.url, data={"result": "pass"})).status_code >= 400
    assert await saved_at_the_gateway(merchant, account) == []


@pytest.mark.parametrize("kind", ["page", "confirmation"])
async def test_what_its_holder_has_saved_a_moment_before_is_detached(
    merchant: Merchant, card_client: CardClient, kind: str
) -> None:
    account = await merchant.account(cards=[])
    if kind == "page":
        card, first = await card_client.page(account)
        await fill_in(first.url, card="pm_card_visa")
    else:
        card, first = await card_client.save(account, "pm_card_authenticationRequiredOnSetup")
        await fill_in(first.url, result="pass")
    before = await saved_at_the_gateway(merchant, account)

    await card_client.workflow(card).execute_update("remove", WHO)
    result = await card_client.ended(card)

    assert len(before) == 1
    assert result.state is CardState.REMOVED
    assert await saved_at_the_gateway(merchant, account) == []
