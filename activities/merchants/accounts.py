"""Merchants' accounts at the gateway: made, read, completed on the gateway's pages, and recognised again."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from temporalio import activity

from activities.database import Database, RuleBrokenError
from activities.gateway.pace import Pace
from activities.gateway.retries import retryable_gateway_errors
from activities.merchants.connections import announce_connection, end_pages, load_connection, stored_connection
from models.gateway.errors import GatewayUnansweredError
from models.merchants.account import (
    SHUT_OUT,
    AccountFacts,
    ConnectionState,
    MerchantAccounts,
    NewAccount,
    Standing,
    standing_of,
)
from models.merchants.connection import ReconnectRequest, StoredConnection, connect_path

# Behind a merchant's page: where its owner comes back to, and where a link leads that is used up.
BACK = "back"

# Under so many keys an account is asked for before Temporal lets some time pass.
KEYS_MOST = 3


class MerchantAccountActivities:
    """Activities of a merchant's connection at the gateway. All are safe to repeat."""

    def __init__(self, database: Database, gateway: MerchantAccounts, pace: Pace, public_url: str) -> None:
        self._database = database
        self._gateway = gateway
        self._pace = pace
        self._public_url = public_url

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.make_merchant_account, self.read_merchant_account, self.open_onboarding, self.reconnect_merchant]

    @activity.defn
    async def make_merchant_account(self, merchant_id: str) -> StoredConnection:
        """Make the merchant's account at the gateway, unless it has one.

        One that was made for the merchant, and that nobody here has noted, is taken: its answer was lost, or a restored
        database has forgotten it. Raises ApplicationError as `retryable` says: nobody knows, and a repeat looks for it.
        """
        stored = await load_connection(self._database, merchant_id)
        if stored.gateway_account or stored.state is ConnectionState.DISCONNECTED:
            return stored
        brand = await self._database.call("brand_of_merchant", merchant_id=merchant_id)
        new = NewAccount(
            merchant_id, stored.email, stored.country, stored.currency, stored.installation, **brand, flow=stored.flow
        )
        key = new.key_of(stored.generation)
        with retryable_gateway_errors():
            account = await self._made_before(new) or await self._made(new, key)
        return stored_connection(
            await self._database.call(
                "note_merchant_account",
                merchant_id=merchant_id,
                generation=stored.generation,
                gateway_account=account,
            )
        )

    @activity.defn
    async def read_merchant_account(self, merchant_id: str) -> StoredConnection:
        """Read where the account stands, and record it. Shut out, the connection is over."""
        stored = await load_connection(self._database, merchant_id)
        if not stored.gateway_account or stored.state is ConnectionState.DISCONNECTED:
            return stored
        facts = await self._read(stored.gateway_account)
        standing = (
            standing_of(facts, has_returned=stored.has_returned, flow=stored.flow)
            if facts
            else Standing(ConnectionState.DISCONNECTED, SHUT_OUT)
        )
        recorded = stored_connection(
            await self._database.call(
                "record_merchant_standing",
                merchant_id=merchant_id,
                gateway_account=stored.gateway_account,
                standing=_document(standing),
            )
        )
        if (recorded.state, recorded.reason) != (stored.state, stored.reason):
            announce_connection(recorded)
            await end_pages(self._database)
        return recorded

    @activity.defn
    async def open_onboarding(self, merchant_id: str) -> str:
        """Return a page of the gateway's for the owner. It works once and for minutes, and is kept nowhere.

        Raises RuleBrokenError when there is no account, or the gateway makes no page for it.
        """
        stored = await load_connection(self._database, merchant_id)
        if not stored.gateway_account or stored.state is ConnectionState.DISCONNECTED:
            raise RuleBrokenError("merchant_connection_open", f"state: {merchant_id} is {stored.state}")
        ours = f"{self._public_url}{connect_path(stored.link_token)}"
        with retryable_gateway_errors():
            async with self._pace:
                return await self._gateway.onboarding_page(
                    stored.gateway_account, return_url=f"{ours}/{BACK}", refresh_url=ours
                )

    @activity.defn
    async def reconnect_merchant(self, request: ReconnectRequest) -> StoredConnection:
        """Let the account go on as which a merchant was connected, once the gateway confirms that and the e-mail.

        Raises RuleBrokenError: another account, another e-mail, or one that the gateway does not let us see; then
        nothing was written.
        """
        terms = request.terms
        named: dict[str, Any] = {
            "merchant_id": request.merchant_id,
            "provider_id": request.provider,
            "gateway_account": terms.gateway_account,
        }
        await self._database.call("require_reconnectable", **named)
        facts = await self._read(terms.gateway_account)
        if facts is None:
            message = (
                f"account: the gateway does not let us see {terms.gateway_account}: connect anew with --new-account"
            )
            raise RuleBrokenError("account_reachable", message)
        if facts.email.casefold() != terms.email.casefold():
            raise RuleBrokenError("email_of_account", "email: the gateway knows the account under another e-mail")
        stored = stored_connection(
            await self._database.call("reconnect_merchant", **named, actor=terms.actor, because=terms.reason)
        )
        announce_connection(stored)
        return stored

    async def _made_before(self, new: NewAccount) -> str:
        """Return the newest account of the merchant that the gateway shows and nobody here has noted, or none."""
        async with self._pace:
            made = [one for one in await self._gateway.accounts_made(new.installation) if one.fits(new)]
        ids = [one.gateway_account for one in made]
        for account in await self._database.call("merchant_accounts_unknown", gateway_accounts=ids):
            if await self._read(account) is not None:
                return str(account)
        return ""

    async def _made(self, new: NewAccount, key: str) -> str:
        """Make the account. A stored error is all that its key answers from then on: the next is sent under another.

        What the first may have made stays empty: unlike a charge, an account that nobody knows does no harm.
        """
        for name in (key, *(f"{key}/{number}" for number in range(2, KEYS_MOST))):
            try:
                async with self._pace:
                    return await self._gateway.create_account(new, idempotency_key=name)
            except GatewayUnansweredError as error:
                if not error.is_final:
                    raise
            if account := await self._made_before(new):
                return account
        async with self._pace:
            return await self._gateway.create_account(new, idempotency_key=f"{key}/{KEYS_MOST}")

    async def _read(self, gateway_account: str) -> AccountFacts | None:
        with retryable_gateway_errors():
            async with self._pace:
                return await self._gateway.read_account(gateway_account)


def _document(standing: Standing) -> dict[str, Any]:
    return asdict(standing) | {"due_at": standing.due_at.isoformat() if standing.due_at else None}
