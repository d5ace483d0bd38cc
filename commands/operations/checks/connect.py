"""Examining what merchants' own accounts need: Stripe Connect, the endpoint of events, each account (P3, P8)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError
from activities.gateway.stripe_gateway import StripeGateway
from activities.merchants.connections import MerchantConnectionQueries
from commands.formatting import moment
from commands.gateway_session import gateway_of
from commands.operations.checks.finding import Finding, ok, unchecked, warning, wrong
from commands.session import reading_database_of
from models.gateway.errors import GatewayAccessError, GatewayError, GatewayInvalidRequestError
from models.merchants.account import (
    SHUT_OUT,
    AccountFacts,
    ConnectionState,
    Flow,
    is_rejected,
    standing_of,
)
from settings import Settings

PLATFORM, EVENTS, ACCOUNTS = "Stripe Connect", "events of merchants", "merchants' accounts"
_REGISTER = "`duly webhooks apply --merchants --url URL`"


async def examine_merchants(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what is found about Stripe Connect and each merchant's account. Nothing where no merchant uses it."""
    async with reading_database_of(settings) as database:
        try:
            merchants = await MerchantConnectionQueries(database).in_use()
        except (DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError):
            # What ails the database is said already.
            return
    if not merchants:
        return
    async with gateway_of(settings) as gateway:
        yield await _events(gateway)
        try:
            seen = await gateway.accounts_seen()
        except (GatewayAccessError, GatewayInvalidRequestError) as error:
            advice = "switch Connect on in Stripe's dashboard; a restricted key needs to read and write accounts"
            yield wrong(PLATFORM, f"is not for this key: {error.code}", advice)
            yield unchecked(ACCOUNTS, "the gateway does not show them")
            return
        except GatewayError as error:
            yield unchecked(PLATFORM, f"the gateway cannot tell: {error.code}")
            yield unchecked(ACCOUNTS, "the gateway cannot tell")
            return
    yield ok(PLATFORM, f"shows {len(seen)} accounts")
    ailing = [finding for merchant in merchants if (finding := _merchant(merchant, seen))]
    for finding in ailing:
        yield finding
    yield ok(ACCOUNTS, f"{len(merchants) - len(ailing)} of {len(merchants)} merchants want nothing done")


async def _events(gateway: StripeGateway) -> Finding:
    """Say whether the second endpoint is there: that of the platform gets no event of a merchant's account."""
    try:
        missing = await gateway.events_not_sent(of_merchants=True)
    except GatewayError as error:
        return unchecked(EVENTS, f"the gateway does not show its endpoints: {error.code}")
    if missing is None:
        advice = f"{_REGISTER}, and add its secret to DULY_WEBHOOK_SECRETS; until then they are found by looking"
        return warning(EVENTS, "no enabled endpoint gets them", advice)
    if missing:
        return warning(EVENTS, f"no endpoint gets {len(missing)} types", f"{_REGISTER} adds {', '.join(missing)}")
    return ok(EVENTS, "sent to an endpoint of their own")


def _merchant(merchant: Row[Any], seen: Mapping[str, AccountFacts]) -> Finding | None:
    """Say what a merchant's account lacks; None when nobody has to do anything."""
    check, id = f"merchant {merchant.id}", merchant.id
    if not merchant.gateway_account:
        if merchant.state is not None:
            return None
        return warning(check, "is switched on, and not connected", f"`duly merchants connect {id}`, or `disable {id}`")
    if merchant.state == ConnectionState.DISCONNECTED:
        reconnect = f"`duly merchants reconnect {id}`, or `connect {id} --new-account`"
        return warning(check, "its owner has shut us out", reconnect) if merchant.reason == SHUT_OUT else None
    facts = seen.get(merchant.gateway_account)
    if facts is None:
        advice = f"`duly merchants refresh {id}`; if its owner has shut us out, `reconnect {id}`"
        return wrong(check, f"the gateway does not show {merchant.gateway_account}", advice)
    flow = Flow(merchant.flow)
    found = _account(check, id, facts, has_returned=merchant.has_returned, flow=flow)
    if found is None and flow is Flow.DESTINATION and not merchant.provider:
        advice = f'name a provider with `merchant = "{id}"` in a document for `duly definitions apply`'
        return warning(
            check, "is paid by the platform, and its account has no provider: nothing is taken for it", advice
        )
    return found


def _account(check: str, id: str, facts: AccountFacts, *, has_returned: bool, flow: Flow) -> Finding | None:
    standing = standing_of(facts, has_returned=has_returned, flow=flow)
    owner = f"let its owner follow the link of `duly merchants show {id}`{_listed(standing.missing)}"
    match standing.state:
        case ConnectionState.RESTRICTED:
            advice = (
                f"the gateway has turned it down for good: `duly merchants disable {id}`"
                if is_rejected(standing.reason)
                else f"ask the gateway why, in its dashboard{_listed(standing.problems)}"
            )
            return wrong(check, f"is restricted: {standing.reason}", advice)
        case ConnectionState.INCOMPLETE:
            return warning(check, f"takes no payments: {len(standing.missing)} things are missing", owner)
        case ConnectionState.SUCCESSFUL if standing.missing:
            when = f"from {moment(standing.due_at)} on" if standing.due_at else "soon"
            return warning(check, f"will take no payments {when}: {len(standing.missing)} missing", owner)
        case ConnectionState.SUCCESSFUL if not standing.is_paid_out:
            return warning(check, "takes payments, and is paid out nothing", owner)
        case _:
            return None


def _listed(things: Sequence[str]) -> str:
    return f": {', '.join(things)}" if things else ""
