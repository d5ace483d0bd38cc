"""Which account a provider is, and which key it takes: real money never meets test data, nor one merchant another's."""

from typing import Protocol

from sqlalchemy import select

from activities.database import Database
from models.tables.configuration import ProviderRow
from models.tables.operations import GatewayWitnessRow

# What helps where a provider is a merchant's that has no account yet.
CONNECT = "duly merchants connect"


class WrongModeError(RuntimeError):
    """The key of this process is of one mode and its provider of the other."""


async def require_mode(database: Database, provider: str, mode: str) -> None:
    """Raise WrongModeError when a provider is in another mode. One that is not configured charges nothing."""
    stored = await database.read_first(select(ProviderRow.mode).where(ProviderRow.id == provider))
    if stored and stored.mode != mode:
        raise WrongModeError(
            f"STRIPE_API_KEY is a {mode} key and provider {provider} is in {stored.mode} mode:"
            " use a key of its mode, or set DULY_PROVIDER to another provider"
        )


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


async def adapter_of(database: Database, provider: str) -> str:
    """Return by which adapter a provider is spoken to; Stripe's where it is not configured yet."""
    found = await database.read_first(select(ProviderRow.gateway).where(ProviderRow.id == provider))
    return str(found.gateway) if found else "stripe"


async def account_of(database: Database, provider: str) -> str | None:
    """Return the merchant's account that a provider's requests go to; "" for the key's own, None before it is known."""
    found = await database.read_first(
        select(ProviderRow.merchant_id, ProviderRow.gateway_account).where(ProviderRow.id == provider)
    )
    return (found.gateway_account if found.merchant_id else "") if found else ""


async def merchant_of(database: Database, provider: str) -> str:
    """Return the merchant whose account a provider is; "" for the key's own."""
    found = await database.read_first(select(ProviderRow.merchant_id).where(ProviderRow.id == provider))
    return (found.merchant_id or "") if found else ""


async def why_not_connected(database: Database, provider: str) -> str:
    """Say why nothing can be sent for a provider yet; empty when its account is known."""
    return "" if await account_of(database, provider) is not None else f"the merchant of {provider} is not connected"
