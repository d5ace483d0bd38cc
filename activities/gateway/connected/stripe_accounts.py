"""Merchants' own accounts at Stripe Connect: made with `controller`, read, and completed on Stripe's own pages."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import stripe

from activities.gateway.translation import metadata_at, optional, translated, translating_errors
from models.gateway.errors import GatewayAccessError
from models.gateway.identity import INSTALLATION
from models.merchants.account import AccountFacts, Capability, Flow, MadeAccount, NewAccount

if TYPE_CHECKING:
    from stripe.params import AccountCreateParams

# What a merchant's account is asked for: direct charges of cards, each further method being a capability of its own; or
# what the platform passes on.
_CARDS = "card_payments"
_TRANSFERS = "transfers"

# Who has which dashboard, pays Stripe's fees and bears losses. With destination charges the platform is the merchant of
# record: losses at Stripe would pass, and be the platform's all the same.
_DIRECT: "AccountCreateParams" = {
    "controller": {
        "fees": {"payer": "account"},
        "losses": {"payments": "stripe"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "full"},
    },
    "capabilities": {"card_payments": {"requested": True}},
}
_DESTINATION: "AccountCreateParams" = {
    "controller": {
        "fees": {"payer": "application"},
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
    },
    "capabilities": {"transfers": {"requested": True}},
}

# Stripe's word for an account that our key does not open (any more).
_SHUT_OUT = "account_invalid"

_PURPOSE = "merchant"
_MERCHANT = "duly_merchant"
_PAGE = 100


class StripeAccounts:
    """Accounts of merchants: Stripe collects what is due.

    In the direct flow it bears losses, and the merchant pays its fees; in the other the platform does both.
    """

    _client: stripe.StripeClient

    async def create_account(self, new: NewAccount, *, idempotency_key: str) -> str:
        """Create an account that its owner has to complete. Its shape is chosen here, for good (decision 0141)."""
        with translating_errors():
            account = await self._client.v1.accounts.create_async(
                {
                    **_settings(new),
                    **(_DESTINATION if new.flow is Flow.DESTINATION else _DIRECT),
                    "country": new.country,
                    "default_currency": new.currency.lower(),
                    "email": new.email,
                    "metadata": {
                        INSTALLATION: new.installation,
                        _MERCHANT: new.merchant_id,
                        "duly_purpose": _PURPOSE,
                    },
                },
                {"idempotency_key": idempotency_key},
            )
            return account.id

    async def accounts_made(self, installation: str, since: datetime | None = None) -> list[MadeAccount]:
        """List the accounts of this installation, which their metadata name, with their merchants."""
        asked: Any = {"limit": _PAGE, **({"created": {"gte": int(since.timestamp())}} if since else {})}
        with translating_errors():
            found = await self._client.v1.accounts.list_async(asked)
            return [
                _made(account)
                async for account in found.auto_paging_iter()
                if metadata_at(account).get(INSTALLATION) == installation
            ]

    async def accounts_seen(self) -> dict[str, AccountFacts]:
        """List every account that our key opens, by its reference. Raises GatewayError: also where Connect is off."""
        with translating_errors():
            found = await self._client.v1.accounts.list_async({"limit": _PAGE})
            return {account.id: _facts(account) async for account in found.auto_paging_iter()}

    async def read_account(self, gateway_account: str) -> AccountFacts | None:
        """Retrieve an account; None when our key does not open it, or it was deleted."""
        with translating_errors():
            try:
                account = await self._client.v1.accounts.retrieve_async(gateway_account)
            except stripe.PermissionError as error:
                access = translated(error)
                if isinstance(access, GatewayAccessError) and access.code == _SHUT_OUT:
                    return None
                raise
            return None if getattr(account, "deleted", False) else _facts(account)

    async def onboarding_page(self, gateway_account: str, *, return_url: str, refresh_url: str) -> str:
        """Create an account link. Whoever has it acts for the owner, so it is kept nowhere."""
        with translating_errors():
            link = await self._client.v1.account_links.create_async(
                {
                    "account": gateway_account,
                    "type": "account_onboarding",
                    # All that will be due is asked at once, so that nobody is sent back here every month.
                    "collection_options": {"fields": "eventually_due"},
                    "return_url": return_url,
                    "refresh_url": refresh_url,
                }
            )
            return link.url


def _made(account: stripe.Account) -> MadeAccount:
    return MadeAccount(
        account.id,
        metadata_at(account).get(_MERCHANT, ""),
        optional(account, "email") or "",
        optional(account, "country") or "",
        (optional(account, "default_currency") or "eur").upper(),
        datetime.fromtimestamp(optional(account, "created") or 0, UTC),
    )


def _facts(account: stripe.Account) -> AccountFacts:
    read = account.to_dict()
    requirements: dict[str, Any] = read.get("requirements") or {}
    deadline = requirements.get("current_deadline")
    return AccountFacts(
        gateway_account=account.id,
        email=optional(account, "email") or "",
        charges_enabled=bool(optional(account, "charges_enabled")),
        details_submitted=bool(optional(account, "details_submitted")),
        payouts_enabled=bool(optional(account, "payouts_enabled")),
        disabled_reason=requirements.get("disabled_reason") or "",
        capability=_capability(read, _CARDS),
        transfers=_capability(read, _TRANSFERS),
        currently_due=tuple(requirements.get("currently_due") or ()),
        past_due=tuple(requirements.get("past_due") or ()),
        pending_verification=tuple(requirements.get("pending_verification") or ()),
        problems=tuple(each.get("reason") or each.get("code") or "" for each in requirements.get("errors") or ()),
        due_at=datetime.fromtimestamp(deadline, UTC) if deadline else None,
    )


def _capability(account: dict[str, Any], name: str) -> Capability:
    status = (account.get("capabilities") or {}).get(name)
    return Capability(status) if status in set(Capability) else Capability.ABSENT


def _settings(new: NewAccount) -> "AccountCreateParams":
    """Return the colours that the merchant's own pages begin with; nothing where it has none."""
    if not new.color:
        return {}
    if not new.background_color:
        return {"settings": {"branding": {"primary_color": new.color}}}
    return {"settings": {"branding": {"primary_color": new.color, "secondary_color": new.background_color}}}
