"""The sandbox's own endpoints under `/_sandbox`: time, faults, scripts, limits, webhooks and the money that moved."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe.api.errors import ApiError, invalid_request
from sandbox.stripe.control import connected
from sandbox.stripe.control.bodies import given
from sandbox.stripe.control.latency import Latencies
from sandbox.stripe.control.messages import (
    AccountSettings,
    CardScript,
    ClockChange,
    Delays,
    DisputeScript,
    EventFault,
    Fault,
    Latency,
    MovementReport,
    RateLimits,
    RestrictedKey,
    WebhookEndpoint,
)
from sandbox.stripe.core import Sandbox
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.cards import mandates, network_updates, payment_methods
from sandbox.stripe.objects.payments import disputes, payouts, refunds
from sandbox.stripe.state import balance_oracle
from sandbox.stripe.state.account_state import AccountState

Command = Callable[[Sandbox, Request], Awaitable[object]]
AnyKind = TypeVar("AnyKind", bound=StrEnum)


def _account_state(sandbox: Sandbox, request: Request) -> AccountState:
    account = request.query_params.get("account")
    return sandbox.account_state_for(sandbox.config.api_key, account)


async def clock(sandbox: Sandbox, request: Request) -> object:
    """Tells the time; a POST moves it forward, a DELETE forgets all there is and begins again at the real time."""
    if request.method == "DELETE":
        sandbox.reset()
        sandbox.clock.begin_again()
    if request.method == "POST":
        change = await given(request, ClockChange)
        if change.advance is not None:
            sandbox.clock.advance(change.advance)
        elif change.set is not None:
            if change.set < sandbox.clock.exactly():
                raise invalid_request("The clock only goes forward.", param="set")
            sandbox.clock.set(change.set)
    return {"now": sandbox.clock.exactly()}


async def reset(sandbox: Sandbox, _request: Request) -> object:
    """Forgets everything but the clock and the webhook endpoints."""
    sandbox.reset()
    return {}


async def faults(sandbox: Sandbox, request: Request) -> object:
    """Tells what is planned and what was injected; a POST adds, a DELETE forgets."""
    if request.method == "POST":
        sandbox.faults.add(await given(request, Fault))
    elif request.method == "DELETE":
        sandbox.faults.clear()
    return {"plan": sandbox.faults.plan(), "injected": _by_name(sandbox.faults.injected)}


async def event_faults(sandbox: Sandbox, request: Request) -> object:
    """The same for webhooks."""
    if request.method == "POST":
        sandbox.webhooks.plan(await given(request, EventFault))
    elif request.method == "DELETE":
        sandbox.webhooks.clear_faults()
    return {"injected": _by_name(sandbox.webhooks.injected)}


def _by_name(injected: Mapping[AnyKind, int]) -> dict[str, int]:
    # JSON's keys are plain strings; orjson takes no enum for one.
    return {kind.value: count for kind, count in injected.items()}


async def rate_limits(sandbox: Sandbox, request: Request) -> object:
    """Tells the limits; a POST replaces them."""
    if request.method == "POST":
        sandbox.limiter.change(await given(request, RateLimits))
    return sandbox.limiter.limits


async def latency(sandbox: Sandbox, request: Request) -> object:
    """Tells how long answers take; a POST changes it."""
    if request.method == "POST":
        sandbox.latencies = Latencies(await given(request, Latency))
    return sandbox.latencies.latency


async def delays(sandbox: Sandbox, request: Request) -> object:
    """Tells the delays; a POST replaces them."""
    if request.method == "POST":
        sandbox.set_delays(await given(request, Delays))
    return sandbox.platform.delays


async def account_settings(sandbox: Sandbox, request: Request) -> object:
    """Tells how the accounts are paid out; a POST changes it for what moves from now on."""
    if request.method == "POST":
        sandbox.set_settings(await given(request, AccountSettings))
    return sandbox.platform.settings


async def restricted_keys(sandbox: Sandbox, request: Request) -> object:
    """Tells the restricted keys; a POST adds one."""
    if request.method == "POST":
        restricted = await given(request, RestrictedKey)
        sandbox.restricted[restricted.key] = frozenset(restricted.permissions)
    return {key: sorted(permissions) for key, permissions in sandbox.restricted.items()}


async def webhook_endpoints(sandbox: Sandbox, request: Request) -> object:
    """Tells where events go; a POST adds, a DELETE forgets all."""
    if request.method == "POST":
        sandbox.webhooks.endpoints.append(await given(request, WebhookEndpoint))
    elif request.method == "DELETE":
        sandbox.webhooks.endpoints.clear()
    return {"endpoints": sandbox.webhooks.endpoints}


async def webhook_counts(sandbox: Sandbox, _request: Request) -> object:
    """Deliveries so far, and what is still under way; `settle` waits for that first."""
    if "settle" in _request.query_params:
        await sandbox.webhooks.settle()
    return {"delivered": sandbox.webhooks.delivered, "failed": sandbox.webhooks.failed}


async def requests(sandbox: Sandbox, _request: Request) -> object:
    """Counts requests by operation and answers by status."""
    by_status = {str(status): count for status, count in sandbox.statuses.items()}
    return {"requests": dict(sandbox.requests), "statuses": by_status}


async def show_movements(sandbox: Sandbox, request: Request) -> object:
    """`?key=` groups by metadata keys, `?metadata.name=value` filters."""
    state = _account_state(sandbox, request)
    keys = request.query_params.getlist("key") or balance_oracle.DEFAULT_KEYS
    wanted = {
        name.removeprefix("metadata."): value
        for name, value in request.query_params.items()
        if name.startswith("metadata.")
    }
    return MovementReport(
        groups=balance_oracle.groups_of(state, keys, wanted),
        totals=balance_oracle.totals_of(state),
        requests=dict(sandbox.requests),
    )


async def script_card(sandbox: Sandbox, request: Request) -> object:
    """Gives a card its next answers."""
    state = _account_state(sandbox, request)
    state.script(request.path_params["id"], await given(request, CardScript))
    return {}


async def update_card(sandbox: Sandbox, request: Request) -> object:
    """The card network replaces the card's expiry or number."""
    return network_updates.replace(_account_state(sandbox, request), request.path_params["id"])


