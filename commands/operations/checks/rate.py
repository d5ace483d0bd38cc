"""Examining how fast a provider's calls are sent: what the rate gives, what is reached, and what limits it."""

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from activities.operations.pollers import ACTIVITIES, gateway_work, pollers_of
from commands.operations.checks.finding import Finding, ok, warning
from models.runs.window import WINDOW_MOST, shards_for
from models.workflow_ids import gateway_queue
from settings import Settings

# So much of a rate counts as reached: what a server reports is an average of half a minute.
REACHED_SHARE = 0.9

# More refusals than this among what is under way are no accident of two clocks.
REFUSED_SHARE = 0.05


class Limit(StrEnum):
    """What keeps a queue from sending more."""

    NOTHING_TO_SEND = "nothing is to be sent"
    GATEWAY = "the gateway refuses more (429)"
    RATE = "the rate limits"
    SLOTS = "all slots are in use"
    WINDOW = "the runs' windows limit"


@dataclass(frozen=True)
class QueueLoad:
    """A queue's rate and what it passed on lately, in calls a second; its slots, and the calls of runs under way.

    Of those `waiting` are in the queue or between two tries, and `refused` were refused as too fast the last time.
    """

    rate: float
    reached: float
    slots: int
    in_slots: int
    waiting: int
    refused: int


IN_SLOTS, WAITING, REFUSED = "in slots", "waiting", "refused"

_ADVICE = {
    Limit.GATEWAY: "nothing: Duly sends less until it is taken, and recovers by itself. If it lasts, see who else uses"
    " this Stripe account, or lower DULY_GATEWAY_RATE on every worker",
    Limit.SLOTS: "start another `worker.py --role gateway`, or leave DULY_GATEWAY_CONCURRENCY to the rate",
    Limit.WINDOW: "leave `shards` and `window` out of the run's definition: they follow from the rate then. At their"
    " most already, the gateway takes more than six seconds for an answer",
}


def limit_of(load: QueueLoad) -> Limit:
    """Say what keeps a queue from sending more; what waits beside a free slot waits for the rate."""
    under_way = load.in_slots + load.waiting
    if not under_way:
        return Limit.NOTHING_TO_SEND
    if load.refused > REFUSED_SHARE * under_way:
        return Limit.GATEWAY
    if load.reached >= REACHED_SHARE * load.rate:
        return Limit.RATE
    if load.in_slots >= REACHED_SHARE * load.slots:
        return Limit.SLOTS
    return Limit.RATE if load.waiting else Limit.WINDOW


async def examine_rate(client: Client, settings: Settings, provider: str) -> Finding:
    """Return what a provider's queue is set to, what it has reached lately, and what keeps it from more."""
    check = f"rate of {gateway_queue(provider)}"
    load = await _load(client, settings, provider)
    limit = limit_of(load)
    if limit is Limit.NOTHING_TO_SEND:
        shards = shards_for(math.ceil(settings.gateway_rate))
        return ok(check, f"{load.rate:g}/s: {shards} shards, windows to {WINDOW_MOST}, {load.slots} slots")
    found = f"{load.reached:.1f} of {load.rate:g}/s, {load.in_slots} in flight: {limit}"
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
        in_slots=calls[IN_SLOTS],
        waiting=calls[WAITING],
        refused=calls[REFUSED],
    )


async def _calls_of_runs(client: Client, provider: str) -> Counter[str]:
    """Count the payments that shards have under way."""
    calls: Counter[str] = Counter()
    running = f"WorkflowType = 'PaymentRunShard' and ExecutionStatus = 'Running' and Provider = '{provider}'"
    async for shard in client.list_workflows(running):
        described = await client.get_workflow_handle(shard.id).describe()
        for pending in described.raw_description.pending_activities:
            if not pending.activity_id.startswith("collect-"):
                continue
            is_started = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            calls[IN_SLOTS if is_started else WAITING] += 1
            calls[REFUSED] += pending.last_failure.application_failure_info.type == "GatewayBusy"
    return calls
