"""Thousands of cards asleep: what their workflows cost the worker in memory, and in CPU while nothing happens."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise

from temporalio.client import Client, WorkflowHandle

from bench import process_costs
from bench.machine import Machine, this_machine
from bench.merchant import Merchant, running_merchant
from models.cards.card import CardRequest, CardResult
from models.workflow_ids import WORKFLOW_QUEUE, card_id
from sandbox.workers import running_worker
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.visibility import card_label

TARGET_GROWTH = 0.1
TARGET_MIB = 200
TARGET_START_MS = 30.0
STARTS_AT_A_TIME = 20
IDLE_SECONDS = 20.0
# A woken card answers by its update: this many are, spread over all of them, most from history.
WOKEN = 200

_CARDS = "select id, account_id, provider_id from duly.cards order by id limit :limit"
_ASLEEP = 'WorkflowType = "CardLifecycle" and Stage = "active"'


@dataclass(frozen=True)
class Asleep:
    """So many cards sleep at once: the memory that the worker holds then, and the CPU that it uses, in cores."""

    cards: int
    worker_mib: float
    worker_cores: float


@dataclass(frozen=True)
class SleepingCards:
    """What it costs to look after ever more cards.

    `seconds` is how long it took to put all of them to sleep, `start_ms` the CPU of each of them meanwhile, by part.
    """

    machine: Machine
    steps: tuple[Asleep, ...]
    seconds: float
    start_ms: dict[str, float]
    foreign_cores: float
    events_max: int
    woken: int
    mib_after_waking: float

    @property
    def mib_max(self) -> float:
        """The most memory that the worker held."""
        return max(*(step.worker_mib for step in self.steps), self.mib_after_waking)

    @property
    def start_ms_of_both(self) -> float:
        """CPU milliseconds of a start, of Temporal and the worker together."""
        return round(self.start_ms[process_costs.TEMPORAL] + self.start_ms[process_costs.WORKFLOW_WORKER], 1)

    @property
    def growth(self) -> float:
        """The memory with the most cards over that with the fewest, as a share."""
        return round(max(self.steps[-1].worker_mib, self.mib_after_waking) / self.steps[0].worker_mib - 1, 3)


async def measure_cards(*, counts: Sequence[int]) -> SleepingCards:
    """Put ever more cards to sleep, as `cards adopt` does, and measure the worker each time; the counts ascend."""
    async with running_merchant(counts[-1], instant=True) as merchant, AsyncExitStack() as running:
        stack = merchant.workers(rate=1.0)
        await running.enter_async_context(running_worker(stack, "workflow"))
        rows = await merchant.database.rows(_CARDS, limit=counts[-1])
        cards = [(str(row.id), str(row.account_id), str(row.provider_id)) for row in rows]
        began, steps = process_costs.read(), []
        slept = 0.0
        for done, wanted in pairwise((0, *counts)):
            await _put_to_sleep(merchant.client, cards[done:wanted])
            await _until_asleep(merchant.client, wanted)
            steps.append(await _measure(wanted))
            slept += IDLE_SECONDS
        ended = process_costs.read()
        used = process_costs.cost(began, ended)
        woken = cards[:: max(1, len(cards) // WOKEN)]
        events = [await _wake(merchant, card) for card, _, _ in woken]
        return SleepingCards(
            machine=await this_machine(merchant.database),
            steps=tuple(steps),
            seconds=round(ended.at - began.at - slept, 1),
            start_ms=used.per_payment_ms(len(cards)),
            foreign_cores=used.foreign_cores,
            events_max=max(events),
            woken=len(woken),
            mib_after_waking=round(process_costs.resident_mib()[process_costs.WORKFLOW_WORKER], 1),
        )


async def _put_to_sleep(client: Client, cards: Sequence[tuple[str, str, str]]) -> None:
    gate = asyncio.Semaphore(STARTS_AT_A_TIME)

    async def start(card: str, account: str, provider: str) -> None:
        async with gate:
            await client.start_workflow(
                CardLifecycle.run,
                CardRequest(card, provider),
                id=card_id(card),
                task_queue=WORKFLOW_QUEUE,
                **card_label(card, account=account, provider=provider),
            )

    await asyncio.gather(*(start(*card) for card in cards))


async def _until_asleep(client: Client, wanted: int) -> None:
    while (await client.count_workflows(_ASLEEP)).count < wanted:  # noqa: ASYNC110  # the server tells nobody
        await asyncio.sleep(0.5)


async def _measure(cards: int) -> Asleep:
    """Let nothing happen for a while, and see what the worker uses meanwhile and holds afterwards."""
    before = process_costs.read()
    await asyncio.sleep(IDLE_SECONDS)
    after = process_costs.read()
    used = after.cpu_seconds[process_costs.WORKFLOW_WORKER] - before.cpu_seconds[process_costs.WORKFLOW_WORKER]
    held = process_costs.resident_mib()[process_costs.WORKFLOW_WORKER]
    return Asleep(cards, round(held, 1), round(used / (after.at - before.at), 3))


async def _wake(merchant: Merchant, card: str) -> int:
    """Make a card read itself anew; return the length of its history."""
    handle: WorkflowHandle[CardLifecycle, CardResult] = merchant.client.get_workflow_handle(card_id(card))
    await handle.execute_update(CardLifecycle.check)
    return (await handle.describe()).history_length
