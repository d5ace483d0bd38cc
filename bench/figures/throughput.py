"""Payments a second without a limit, what each costs by process, and the same by a plain loop without Temporal."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

from bench import process_costs
from bench.machine import Machine, this_machine
from bench.measured_run import MeasuredRun, measured
from bench.merchant import Merchant, running_merchant
from bench.plain_loop import collect_plainly
from models.period import Period
from sandbox.workers import running_worker

TARGET_PER_SECOND = 100
TARGET_CPU_MS = 8.3
TARGET_RATIO = 0.75

# Twice what two cores can do: the queue and the worker let everything through. Shards and slots follow from it.
NO_LIMIT = 500.0
FIRST_PERIOD = "2026-01"


@dataclass(frozen=True)
class Pair:
    """The same accounts for two months in a row: by the plain loop, and by a payment run."""

    plain: MeasuredRun
    temporal: MeasuredRun

    @property
    def ratio(self) -> float:
        """How fast Temporal is, as a share of the plain loop."""
        return round(self.temporal.per_second / self.plain.per_second, 2)


@dataclass(frozen=True)
class Throughput:
    """Interleaved pairs, so that whatever else the machine does meets both alike."""

    machine: Machine
    accounts: int
    pairs: tuple[Pair, ...]

    @property
    def per_second(self) -> float:
        """Payments a second of the median run."""
        return median(pair.temporal.per_second for pair in self.pairs)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds per payment of Temporal and Duly's workers together, of the median run."""
        return median(pair.temporal.cpu_ms_of(*process_costs.TEMPORAL_AND_DULY) for pair in self.pairs)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(pair.ratio for pair in self.pairs)


async def measure_throughput(*, accounts: int, pairs: int) -> Throughput:
    """Collect from so many accounts, pair by pair."""
    async with running_merchant(accounts) as merchant, AsyncExitStack() as running:
        stack = merchant.workers(rate=NO_LIMIT)
        for role in ("workflow", "gateway"):
            await running.enter_async_context(running_worker(stack, role))
        periods = months()
        found = [await _pair(merchant, periods) for _ in range(pairs)]
        return Throughput(await this_machine(merchant.database), accounts, tuple(found))


async def _pair(merchant: Merchant, periods: Iterator[str]) -> Pair:
    plain, temporal = next(periods), next(periods)
    await merchant.bill(plain)
    by_loop = await measured(merchant, lambda: collect_plainly(merchant, plain, rate=NO_LIMIT))
    await merchant.bill(temporal)
    return Pair(by_loop, await measured(merchant, lambda: merchant.collect(temporal)))


def months() -> Iterator[str]:
    """Yield one period after another: each can be billed and collected once."""
    period = Period.parse(FIRST_PERIOD)
    while True:
        yield str(period)
        period = period.next()
