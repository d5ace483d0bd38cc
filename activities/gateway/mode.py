"""Which account a provider is, and which key it takes: real money never meets test data, nor one merchant another's."""

from sqlalchemy import select

from activities.database import Database
from models.tables.configuration import ProviderRow

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
