"""Who works on which task queue, and which worker is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from models.workflow_ids import WORKFLOW_QUEUE, gateway_queue

# Whoever polls asks again every minute; one that was killed stays listed for minutes.
POLLED_WITHIN = timedelta(seconds=90)
WORKFLOWS, ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


@dataclass(frozen=True)
class Work:
    """A task queue, what it needs pollers for, and the role of `worker.py` that polls it."""

    queue: str
    role: str
    kinds: tuple[TaskQueueType.ValueType, ...]


WORKFLOW_WORK = Work(WORKFLOW_QUEUE, "workflow", (WORKFLOWS, ACTIVITIES))


def gateway_work(provider: str) -> Work:
    """The work of one provider's calls."""
    return Work(gateway_queue(provider), "gateway", (ACTIVITIES,))


async def pollers_of(client: Client, work: Work) -> int:
    """Return how many workers have polled a queue lately, for the kind of task that fewest of them poll for."""
    return min([await _pollers(client, work.queue, kind) for kind in work.kinds])


async def missing_workers(client: Client, works: Sequence[Work]) -> list[Work]:
    """Return the work that nobody does."""
    return [work for work in works if not await pollers_of(client, work)]


async def _pollers(client: Client, queue: str, kind: TaskQueueType.ValueType) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    pollers = (await client.workflow_service.describe_task_queue(request, retry=True)).pollers
    lately = datetime.now(UTC) - POLLED_WITHIN
    return sum(poller.last_access_time.ToDatetime(UTC) > lately for poller in pollers)
