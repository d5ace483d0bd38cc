"""Connected accounts and the links that take their owners through onboarding."""

from datetime import timedelta

from stripe import Account, AccountLink

from sandbox.stripe.api.errors import invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState, changed, merge_metadata

LINK_LASTS = timedelta(minutes=5)
_DUE = ["business_profile.url", "business_type", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]


def create(state: AccountState, params: Json) -> Json:
    """A connected account that still has everything to tell."""
    if state.connect is None:
        raise invalid_request("A connected account cannot create accounts.")
    account: Json = blank(Account) | {
        "id": state.ids.new("acct"),
        "business_type": params.get("business_type"),
        "capabilities": dict.fromkeys(params.get("capabilities", {"card_payments": {}}), "inactive"),
        "charges_enabled": False,
        "country": params.get("country", "US"),
        "created": state.clock.now(),
        "default_currency": params.get("default_currency", "usd"),
        "details_submitted": False,
        "email": params.get("email"),
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "payouts_enabled": False,
        "requirements": _requirements(_DUE),
        "type": params.get("type", "standard"),
    }
    state.connect(account["id"])
    return state.accounts.insert(account)


def _requirements(due: list[str]) -> Json:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes what the platform may change."""
    account = state.accounts.get(id)
    before = dict(account)
    if "metadata" in params:
        account["metadata"] = merge_metadata(account["metadata"], params["metadata"])
    account |= {name: params[name] for name in ("email", "business_type", "default_currency") if name in params}
    previous = changed(before, account, "metadata", "email", "business_type", "default_currency")
    if previous:
        state.emit("account.updated", account, previous)
    return account


def onboard(state: AccountState, account: Json) -> None:
    """The owner told everything: the account may charge and be paid."""
    before = dict(account)
    account |= {
        "capabilities": dict.fromkeys(account["capabilities"], "active"),
        "charges_enabled": True,
        "details_submitted": True,
        "payouts_enabled": True,
        "requirements": _requirements([]),
    }
    fields = ("capabilities", "charges_enabled", "details_submitted", "payouts_enabled", "requirements")
    state.emit("account.updated", account, changed(before, account, *fields))


def delete(state: AccountState, _params: Json, id: str) -> Json:
    """Deletes a connected account."""
    account = state.accounts.get(id)
    state.accounts.remove(account["id"])
    return {"id": id, "object": "account", "deleted": True}


def create_link(state: AccountState, params: Json) -> Json:
    """An onboarding page that works once, for five minutes."""
    account = state.accounts.referenced(params["account"], param="account")
    token = state.ids.new("link")
    link = blank(AccountLink) | {
        "created": state.clock.now(),
        "expires_at": state.clock.now() + int(LINK_LASTS.total_seconds()),
        "url": f"{state.base_url}/pages/onboarding/{token}",
    }
    state.links[token] = {
        "account": account["id"],
        "expires_at": link["expires_at"],
        "refresh_url": params.get("refresh_url"),
        "return_url": params.get("return_url"),
    }
    return link
