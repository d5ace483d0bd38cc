"""Connected accounts and the links that take their owners through onboarding."""

from collections.abc import Mapping
from datetime import timedelta

from stripe import Account, AccountLink

from sandbox.stripe.api.errors import invalid_request, no_access
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.control.messages import AccountReview
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.money import check_currency
from sandbox.stripe.objects import branding
from sandbox.stripe.state.account_state import AccountState, changed, merge_metadata

LINK_LASTS = timedelta(minutes=5)
_DUE = ["business_profile.url", "business_type", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]
_WATCHED = ("capabilities", "charges_enabled", "details_submitted", "email", "payouts_enabled", "requirements")

# What the older types stand for: who has which dashboard, pays the fees and bears losses.
_OF_TYPE: Mapping[str, tuple[str, str, str]] = {
    "standard": ("full", "account", "stripe"),
    "express": ("express", "application", "application"),
    "custom": ("none", "application", "application"),
}
_TYPE_OF_DASHBOARD = {"full": "standard", "express": "express", "none": "custom"}


def create(state: AccountState, params: Json) -> Json:
    """A connected account that still has everything to tell."""
    if state.connect is None:
        raise invalid_request("A connected account cannot create accounts.")
    _require_platform(state)
    dashboard, fees, losses = _controller(params)
    account: Json = blank(Account) | {
        "id": state.ids.new("acct"),
        "business_type": params.get("business_type"),
        "capabilities": dict.fromkeys(params.get("capabilities", {"card_payments": {}}), "inactive"),
        "charges_enabled": False,
        "controller": {
            "fees": {"payer": fees},
            "is_controller": True,
            "losses": {"payments": losses},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": dashboard},
            "type": "application",
        },
        "country": params.get("country", "US"),
        "created": state.clock.now(),
        "default_currency": check_currency(params.get("default_currency", "usd")),
        "details_submitted": False,
        "email": params.get("email"),
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "payouts_enabled": False,
        "requirements": _requirements(_DUE),
        "settings": {
            "branding": branding.branding_of_account(params),
            "card_payments": blank(Account.Settings.CardPayments)
            | {"decline_on": {"avs_failure": False, "cvc_failure": False}},
            "dashboard": blank(Account.Settings.Dashboard),
            "payments": dict.fromkeys(
                ("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")
            ),
        },
        "type": _TYPE_OF_DASHBOARD[dashboard],
    }
    state.connect(account["id"])
    return state.accounts.insert(account)


def _controller(params: Json) -> tuple[str, str, str]:
    """Who has which dashboard, pays the fees and bears losses, or Stripe's refusal of what does not go together."""
    if "controller" in params and "type" in params:
        raise invalid_request("You may only specify one of these parameters: controller, type.", param="type")
    if "controller" not in params:
        return _OF_TYPE[params.get("type", "standard")]
    given = params["controller"]
    dashboard = given.get("stripe_dashboard", {}).get("type", "full")
    fees = given.get("fees", {}).get("payer", "account")
    losses = given.get("losses", {}).get("payments", "stripe")
    if losses == "application" and fees != "application":
        raise invalid_request(
            "When `controller[losses][payments]=application`, `controller[fees][payer]` must be `application`.",
            param="controller",
        )
    if dashboard != "full" and losses == "stripe":
        raise invalid_request(
            "When `controller[losses][payments]=stripe`, `controller[stripe_dashboard][type]` must be `full`.",
            param="controller",
        )
    return dashboard, fees, losses


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


def list_all(state: AccountState, params: Json) -> Json:
    """The connected accounts that the platform may see, the newest first."""
    _require_platform(state)
    return listed(
        state.accounts, params, url="/v1/accounts", where=lambda account: not _is_shut_out(state, account["id"])
    )


def _is_shut_out(state: AccountState, id: str) -> bool:
    return state.connected_state is not None and state.connected_state(id).is_shut_out


def _require_platform(state: AccountState) -> None:
    if not state.settings.is_platform:
        message = "Only Stripe Connect platforms can work with other accounts. Sign up for Connect in the dashboard."
        raise invalid_request(message, code="platform_account_required")


def retrieve(state: AccountState, _params: Json, id: str) -> Json:
    """An account, as long as the platform may see it."""
    account = state.accounts.get(id)
    if _is_shut_out(state, id):
        raise no_access("sk_test_sandbox", id)
    return account


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes what the platform may change."""
    account = state.accounts.get(id)
    before = dict(account)
    if "metadata" in params:
        account["metadata"] = merge_metadata(account["metadata"], params["metadata"])
    account |= {name: params[name] for name in ("email", "business_type", "default_currency") if name in params}
    previous = changed(before, account, "metadata", "email", "business_type", "default_currency")
    if previous:
        _publish(state, account, previous)
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
    _publish(state, account, changed(before, account, *_WATCHED))


def review(state: AccountState, account: Json, seen: AccountReview) -> None:
    """Stripe, or its owner in the dashboard, changes where an account stands."""
    before = dict(account)
    given = seen.model_dump(exclude_none=True, mode="json")
    account |= {name: given[name] for name in _WATCHED if name in given}
    account["requirements"] = account["requirements"] | {
        name: list(given[name]) if isinstance(given[name], list) else given[name]
        for name in account["requirements"]
        if name in given
    }
    if seen.disabled_reason == "":
        account["requirements"]["disabled_reason"] = None
    if seen.capability:
        account["capabilities"] = dict.fromkeys(account["capabilities"], seen.capability)
    if previous := changed(before, account, *_WATCHED):
        _publish(state, account, previous)


def _publish(state: AccountState, account: Json, previous: Json) -> None:
    """Events about an account are the account's own: the platform's list does not have them."""
    owner = state if state.connected_state is None else state.connected_state(account["id"])
    owner.emit("account.updated", account, previous)


def delete(state: AccountState, _params: Json, id: str) -> Json:
    """Deletes a connected account."""
    account = state.accounts.get(id)
    state.accounts.remove(account["id"])
    return {"id": id, "object": "account", "deleted": True}


def create_link(state: AccountState, params: Json) -> Json:
    """An onboarding page that works once, for five minutes."""
    account = state.accounts.referenced(params["account"], param="account")
    if params["type"] == "account_update" and account["controller"]["stripe_dashboard"]["type"] != "none":
        raise invalid_request(
            "You cannot create `account_update` type Account Links for this account, which has access to a Stripe"
            " dashboard.",
            param="type",
        )
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
