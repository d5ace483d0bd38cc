"""The gateway of one command. Apart from the other connections, for few commands need it and it is slow to load."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from activities.gateway.stripe_gateway import StripeGateway
from settings import Settings


@asynccontextmanager
async def gateway_of(settings: Settings) -> AsyncIterator[StripeGateway]:
    """Lend the gateway of the settings, and close its connections afterwards."""
    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.gateway_timeout_seconds,
    )
    try:
        yield gateway
    finally:
        await gateway.close()