async def detach_card(sandbox: Sandbox, request: Request) -> object:
    """Takes a card from its customer as if at the dashboard."""
    return payment_methods.detach(_account_state(sandbox, request), {}, request.path_params["id"])


async def revoke_mandate(sandbox: Sandbox, request: Request) -> object:
    """Takes back the leave to charge."""
    state = _account_state(sandbox, request)
    mandate = state.mandates.get(request.path_params["id"])
    mandates.revoke(state, mandate)
    return mandate


async def open_dispute(sandbox: Sandbox, request: Request) -> object:
    """Lets the cardholder dispute a charge."""
    state = _account_state(sandbox, request)
    charge = state.charges.get(request.path_params["id"])
    return disputes.open_dispute(state, charge, await given(request, DisputeScript))


async def decide_dispute(sandbox: Sandbox, request: Request) -> object:
    """The bank's word on a dispute: won, lost (with a part `?reinstated=`), overturn, or, for an inquiry, escalate."""
    state = _account_state(sandbox, request)
    dispute = state.disputes.get(request.path_params["id"])
    verdict = request.path_params["verdict"]
    if verdict == "escalate":
        disputes.escalate(state, dispute)
    elif verdict == "overturn":
        disputes.overturn(state, dispute)
    elif verdict in {"won", "lost"}:
        reinstated = int(request.query_params.get("reinstated", 0))
        disputes.decide(state, dispute, won=verdict == "won", reinstated=reinstated)
    else:
        raise invalid_request("A dispute is won, lost, overturned or escalated.", param="verdict")
    return dispute


async def settle_refund(sandbox: Sandbox, request: Request) -> object:
    """What becomes of a refund: succeed, or fail with `?reason=`."""
    state = _account_state(sandbox, request)
    refund = state.refunds.get(request.path_params["id"])
    if request.path_params["outcome"] == "fail":
        refunds.fail(state, refund, request.query_params.get("reason", "unknown"))
    else:
        refunds.succeed(state, refund)
    return refund


async def pay_out(sandbox: Sandbox, request: Request) -> object:
    """Pays out what is available, as the account's schedule would."""
    return {"payouts": payouts.pay_out_everything(_account_state(sandbox, request))}


async def settle_payout(sandbox: Sandbox, request: Request) -> object:
    """What becomes of a payout: it arrives, or fails, even after that."""
    state = _account_state(sandbox, request)
    payout = state.payouts.get(request.path_params["id"])
    if request.path_params["end"] == "fail":
        payouts.fail(state, payout)
    else:
        payouts.arrive(state, payout)
    return payout


async def _serve(sandbox: Sandbox, command: Command, request: Request) -> Response:
    sandbox.clock.run_due()
    try:
        status, body = 200, await command(sandbox, request)
    except ApiError as refused:
        status, body = refused.status, refused.body()
    return Response(orjson.dumps(body, default=_plain), status, media_type="application/json")


def _plain(value: Any) -> Json:
    dumped: Json = value.model_dump(mode="json")
    return dumped


def routes(sandbox: Sandbox) -> list[Route]:
    """The control endpoints, bound to the sandbox."""
    commands: tuple[tuple[str, Command, list[str]], ...] = (
        ("clock", clock, ["GET", "POST", "DELETE"]),
        ("reset", reset, ["POST"]),
        ("faults", faults, ["GET", "POST", "DELETE"]),
        ("event_faults", event_faults, ["GET", "POST", "DELETE"]),
        ("rate_limits", rate_limits, ["GET", "POST"]),
        ("delays", delays, ["GET", "POST"]),
        ("latency", latency, ["GET", "POST"]),
        ("account_settings", account_settings, ["GET", "POST"]),
        ("restricted_keys", restricted_keys, ["GET", "POST"]),
        ("webhook_endpoints", webhook_endpoints, ["GET", "POST", "DELETE"]),
        ("webhooks", webhook_counts, ["GET"]),
        ("requests", requests, ["GET"]),
        ("movements", show_movements, ["GET"]),
        ("cards/{id}/script", script_card, ["POST"]),
        ("cards/{id}/update", update_card, ["POST"]),
        ("cards/{id}/detach", detach_card, ["POST"]),
        ("mandates/{id}/revoke", revoke_mandate, ["POST"]),
        ("accounts/{id}/disconnect", connected.disconnect, ["POST"]),
        ("accounts/{id}/let_in", connected.let_in, ["POST"]),
        ("accounts/{id}/review", connected.review, ["POST"]),
        ("charges/{id}/dispute", open_dispute, ["POST"]),
        ("disputes/{id}/{verdict}", decide_dispute, ["POST"]),
        ("refunds/{id}/{outcome}", settle_refund, ["POST"]),
        ("payouts", pay_out, ["POST"]),
        ("payouts/{id}/{end}", settle_payout, ["POST"]),
    )
    return [
        Route(f"/_sandbox/{path}", partial(_serve, sandbox, command), methods=methods)
        for path, command, methods in commands
    ]
