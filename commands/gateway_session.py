"""The gateway of one command. Apart from the other connections, for few commands need it and it is slow to load."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from activities.database import Database
from activities.gateway.mode import CONNECT, WrongModeError, account_of, adapter_of, require_mode
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.account import WrongAccountError, require_account
from commands.session import database_of
from models.problem import refusal
from models.tables.configuration import BANK_DEBITS
from settings import Settings

OpenDatabase = Callable[[Settings], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def gateway_of(settings: Settings, account: str = "") -> AsyncIterator[StripeGateway]:
    """Lend the gateway of the settings, on a merchant's account or the key's own, and close it afterwards."""
    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.gateway_timeout_seconds,
        account=account,
    )
    try:
        yield gateway
    finally:
        await gateway.close()


@asynccontextmanager
async def gateway_in_mode(
    settings: Settings, provider: str, *, open_database: OpenDatabase = database_of, is_bound: bool = True
) -> AsyncIterator[StripeGateway]:
    """Lend the gateway to whoever writes there, or believes what is there: with a key of the provider's account alone.

    A recovery needs no bound account (`is_bound`): of a provider that has none it gets the platform's.

    Raises RefusedError (key_of_mode, key_of_account, provider_is_called), and SendingHeldError unless it is for a
    recovery, before anything else is asked.
    """
    async with open_database(settings) as database:
        try:
            await require_mode(database, provider, settings.gateway_mode)
        except WrongModeError as error:
            raise refusal("STRIPE_API_KEY", "key_of_mode", str(error)) from error
        if await adapter_of(database, provider) == BANK_DEBITS:
            # The key is that of another provider's account: what is there is not this one's.
            raise refusal("provider", "provider_is_called", f"{provider} is a bank's: it is told and asked by files")
        account = await account_of(database, provider)
    if account is None and is_bound:
        raise refusal("provider", "merchant_is_connected", f"the merchant of {provider} is not connected: `{CONNECT}`")
    async with gateway_of(settings, account or "") as gateway:
        async with open_database(settings) as database:
            try:
                await require_account(database, provider, gateway)
            except WrongAccountError as error:
                raise refusal("STRIPE_API_KEY", "key_of_account", str(error)) from error
        yield gateway
