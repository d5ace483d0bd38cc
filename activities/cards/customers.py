"""Customers at the gateway: an account has one there before it has a card, or a page to pay on."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from temporalio.exceptions import ApplicationError

from activities.database import Database
from activities.gateway.pace import Pace
from activities.gateway.retries import retryable_gateway_errors

# A provider that somebody has stopped is looked at again after so long.
STOPPED_PAUSE = timedelta(minutes=1)


class CustomerGateway(Protocol):
    """The calls of a gateway about customers."""

    async def has_customer(self, customer: str) -> bool:
        """Say whether the gateway still has a customer."""
        ...

    async def create_customer(self, account_id: str, *, installation: str, idempotency_key: str) -> str:
        """Make the gateway's customer of an account and return its reference."""
        ...


@dataclass(frozen=True)
class KnownCustomer:
    """What is known of an account's customer before the gateway is asked; `customer` is empty where it has none."""

    account_id: str
    provider: str
    customer: str
    installation: str
    is_effective: bool


class GatewayCustomers:
    """Makes customers at the gateway, each account's once."""

    def __init__(self, database: Database, gateway: CustomerGateway, pace: Pace) -> None:
        self._database = database
        self._gateway = gateway
        self._pace = pace

    async def have(self, known: KnownCustomer) -> None:
        """Make the account's customer at the gateway, if it has none or the one it had was deleted there.

        Raises ApplicationError of type provider_effective while nothing new is asked of the provider.
        """
        with retryable_gateway_errors():
            async with self._pace:
                if known.customer and await self._gateway.has_customer(known.customer):
                    return
            if not known.is_effective:
                problem = f"provider: {known.provider} is not effective, the account gets no customer there"
                raise ApplicationError(problem, type="provider_effective", next_retry_delay=STOPPED_PAUSE)
            # A key that the gateway has forgotten makes a second customer, which stays empty: the first noted one wins.
            key = "/".join(filter(None, (known.installation, "customer", known.account_id, known.customer)))
            async with self._pace:
                customer = await self._gateway.create_customer(
                    known.account_id, installation=known.installation, idempotency_key=key
                )
        await self._database.call(
            "note_customer",
            provider_id=known.provider,
            account_id=known.account_id,
            customer=customer,
            deleted=known.customer,
        )
