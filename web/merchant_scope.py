"""Users who are limited to merchants: which addresses they may ask for, and of whose customers.

Nothing is theirs that is not named here: a page that is added later is not, until somebody has thought about it.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from activities.console.merchant_scope import MerchantScope
from activities.database import Database
from models.console.console_user import ConsoleUser

# What is nobody's, or the user's own.
_OPEN = frozenset(
    {
        *("/", "/search", "/passkeys", "/passkeys/options", "/passkeys/remove", "/sign-out", "/sent/{key}"),
        # Of these users their own views alone; each leads to a list that has its limit.
        "/views/{noun}",
    }
)
# The list of accounts has a limit of its own; these are lists of one account.
_ACCOUNTS = frozenset({"/accounts", "/accounts.csv"})
_OF_ONE_ACCOUNT = frozenset(
    {
        *("transactions", "bills", "payments", "requests", "collections", "refunds", "disputes", "payment-requests"),
        *("messages", "approvals", "timeline"),
    }
)
_OBJECTS = frozenset({*_OF_ONE_ACCOUNT - {"timeline"}, "accounts"})
# Not: what names another account, makes one, or acts on the whole house.
_ACTIONS = frozenset(
    {
        *("transactions/post", "transactions/reject", "transactions/cancel", "transactions/cancel-payment"),
        *("transactions/cancel-by-hand", "transactions/write-off", "transactions/quick-pay", "transactions/refund"),
        *("transactions/note", "accounts/invoice", "accounts/credit-note", "accounts/subscribe", "accounts/edit"),
        *("accounts/suspend", "accounts/terminate", "accounts/reactivate"),
        *("collections/retry", "collections/skip", "collections/extend", "collections/mark-paid"),
        *("collections/give-up", "collections/resolve", "refunds/retry", "refunds/check"),
        *("payment-requests/send", "payment-requests/withdraw", "disputes/accept", "messages/resend"),
        *("approvals/approve", "approvals/reject", "approvals/withdraw"),
    }
)


async def require_scope(database: Database, user: ConsoleUser, request: Request) -> None:
    """Raise HTTPException (404) for what is not of a customer of the user's merchants, as for what is not there."""
    if user.merchants and not await _is_in_scope(MerchantScope(database), user, request):
        raise HTTPException(404)


def is_action_in_scope(user: ConsoleUser, path: str) -> bool:
    """Tell whether a user may be offered an action at all."""
    return not user.merchants or path in _ACTIONS


def is_list_in_scope(user: ConsoleUser, noun: str) -> bool:
    """Tell whether a user may be led to a list of an account."""
    return not user.merchants or noun in _OF_ONE_ACCOUNT


async def _is_in_scope(scope: MerchantScope, user: ConsoleUser, request: Request) -> bool:
    template, id = request.scope["route"].path, str(request.path_params.get("id", ""))
    if template in _OPEN or template in _ACCOUNTS:
        return True
    noun = template.split("/")[1].removesuffix(".csv")
    if template in {f"/{noun}", f"/{noun}.csv"}:
        account = request.query_params.get("account", "").strip()
        return noun in _OF_ONE_ACCOUNT and await scope.has(user.merchants, "accounts", account)
    if noun == "merchants":
        # Each sees what is its own; what is of its customers leads to what these users may see.
        return id in user.merchants
    if template == "/providers/{id}":
        return await scope.has(user.merchants, noun, id)
    if noun == "do":
        noun, verb = request.path_params["noun"], request.path_params["verb"]
        return is_action_in_scope(user, f"{noun}/{verb}") and await scope.has(user.merchants, noun, id)
    return noun in _OBJECTS and bool(id) and await scope.has(user.merchants, noun, id)
