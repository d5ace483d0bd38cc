"""Examining what Duly talks to: the gateway with its key, its mode and its configuration, and the mail server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import aiosmtplib

from activities.database import DatabaseUnavailableError, SchemaMismatchError
from activities.gateway.mode import account_of
from activities.recovery.account import WrongAccountError, require_account
from commands.gateway_session import gateway_of
from commands.operations.checks.database import ProviderState
from commands.operations.checks.finding import Finding, Verdict, ok, unchecked, wrong
from commands.session import reading_database_of
from models.gateway.errors import GatewayAccessError, GatewayError
from settings import Settings

MAIL_SECONDS = 10.0


async def examine_gateway(settings: Settings, providers: Sequence[ProviderState] | None) -> AsyncIterator[Finding]:
    """Yield what is found about the gateway and the provider that this process pays through (G5, X14, X15)."""
    yield await _key(settings, is_database_there=providers is not None)
    if providers is None:
        yield unchecked("provider", "the database cannot tell")
        return
    yield _provider(settings, {provider.id: provider for provider in providers})


async def examine_mail(settings: Settings) -> Finding:
    """Return what is found about the mail server."""
    if not settings.smtp_url:
        return Finding("mail", Verdict.OFF, "DULY_SMTP_URL is not set: customers get no messages")
    address = urlsplit(settings.smtp_url)
    client = aiosmtplib.SMTP(
        hostname=address.hostname,
        port=address.port,
        use_tls=address.scheme == "smtps",
        username=unquote(address.username) if address.username else None,
        password=unquote(address.password) if address.password else None,
        timeout=MAIL_SECONDS,
    )
    try:
        async with client:
            await client.noop()
    except (aiosmtplib.SMTPException, OSError) as error:
        advice = "start it, or set DULY_SMTP_URL to where it is, with the right user and password"
        return wrong("mail", f"{address.hostname}:{address.port}: {type(error).__name__}", advice)
    return ok("mail", f"{address.hostname}:{address.port} answers")


async def _key(settings: Settings, *, is_database_there: bool) -> Finding:
    try:
        async with gateway_of(settings) as gateway:
            await gateway.verify()
        if is_database_there:
            await _require_account(settings)
    except WrongAccountError as error:
        advice = "set STRIPE_API_KEY to a key of its account, or DULY_PROVIDER to another provider"
        return wrong("gateway", str(error).partition(":")[0], advice)
    except GatewayAccessError as error:
        return wrong("gateway", f"the key is refused: {error.code}", "set STRIPE_API_KEY to a key of this account")
    except GatewayError as error:
        advice = "see whether STRIPE_API_BASE is right and can be reached from here"
        return wrong("gateway", f"no answer from {settings.stripe_api_base}: {error.code}", advice)
    return ok("gateway", f"{settings.stripe_api_base} takes the key, {settings.gateway_mode} mode")


async def _require_account(settings: Settings) -> None:
    with suppress(DatabaseUnavailableError, SchemaMismatchError):
        async with reading_database_of(settings) as database:
            account = await account_of(database, settings.provider)
            async with gateway_of(settings, account or "") as gateway:
                await require_account(database, settings.provider, gateway)


def _provider(settings: Settings, providers: dict[str, ProviderState]) -> Finding:
    found = providers.get(settings.provider)
    if found is None:
        advice = "configure it with `duly definitions apply`, or set DULY_PROVIDER to one that is"
        return wrong("provider", f"{settings.provider} is not configured", advice)
    return examine_provider(settings, found)


def examine_provider(settings: Settings, found: ProviderState) -> Finding:
    """Return what is found about a provider that is configured, and what to do about it (X9, X14, X15)."""
    if not found.is_effective:
        return wrong("provider", f"{found.id} is not effective", "apply definitions that make it effective")
    if found.mode != settings.gateway_mode:
        advice = "set STRIPE_API_KEY to a key of the provider's mode, or DULY_PROVIDER to another provider"
        return wrong("provider", f"{found.id} is in {found.mode} mode, the key in {settings.gateway_mode} mode", advice)
    if not found.has_method:
        return wrong("provider", f"{found.id} handles no payment method", "give it payment_methods in the definitions")
    return ok("provider", f"{found.id} is effective, {found.mode} mode")
