"""What a holder saved on a page, and somebody else registered meanwhile, is one card: no workflow waits for ever."""

import httpx
import pytest
import stripe

from models.cards.card import CardRegistration, CardState, ValidationOutcome
from tests.fixtures.cards import CardClient
from tests.support.builders import Merchant


async def saved_on_page(merchant: Merchant, card_client: CardClient, client: stripe.StripeClient) -> tuple[str, str]:
    """Let a holder save a card on a page that nobody has read yet; return our card and the gateway's token."""
    card, first = await card_client.page(await merchant.account(cards=[]))
    async with httpx.AsyncClient() as browser:
        assert (await browser.post(first.url, data={"card": "pm_card_visa"})).status_code == 303
    customer = await merchant.value("select customer_reference from duly.gateway_customers")
    (saved,) = (await client.v1.customers.payment_methods.list_async(customer)).data
    return card, saved.id


async def register(merchant: Merchant, card_client: CardClient, token: str) -> ValidationOutcome:
    """Let a service that had the gateway's event first register the token."""
    account = await merchant.value("select account_id from duly.cards")
    return (await card_client.register(CardRegistration("card_service", account, "stripe", token=token))).outcome


async def test_a_card_of_a_page_that_a_service_registered_first_gives_way_to_that_one(
    merchant: Merchant, card_client: CardClient, stripe_client: stripe.StripeClient
) -> None:
    card, token = await saved_on_page(merchant, card_client, stripe_client)
    accepted = await register(merchant, card_client, token)

    await card_client.workflow(card).signal("gateway_event")
    result = await card_client.workflow(card).result()

    assert (accepted, result.state, result.reason) == (
        ValidationOutcome.ACCEPTED,
        CardState.REJECTED,
        "stored_already",
    )
    assert await card_client.stored("card_service") == (CardState.ACTIVE, "")
    kept = await stripe_client.v1.payment_methods.retrieve_async(token)
    assert kept.customer is not None


@pytest.mark.parametrize("state", ["removed", "rejected"])
async def test_a_card_of_a_page_does_not_bring_back_what_was_taken_away(
    merchant: Merchant, card_client: CardClient, stripe_client: stripe.StripeClient, state: str
) -> None:
    card, token = await saved_on_page(merchant, card_client, stripe_client)
    await register(merchant, card_client, token)
    await merchant.run("update duly.cards set state = :state where id = 'card_service'", state=state)

    await card_client.workflow(card).signal("gateway_event")
    result = await card_client.workflow(card).result()

    assert (result.state, result.reason) == (CardState.REJECTED, "stored_already")
