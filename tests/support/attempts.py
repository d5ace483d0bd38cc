"""Making attempts as Temporal does, and reading what became of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.collections.collect import CollectActivities
from models.gateway.gateway_request import CollectRequest, CollectResult
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.support.builders import PERIOD, Merchant

CHARGES = "POST /v1/payment_intents"
LISTS = "GET /v1/payment_intents"


def request_for(account: str, attempt: int = 1, *, period: str = PERIOD, run_id: str = "") -> CollectRequest:
    """One attempt to collect from an account."""
    return CollectRequest(account, period, "stripe", run_id=run_id, attempt=attempt)


async def refused_type(collecting: CollectActivities, request: CollectRequest) -> str:
    """Ask once, see it fail, and return the type of the failure."""
    with pytest.raises(ApplicationError) as failed:
        await collecting.collect(request)
    return str(failed.value.type)


async def until_answered(
    collecting: CollectActivities, request: CollectRequest, *, owner: AsyncEngine | None = None
) -> CollectResult:
    """Ask again and again, as Temporal does while an attempt has no answer; with the owner's engine minutes pass."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ApplicationError):
                return await collecting.collect(request)
            if owner is not None:
                await quiet_period_passes(owner)


def fault_charges(sandbox: SandboxControl, kind: FaultKind, *, calls: Sequence[int] = (1,)) -> None:
    """Inject a fault into the n-th charges."""
    sandbox.add_fault(Fault(operation=CHARGES, kind=kind, calls=tuple(calls)))


def never_answer(
    sandbox: SandboxControl,
    kind: FaultKind = FaultKind.RESPONSE_LOST,
    *,
    operation: str = CHARGES,
    tries: int | None = None,
) -> None:
    """Leave calls without an answer, and whoever looks for what they came to; all of them, or so many tries."""
    sandbox.add_fault(Fault(operation=operation, kind=kind, times=tries))
    reads = operation.replace("POST", "GET")
    sandbox.add_fault(Fault(operation=reads, kind=FaultKind.UNAVAILABLE_503, times=tries and tries - 1))


def charged(sandbox: SandboxControl) -> tuple[int, int]:
    """How many charges really moved money, and how much, from the gateway's own movements."""
    totals = sandbox.movements().totals
    return sum(total.charges.count for total in totals), sum(total.charges.amount_minor for total in totals)


async def attempts(merchant: Merchant, account: str) -> list[tuple[int, str | None]]:
    """Number and outcome of every attempt on an account."""
    rows = await merchant.run(
        "select a.attempt, a.outcome from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id"
        " where r.account_id = :account order by 1",
        account=account,
    )
    return [(row.attempt, row.outcome) for row in rows]


async def request_state(merchant: Merchant, account: str) -> str:
    """State of the account's payment request."""
    return str(
        await merchant.value("select state from duly.gateway_requests where account_id = :account", account=account)
    )


async def broken_invariants(merchant: Merchant) -> list[Any]:
    """What the ledger's own invariants find wrong."""
    return list(await merchant.run("select * from duly.invariant_violations"))


async def quiet_period_passes(owner: AsyncEngine) -> None:
    """Let every quiet period that has begun be over."""
    async with owner.begin() as connection:
        await connection.execute(
            text("update duly.gateway_attempts set quiet_since = quiet_since - interval '4 minutes'")
        )


async def age_attempts(owner: AsyncEngine, *, started: timedelta, sent: timedelta) -> None:
    """Move every attempt into the past: when it was written down, and when it was last sent, by every clock."""
    async with owner.begin() as connection:
        await connection.execute(
            text(
                "update duly.gateway_attempts set started_at = clock_timestamp() - cast(:started as interval),"
                " sent_at = clock_timestamp() - cast(:sent as interval),"
                " quiet_since = clock_timestamp() - cast(:sent as interval)"
            ),
            {"started": started, "sent": sent},
        )
