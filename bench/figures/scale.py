"""A large run against an instant gateway: histories stay small and the workers' memory flat, whatever the size."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench import process_costs
from bench.figures.throughput import FIRST_PERIOD, NO_LIMIT
from bench.machine import Machine, this_machine
from bench.merchant import Merchant, running_merchant
from bench.rates import first_and_last_tenth
from models.workflow_ids import payment_run_id
from sandbox.customers.merchant import PAYMENT_DEFINITION
from sandbox.workers import running_worker

TARGET_EVENTS = 10_000
TARGET_GROWTH = 0.15
SAMPLE_SECONDS = 1.0

_CHARGED = "select count(*) from duly.run_items where run_id = :run_id and outcome = 'charged'"


@dataclass(frozen=True)
class Memory:
    """Resident memory of one part, in MiB: the medians of the first and of the last tenth of the run."""

    part: str
    first_mib: float
    last_mib: float

    @property
    def growth(self) -> float:
        """The last tenth over the first, as a share."""
        return round(self.last_mib / self.first_mib - 1, 3)


@dataclass(frozen=True)
class History:
    """The longest history of one kind of workflow."""

    workflow: str
    executions: int
    events_max: int


@dataclass(frozen=True)
class Scale:
    """One run over many accounts. `accounts` is how many there were, `charged` how many the time sufficed for."""

    machine: Machine
    accounts: int
    charged: int
    seconds: float
    per_second: float
    cpu_ms: dict[str, float]
    foreign_cores: float
    histories: tuple[History, ...]
    memory: tuple[Memory, ...]


async def measure_scale(*, accounts: int, seconds_max: float) -> Scale:
    """Collect from so many accounts, or from as many as the time allows."""
    async with running_merchant(accounts, instant=True) as merchant, AsyncExitStack() as running:
        stack = merchant.workers(rate=NO_LIMIT)
        await running.enter_async_context(running_worker(stack, "workflow"))
        instant = (sys.executable, "-m", "bench.instant_worker")
        await running.enter_async_context(running_worker(stack, "gateway", argv=instant))
        await merchant.bill(FIRST_PERIOD)
        before = process_costs.read()
        async with _sampled_memory() as samples:
            await _collect(merchant, seconds_max)
        return await _scale(merchant, accounts, before, samples)


async def _collect(merchant: Merchant, seconds_max: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds_max):
            await merchant.collect(FIRST_PERIOD)


async def _scale(
    merchant: Merchant, accounts: int, before: process_costs.Reading, samples: list[dict[str, float]]
) -> Scale:
    after = process_costs.read()
    seconds, used = after.at - before.at, process_costs.cost(before, after)
    run_id = payment_run_id(PAYMENT_DEFINITION, FIRST_PERIOD)
    charged = int((await merchant.database.rows(_CHARGED, run_id=run_id))[0][0])
    return Scale(
        machine=await this_machine(merchant.database),
        accounts=accounts,
        charged=charged,
        seconds=round(seconds, 1),
        per_second=round(charged / seconds, 1),
        cpu_ms=used.per_payment_ms(charged),
        foreign_cores=used.foreign_cores,
        histories=await _histories(merchant),
        memory=tuple(_memory(part, samples) for part in process_costs.WORKERS),
    )


@contextlib.asynccontextmanager
async def _sampled_memory() -> AsyncIterator[list[dict[str, float]]]:
    samples: list[dict[str, float]] = []
    sampling = asyncio.create_task(_sample(samples))
    try:
        yield samples
    finally:
        sampling.cancel()


async def _sample(samples: list[dict[str, float]]) -> None:
    began = time.monotonic()
    while True:
        samples.append(process_costs.resident_mib())
        await asyncio.sleep(began + len(samples) * SAMPLE_SECONDS - time.monotonic())


def _memory(part: str, samples: list[dict[str, float]]) -> Memory:
    first, last = first_and_last_tenth([sample[part] for sample in samples])
    return Memory(part, round(first, 1), round(last, 1))


async def _histories(merchant: Merchant) -> tuple[History, ...]:
    return tuple([await _longest(merchant, kind) for kind in ("PaymentRun", "PaymentRunShard")])


async def _longest(merchant: Merchant, workflow: str) -> History:
    # Histories are counted themselves: the index that visibility searches is written a little later.
    lengths = []
    async for execution in merchant.client.list_workflows(f"WorkflowType = '{workflow}'"):
        handle = merchant.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        lengths.append((await handle.describe()).history_length)
    return History(workflow, len(lengths), max(lengths))
