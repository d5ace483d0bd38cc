"""Whether a key is one of the account with which a provider has worked so far."""

from typing import Protocol

from sqlalchemy import select

from activities.database import Database
from models.tables.operations import GatewayWitnessRow


class WrongAccountError(RuntimeError):
    """The key of this process is one of another account than the provider's."""


class GatewayWithCustomers(Protocol):
    """A gateway that says whether a customer is one of its account's."""

    async def has_had_customer(self, customer: str) -> bool:
        """Say whether the account has, or had, a customer."""
        ...


async def require_account(database: Database, provider: str, gateway: GatewayWithCustomers) -> None:
    """Raise WrongAccountError when the key is one of another account than the provider has worked with so far.

    Known by the customer that stands for this installation there (`remember_beat`), which also one whom somebody has
    deleted goes on to do. Nothing is known before the first worker has made it. Raises GatewayError.
    """
    stored = await database.read_first(
        select(GatewayWitnessRow.reference).where(GatewayWitnessRow.provider_id == provider)
    )
    if stored and not await gateway.has_had_customer(stored.reference):
        raise WrongAccountError(
            f"STRIPE_API_KEY is a key of another account than provider {provider}'s, which has {stored.reference}:"
            " use a key of its account, or set DULY_PROVIDER to another provider"
        )
