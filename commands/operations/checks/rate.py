"""Examining how fast a provider's calls are sent: what the rate gives, what is reached, and what limits it."""

import math
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowHandle

from activities.operations.pollers import ACTIVITIES, gateway_work, pollers_of
from activities.payload_codec import PayloadKeyError
from commands.operations.checks.finding import Finding, ok, warning
from models.gateway.errors import is_too_fast
from models.runs.process_run import ShardRequest
from models.runs.window import FLOOR, WINDOW_MOST, shards_for
from models.workflow_ids import gateway_queue
from settings import Settings

# So much of a rate counts as reached: what a server reports is an average of half a minute.
REACHED_SHARE = 0.9

# More refusals than this among what is under way are no accident of two clocks.
REFUSED_SHARE = 0.05

# More calls than this that have failed and wait for their next try are no accident of a few customers.
FAILING_SHARE = 0.25

# What a call to the gateway fails as begins so, and its message is a code.
_OF_GATEWAY = "Gateway"


class Limit(StrEnum):
    """What keeps a queue from sending more."""

    NOTHING_TO_SEND = "nothing is to be sent"
    NO_WORKER = "no gateway worker takes calls"
    GATEWAY = "the gateway refuses more (429)"
    FAILING = "calls fail and are tried again"
    RATE = "the rate limits"
    SLOTS = "all slots are in use"
    WORKERS = "calls wait beside free slots: a run has just begun, or workers are busy or gone"
    WINDOW = "the runs' windows limit"
    RUNS = "the runs have no more to send just now"


@dataclass(frozen=True)
class QueueLoad:
    """A queue's rate and what it passed on lately, in calls a second; its slots, and the calls of runs under way.

    Of those `waiting` are in the queue or between two tries, `refused` were refused as too fast the last time, and
    `failing` failed otherwise, by reason. `least_windows` is the least that the runs' windows have room for.
    """

    rate: float
    reached: float
    slots: int
    in_slots: int
    waiting: int
    refused: int
    least_windows: int = 0
    failing: Counter[str] = field(default_factory=Counter)


@dataclass
class _Calls:
    """The payments that shards have under way."""

    in_slots: int = 0
    waiting: int = 0
    refused: int = 0
    least_windows: int = 0
    failing: Counter[str] = field(default_factory=Counter)


_ADVICE = {
    Limit.NO_WORKER: "start `worker.py --role gateway` for this provider",
    Limit.GATEWAY: "nothing: Duly sends less until it is taken, and recovers by itself. If it lasts, see who else uses"
    " this Stripe account, or lower DULY_GATEWAY_RATE on every worker",
    Limit.FAILING: "see the other lines and the gateway workers' log. Nobody is charged twice, and a run that gets no"
    " answers is held until there is one",
    Limit.SLOTS: "start another `worker.py --role gateway`, or leave DULY_GATEWAY_CONCURRENCY to the rate",
    Limit.WINDOW: "leave `shards` and `window` out of the run's definition: they follow from the rate then. At their"
    " most already, the gateway takes more than six seconds for an answer",
}


def limit_of(load: QueueLoad) -> Limit:
    """Say what keeps a queue from sending more; where less than the rate is reached, what its calls wait for."""
    under_way = load.in_slots + load.waiting
    if not under_way:
        return Limit.NOTHING_TO_SEND
    if not load.slots:
        return Limit.NO_WORKER
    if load.refused > REFUSED_SHARE * under_way:
        return Limit.GATEWAY
    if load.failing.total() > FAILING_SHARE * under_way:
        return Limit.FAILING
    if load.reached >= REACHED_SHARE * load.rate:
        return Limit.RATE
    if load.in_slots >= REACHED_SHARE * load.slots:
        return Limit.SLOTS
    if load.waiting > load.failing.total():
        return Limit.WORKERS
    return Limit.WINDOW if under_way >= REACHED_SHARE * load.least_windows else Limit.RUNS


async def examine_rate(client: Client, settings: Settings, provider: str) -> Finding:
    """Return what a provider's queue is set to, what it has reached lately, and what keeps it from more."""
    check = f"rate of {gateway_queue(provider)}"
    load = await _load(client, settings, provider)
    limit = limit_of(load)
    if limit is Limit.NOTHING_TO_SEND:
        shards = shards_for(math.ceil(settings.gateway_rate))
        return ok(check, f"{load.rate:g}/s: {shards} shards, windows to {WINDOW_MOST}, {load.slots} slots")
    found = f"{load.reached:.1f} of {load.rate:g}/s, {load.in_slots} in flight: {limit}"
    if limit is Limit.FAILING:
        found += f" ({load.failing.most_common(1)[0][0]})"
    advice = _ADVICE.get(limit)
    return warning(check, found, advice) if advice else ok(check, found)


async def _load(client: Client, settings: Settings, provider: str) -> QueueLoad:
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=gateway_queue(provider)),
            task_queue_type=ACTIVITIES,
            report_stats=True,
            report_config=True,
        )
    )
    # A server that changed the rate for a run says so; without that it is what the workers have set.
    rate = described.effective_rate_limit.requests_per_second or settings.gateway_rate
    processes = await pollers_of(client, gateway_work(provider))
    calls = await _calls_of_runs(client, provider)
    return QueueLoad(
        rate=round(rate, 1),
        reached=described.stats.tasks_dispatch_rate,
        slots=processes * settings.gateway_slots,
        in_slots=calls.in_slots,
        waiting=calls.waiting,
        refused=calls.refused,
        least_windows=calls.least_windows,
        failing=calls.failing,
    )


async def _calls_of_runs(client: Client, provider: str) -> _Calls:
    """Count the payments that shards have under way, and how many they might have."""
    calls = _Calls()
    running = f"WorkflowType = 'PaymentRunShard' and ExecutionStatus = 'Running' and Provider = '{provider}'"
    async for shard in client.list_workflows(running):
        handle = client.get_workflow_handle(shard.id)
        calls.least_windows += min(FLOOR, await _window_of(client, handle))
        described = await handle.describe()
        for pending in described.raw_description.pending_activities:
            if not pending.activity_id.startswith("collect-"):
                continue
            is_started = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            calls.in_slots += is_started
            calls.waiting += not is_started
            if pending.HasField("last_failure"):
                await _count_failure(client, pending.last_failure, calls)
    return calls


async def _window_of(client: Client, shard: WorkflowHandle[Any, Any]) -> int:
    """Return the most that a shard may have under way, as it was started."""
    async for started in shard.fetch_history_events(page_size=1):
        payloads = started.workflow_execution_started_event_attributes.input.payloads
        # Without the key to it, it is as wide as it is by itself: another line says that the key is missing.
        with suppress(PayloadKeyError):
            (request,) = await client.data_converter.decode(payloads, [ShardRequest])
            return int(request.window)
        break
    return WINDOW_MOST


async def _count_failure(client: Client, failure: Failure, calls: _Calls) -> None:
    """Count one that was tried before. Only our own codes are shown, which may be encrypted."""
    kind, code = failure.application_failure_info.type, ""
    if kind.startswith(_OF_GATEWAY):
        with suppress(PayloadKeyError):
            code = getattr(await client.data_converter.decode_failure(failure), "message", "")
    if kind == "GatewayBusy" and is_too_fast(code):
        calls.refused += 1
    else:
        calls.failing[": ".join(filter(None, (kind or "no answer of the worker", code)))] += 1
