"""Customers at localstripe: made there by its own calls, with the cards that it knows by a token."""

from collections.abc import Sequence

import stripe

from sandbox.customers.gateway_customers import SavedAccount, SavedCard
from sandbox.customers.generation import GeneratedAccount

GOOD_CARD, DECLINED_CARD = "pm_card_visa", "pm_card_chargeCustomerFail"
ONE_DECLINES_IN = 5


class LocalstripeCustomers:
    """Saves customers; one in five has a card that saves well and is declined whenever it is charged."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client
        self.saved = 0
        self.declining = 0

    async def save(self, accounts: Sequence[GeneratedAccount]) -> list[SavedAccount]:
        """Save some customers with a card each, in the order given."""
        return [await self._save(account) for account in accounts]

    async def _save(self, account: GeneratedAccount) -> SavedAccount:
        self.saved += 1
        declines = self.saved % ONE_DECLINES_IN == 0
        self.declining += declines
        customer = await self._client.v1.customers.create_async(
            {"name": account.owner_name, "metadata": {"duly_account": account.id}}
        )
        method = await self._client.v1.payment_methods.attach_async(
            DECLINED_CARD if declines else GOOD_CARD, {"customer": customer.id}
        )
        printed = method.card
        assert printed is not None, "a test card is a card"
        card = SavedCard(method.id, printed.brand, printed.last4, printed.exp_month, printed.exp_year)
        return SavedAccount(account, customer.id, (card,))
