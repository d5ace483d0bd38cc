"""Time to certainty: how long an outcome stays unknown after each kind of fault, under the standard policy."""

import asyncio
import math
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from activities.configuration.definitions import Definitions
from activities.configuration.document import DefinitionsDocument, Policy
from bench.machine import Machine, this_machine
from bench.merchant import Merchant, running_merchant
from models.collections.dunning import DunningPolicy
from models.period import Period
from sandbox.customers.merchant import POLICY
from sandbox.stripe.control.messages import Fault, FaultKind
from sandbox.workers import running_worker

CHARGE = "POST /v1/payment_intents"
SHARE_INJECTED = 0.5
RATE = 200.0
WAIT_SECONDS_MAX = 300.0

# Every way in which a charge can be left without an answer. What is refused outright is certain at once.
KINDS = (
    FaultKind.REQUEST_LOST,
    FaultKind.RESPONSE_LOST,
    FaultKind.RESET_MID_BODY,
    FaultKind.STORED_500,
    FaultKind.STORED_500_AFTER_EFFECT,
    FaultKind.SERVER_ERROR_500,
    FaultKind.UNAVAILABLE_503,
    FaultKind.CONFLICT,
    FaultKind.SLOW_ANSWER,
    FaultKind.SLOW_EFFECT,
)

_OPEN = """
    select count(*) from duly.gateway_requests r
    where r.period = :period and r.state in ('pending', 'under_processing', 'unknown')"""

# From the moment an attempt was written down to its outcome, for attempts that the first answer did not settle.
_SECONDS = """
    select extract(epoch from a.finished_at - a.started_at)::float8 as seconds
    from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id
    where r.period = :period and a.finished_at is not null
      and (a.sent_at > a.started_at or a.outcome = 'did_not_happen' or a.code <> '')
    order by seconds"""


@dataclass(frozen=True)
class Certainty:
    """What one kind of fault did: attempts it left unknown, how long, and how many still are."""

    kind: FaultKind
    attempts: int
    median_seconds: float
    p99_seconds: float
    unresolved: int
    double_charges: int


@dataclass(frozen=True)
class Certainties:
    """All kinds, each over the same accounts."""

    machine: Machine
    accounts: int
    gateway_timeout_seconds: float
    kinds: tuple[Certainty, ...]


async def measure_certainty(
    *, accounts: int, kinds: tuple[FaultKind, ...] = KINDS, gateway_timeout_seconds: float = 2.0
) -> Certainties:
    """Run one period for each kind, with half of all charges at fault, and wait until everything is certain."""
    async with running_merchant(accounts) as merchant, AsyncExitStack() as running:
        await Definitions(merchant.database).apply(
            DefinitionsDocument(dunning_policies=(Policy(policy=DunningPolicy(id=POLICY.id, version=2)),))
        )
        stack = merchant.workers(rate=RATE)
        waits = {"DULY_GATEWAY_TIMEOUT_SECONDS": f"{gateway_timeout_seconds:g}"}
        stack = replace(stack, environment={**stack.environment, **waits})
        for role in ("workflow", "gateway"):
            await running.enter_async_context(running_worker(stack, role))
        period = Period.parse("2026-01")
        found = []
        for kind in kinds:
            found.append(await _measure(merchant, kind, str(period), delay_seconds=gateway_timeout_seconds * 3))
            period = period.next()
        return Certainties(await this_machine(merchant.database), accounts, gateway_timeout_seconds, tuple(found))


async def _measure(merchant: Merchant, kind: FaultKind, period: str, *, delay_seconds: float) -> Certainty:
    await merchant.bill(period)
    merchant.control.add_fault(
        Fault(operation=CHARGE, kind=kind, probability=SHARE_INJECTED, seed=len(period), delay_seconds=delay_seconds)
    )
    await merchant.collect(period)
    unresolved = await _wait_until_certain(merchant, period)
    merchant.control.clear_faults()
    seconds = [row.seconds for row in await merchant.database.rows(_SECONDS, period=period)]
    return Certainty(
        kind=kind,
        attempts=len(seconds),
        median_seconds=round(_quantile(seconds, 0.5), 2),
        p99_seconds=round(_quantile(seconds, 0.99), 2),
        unresolved=unresolved,
        double_charges=_double_charges(merchant),
    )


async def _wait_until_certain(merchant: Merchant, period: str) -> int:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    # The workers are other processes, so nothing here could be waited for instead.
    while (still_open := await _still_open(merchant, period)) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    return still_open


async def _still_open(merchant: Merchant, period: str) -> int:
    return int((await merchant.database.rows(_OPEN, period=period))[0][0])


def _double_charges(merchant: Merchant) -> int:
    groups = merchant.control.movements(group_by=("duly_request",)).groups
    return sum(max(0, group.charges.count - 1) for group in groups)


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
