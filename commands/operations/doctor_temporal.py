"""Examining Temporal: there, with our namespace and search attributes, and with a worker on every queue."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from commands.operations.doctor_database import ProviderState
from commands.operations.finding import Finding, ok, wrong
from commands.output import Failure
from commands.session import temporal_of
from settings import Settings
from workflows.visibility import SEARCH_ATTRIBUTES, WORKFLOW_QUEUE, gateway_queue

POLLED_WITHIN = timedelta(seconds=90)
WORKFLOWS, ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
TYPE_NAMES = {
    int(number): name.removeprefix("INDEXED_VALUE_TYPE_").title() for name, number in IndexedValueType.items()
}


async def examine_temporal(settings: Settings, providers: Sequence[ProviderState] | None) -> AsyncIterator[Finding]:
    """Yield what is found about Temporal."""
    try:
        client = await temporal_of(settings)
    except Failure as failure:
        advice = "start it, or set DULY_TEMPORAL_ADDRESS (and TLS or an API key) to where it is"
        yield wrong("Temporal", failure.problems[0].message, advice)
        return
    try:
        yield await _namespace(client)
        yield await _search_attributes(client)
        yield await _workers(client, WORKFLOW_QUEUE, "workflow", WORKFLOWS, ACTIVITIES)
        for provider in _polled(settings, providers):
            yield await _workers(client, gateway_queue(provider), "gateway", ACTIVITIES)
    except RPCError as error:
        advice = f"make the namespace {settings.temporal_namespace} and give this key access to it"
        yield wrong("Temporal", error.message, advice)


async def _namespace(client: Client) -> Finding:
    found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    days = found.config.workflow_execution_retention_ttl.ToTimedelta().days
    return ok("Temporal namespace", f"{client.namespace}, closed workflows are kept for {days} days")


async def _search_attributes(client: Client) -> Finding:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    missing = [key for key in SEARCH_ATTRIBUTES if known.get(key.name) != int(key.indexed_value_type)]
    if not missing:
        return ok("search attributes", f"all {len(SEARCH_ATTRIBUTES)} are registered")
    options = " ".join(f"--name {key.name} --type {TYPE_NAMES[int(key.indexed_value_type)]}" for key in missing)
    advice = f"`temporal operator search-attribute create --namespace {client.namespace} {options}`"
    return wrong("search attributes", f"missing, or of another type: {', '.join(key.name for key in missing)}", advice)


async def _workers(client: Client, queue: str, role: str, *kinds: TaskQueueType.ValueType) -> Finding:
    """Tell whether somebody polled the queue lately for every kind of task."""
    polled = [await _pollers(client, queue, kind) for kind in kinds]
    if all(polled):
        return ok(f"worker on {queue}", f"{min(polled)} polling")
    return wrong(f"worker on {queue}", "nobody polls it", f"start `worker.py --role {role}`")


async def _pollers(client: Client, queue: str, kind: TaskQueueType.ValueType) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    pollers = (await client.workflow_service.describe_task_queue(request)).pollers
    # Whoever polls asks again every minute; one that ended stays listed for minutes.
    lately = datetime.now(UTC) - POLLED_WITHIN
    return sum(poller.last_access_time.ToDatetime(UTC) > lately for poller in pollers)


def _polled(settings: Settings, providers: Sequence[ProviderState] | None) -> list[str]:
    effective = [provider.id for provider in providers or () if provider.is_effective]
    return effective or [settings.provider]
