"""A gateway key works for providers of its own mode alone: real money never meets test data."""

from sqlalchemy import select

from activities.database import Database
from models.tables.configuration import ProviderRow


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
