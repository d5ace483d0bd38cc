"""Examining Temporal: there, with our namespace and search attributes, and with a worker on every queue."""

from collections.abc import AsyncIterator, Sequence

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from commands.operations.doctor_database import ProviderState
from commands.operations.finding import Finding, ok, wrong
from commands.output import Failure
from commands.session import temporal_of
from commands.waiting.pollers import WORKFLOW_WORK, Work, gateway_work, pollers_of
from settings import Settings
from workflows.visibility import SEARCH_ATTRIBUTES

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
        yield await _workers(client, WORKFLOW_WORK)
        for provider in _polled(settings, providers):
            yield await _workers(client, gateway_work(provider))
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


async def _workers(client: Client, work: Work) -> Finding:
    """Tell whether somebody polled the queue lately for every kind of task."""
    if polling := await pollers_of(client, work):
        return ok(f"worker on {work.queue}", f"{polling} polling")
    waits = "; one that waits for the gateway says gateway_away in its log" if work.role == "gateway" else ""
    return wrong(f"worker on {work.queue}", "nobody polls it", f"start `worker.py --role {work.role}`{waits}")


def _polled(settings: Settings, providers: Sequence[ProviderState] | None) -> list[str]:
    effective = [provider.id for provider in providers or () if provider.is_effective]
    return effective or [settings.provider]
