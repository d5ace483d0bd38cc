"""Payments a second against a gateway with a cap, that answers at once or as a real one does: late, and not always."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import product

from bench.figures.throughput import FIRST_PERIOD
from bench.machine import Machine, this_machine
from bench.measured_run import MeasuredRun, measured
from bench.merchant import Merchant, running_merchant
from models.runs.process_run import Certificate
from sandbox.stripe.control.messages import Fault, FaultKind, Latency, RateLimits
from sandbox.workers import running_worker

CHARGES = "POST /v1/payment_intents"

TARGET_SHARE = 0.97
TARGET_SHARE_OF_MANY_UNANSWERED = 0.92
MANY_UNANSWERED = 0.02
TARGET_EVENTS = 4

# The client gives up after 20 s: this is never answered in time, though the charge is made.
NEVER_SECONDS = 30.0

# What an outage may cost beside its own time: the breaker asks every half a minute whether it is over.
TARGET_AFTER_OUTAGE_SECONDS = 60.0

# Outcomes that come after the run are waited for so long.
LATER_SECONDS = 900.0

_NOT_CHARGED = """
    select count(*) as members from duly.run_items i
    where i.run_id in (select id from duly.process_runs where kind = 'payment') and i.outcome <> 'skipped'
      and not exists (select from duly.gateway_requests r
          where r.kind = 'payment' and r.account_id = i.account_id and r.state = 'posted')"""


@dataclass(frozen=True)
class Answers:
    """How long answers take, in seconds: lognormal by median and 99th percentile; and how many never come in time."""

    median_seconds: float = 0
    percentile_99_seconds: float = 0
    unanswered: float = 0


AT_ONCE, LATE = Answers(), Answers(1.1, 4)
SOME_NEVER, MANY_NEVER = Answers(1.1, 4, 0.005), Answers(1.1, 4, MANY_UNANSWERED)


@dataclass(frozen=True)
class Pace:
    """The gateway's cap and Duly's rate, both in requests a second on one endpoint, and how the gateway answers.

    With `outage_seconds` every request is lost for so long in the middle of the run. With `slots` each gateway worker
    may have so few calls in flight that one alone cannot reach the cap.
    """

    cap: float
    rate: float
    answers: Answers = AT_ONCE
    gateway_workers: int = 1
    outage_seconds: float = 0
    slots: int = 0

    @property
    def target(self) -> float:
        """The share of the cap that is wanted."""
        many = self.answers.unanswered >= MANY_UNANSWERED
        return TARGET_SHARE_OF_MANY_UNANSWERED if many else TARGET_SHARE


# The highest first: it needs the machine to itself.
CAPS = (100.0, 25.0)
PACES = (
    *(Pace(cap, cap, answers) for cap, answers in product(CAPS, (AT_ONCE, LATE, SOME_NEVER, MANY_NEVER))),
    # Set wrong on purpose, faster than the gateway allows: refusals are sure to come.
    Pace(25, 30),
    Pace(50, 100, LATE),
    *(
        Pace(25, 25, LATE, gateway_workers=count, slots=slots)
        for slots in (0, 12)
        for count in (1, 2, 4)
        if slots or count > 1
    ),
    Pace(25, 25, LATE, outage_seconds=600),
)


@dataclass(frozen=True)
class PacedRun:
    """One run under a cap; `doubled` are the charges beyond one for each payment.

    Some outcomes come after the run, from collections: the last one came after `known_seconds`, and `not_known` members
    had none when they were waited for no longer.
    """

    pace: Pace
    measured: MeasuredRun
    doubled: int = 0
    not_known: int = 0
    known_seconds: float = 0

    @property
    def share_of_cap(self) -> float:
        """The rate while members were left to be asked, as a share of the cap."""
        return round(self.measured.plateau_per_second / self.pace.cap, 3)

    @property
    def seconds_after_outage(self) -> float:
        """How much longer than its members' time at the cap and the outage the run took, in seconds."""
        return round(self.measured.seconds - self.measured.payments / self.pace.cap - self.pace.outage_seconds, 1)


@dataclass(frozen=True)
class Paced:
    """A run for each pace."""

    machine: Machine
    runs: tuple[PacedRun, ...]


async def measure_paced(*, seconds: int, paces: tuple[Pace, ...] = PACES) -> Paced:
    """Run each pace for about so many seconds, each on a stack of its own."""
    found = [await _run(pace, accounts=round(pace.cap * seconds)) for pace in paces]
    return Paced(found[-1][0], tuple(run for _, run in found))


async def _run(pace: Pace, *, accounts: int) -> tuple[Machine, PacedRun]:
    async with running_merchant(accounts) as merchant, AsyncExitStack() as running:
        stack = merchant.workers(rate=pace.rate)
        if pace.slots:
            stack = replace(stack, environment={**stack.environment, "DULY_GATEWAY_CONCURRENCY": str(pace.slots)})
        await running.enter_async_context(running_worker(stack, "workflow"))
        for number in range(pace.gateway_workers):
            await running.enter_async_context(running_worker(stack, "gateway", name=f"gateway-{number}"))
        await merchant.bill(FIRST_PERIOD)
        _answer_as(merchant, pace)
        found = await measured(merchant, lambda: _collect(merchant, pace, seconds=accounts / pace.cap))
        not_known, later = await _until_all_are_known(merchant)
        charges = sum(total.charges.count for total in merchant.control.movements().totals)
        run = PacedRun(
            pace,
            found,
            doubled=charges - (accounts - not_known),
            not_known=not_known,
            known_seconds=round(found.seconds + later, 1),
        )
        return await this_machine(merchant.database), run


def _answer_as(merchant: Merchant, pace: Pace) -> None:
    """Let the gateway refuse what exceeds the cap, and answer as the pace says."""
    control, answers = merchant.control, pace.answers
    control.set_rate_limits(RateLimits(per_endpoint=pace.cap))
    control.set_latency(
        Latency(median_seconds=answers.median_seconds, percentile_99_seconds=answers.percentile_99_seconds)
    )
    if answers.unanswered:
        control.add_fault(
            Fault(
                operation=CHARGES,
                kind=FaultKind.SLOW_ANSWER,
                probability=answers.unanswered,
                delay_seconds=NEVER_SECONDS,
            )
        )


async def _collect(merchant: Merchant, pace: Pace, *, seconds: float) -> Certificate:
    """Collect from everyone, and have the outage in the middle."""
    async with asyncio.TaskGroup() as group:
        if pace.outage_seconds:
            group.create_task(_outage(merchant, after=seconds / 2, seconds=pace.outage_seconds))
        collecting = group.create_task(merchant.collect(FIRST_PERIOD))
    return collecting.result()


async def _outage(merchant: Merchant, *, after: float, seconds: float) -> None:
    await asyncio.sleep(after)
    merchant.control.add_fault(Fault(operation="*", kind=FaultKind.REQUEST_LOST))
    await asyncio.sleep(seconds)
    merchant.control.clear_faults()


async def _until_all_are_known(merchant: Merchant) -> tuple[int, float]:
    """Wait until everybody was charged; return for how many that was not seen, and how long it took, in seconds."""
    began = time.monotonic()
    while True:
        (left,) = await merchant.database.rows(_NOT_CHARGED)
        waited = time.monotonic() - began
        if not left.members or waited > LATER_SECONDS:
            return left.members, waited
        await asyncio.sleep(1)
