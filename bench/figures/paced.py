"""Payments a second against a gateway that caps them: close to its cap, and every refusal absorbed."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench.figures.throughput import FIRST_PERIOD
from bench.machine import Machine, this_machine
from bench.measured_run import MeasuredRun, measured
from bench.merchant import running_merchant
from sandbox.stripe.control.messages import RateLimits
from sandbox.workers import running_worker

TARGET_SHARE = 0.97
TARGET_EVENTS = 4


@dataclass(frozen=True)
class Pace:
    """The gateway's cap and the rate that Duly is set to, both in requests a second on one endpoint."""

    cap: float
    rate: float


# The last is set wrong on purpose: faster than the gateway allows, so that refusals are sure to come.
PACES = (Pace(25, 25), Pace(100, 100), Pace(25, 30))


@dataclass(frozen=True)
class PacedRun:
    """One run under a cap."""

    pace: Pace
    measured: MeasuredRun

    @property
    def share_of_cap(self) -> float:
        """The steady rate as a share of the cap."""
        return round(self.measured.steady_per_second / self.pace.cap, 3)


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
        for role in ("workflow", "gateway"):
            await running.enter_async_context(running_worker(stack, role))
        await merchant.bill(FIRST_PERIOD)
        merchant.control.set_rate_limits(RateLimits(per_endpoint=pace.cap))
        found = await measured(merchant, lambda: merchant.collect(FIRST_PERIOD))
        return await this_machine(merchant.database), PacedRun(pace, found)
