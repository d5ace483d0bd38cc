"""Saves generated customers and their cards at the Stripe sandbox, through the real SDK, and scripts the cards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import stripe

from sandbox.customers.generation import GeneratedAccount, GeneratedCard
from sandbox.stack import Stack
from sandbox.stripe.control.client import SandboxControl

# Enough to keep the sandbox's one core busy.
CONCURRENCY = 16


@dataclass(frozen=True)
class SavedCard:
    """A card as the gateway holds it: a token, and what a receipt may show."""

    token: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True)
class SavedAccount:
    """A generated customer with their name at the gateway; the cards are in the order in which they are tried."""

    account: GeneratedAccount
    customer_reference: str
    cards: tuple[SavedCard, ...]


@contextlib.asynccontextmanager
async def stripe_client(stack: Stack) -> AsyncIterator[stripe.StripeClient]:
    """Open the real SDK on the stack's sandbox."""
    http = stripe.AIOHTTPClient()
    try:
        yield stripe.StripeClient(
            stack.settings.stripe_api_key.get_secret_value(),
            base_addresses={"api": stack.settings.stripe_api_base},
            http_client=http,
        )
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]


class GatewayCustomers:
    """Makes customers at the gateway, many at a time."""

    def __init__(self, client: stripe.StripeClient, control: SandboxControl) -> None:
        self._client = client
        self._control = control
        self._window = asyncio.Semaphore(CONCURRENCY)

    async def save(self, accounts: Sequence[GeneratedAccount]) -> list[SavedAccount]:
        """Save some customers with their cards, in the order given."""
        return list(await asyncio.gather(*(self._save(account) for account in accounts)))

    async def _save(self, account: GeneratedAccount) -> SavedAccount:
        async with self._window:
            customer = await self._client.v1.customers.create_async(
                {
                    "name": account.owner_name,
                    "email": account.email,
                    "preferred_locales": [account.locale],
                    "metadata": {"duly_account": account.id},
                }
            )
            cards = [await self._attach(card, customer.id) for card in account.cards]
        return SavedAccount(account, customer.id, tuple(cards))

    async def _attach(self, card: GeneratedCard, customer: str) -> SavedCard:
        method = await self._client.v1.payment_methods.attach_async(card.test_card, {"customer": customer})
        if card.answers.outcomes:
            self._control.script_card(method.id, *card.answers.outcomes, repeat_last=card.answers.repeat_last)
        printed = method.card
        assert printed is not None, "a test card is a card"  # noqa: S101
        return SavedCard(
            token=method.id,
            brand=printed.brand,
            last4=printed.last4,
            exp_month=printed.exp_month,
            exp_year=printed.exp_year,
        )
