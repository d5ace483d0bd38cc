"""What Duly needs of its Temporal namespace: that it is there, how long it keeps what has ended, and its attributes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from workflows.visibility import SEARCH_ATTRIBUTES

# Long enough to look back at a quarter's runs.
RETENTION = timedelta(days=90)

# So long a host of a cluster may not know yet what another host has made.
SPREADING_SECONDS = 60.0
_PAUSE_SECONDS = 0.5

_MAY_NOT_KNOW = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})

Answer = TypeVar("Answer")
Keys = Sequence[SearchAttributeKey[Any]]

# Names of types as `temporal operator search-attribute` and the UI write them: KeywordList, Datetime.
TYPE_NAMES = {
    number: name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")
    for name, number in IndexedValueType.items()
}


class SearchAttributeTypeError(RuntimeError):
    """A namespace has one of our attributes with another type: no workflow that sets it can start there."""


@dataclass(frozen=True)
class AttributeComparison:
    """What a namespace has of the search attributes that Duly sets."""

    missing: Keys
    problems: tuple[str, ...]


@dataclass(frozen=True)
class EnsuredNamespace:
    """What was done about a namespace: whether it was created, and how long it keeps and kept what has ended."""

    is_new: bool
    retention: timedelta
    retention_before: timedelta


async def ensure_namespace(client: Client, retention: timedelta = RETENTION) -> EnsuredNamespace:
    """Create the client's namespace unless it is there; let it keep what has ended at least as long as is given."""
    service, name = client.workflow_service, client.namespace
    length = Duration()
    length.FromTimedelta(retention)
    found = await describe_namespace(client)
    if found is None:
        request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=length)
        _ = await service.register_namespace(request)
        _ = await _when_known(lambda: _known_attributes(client), RPCStatusCode.NOT_FOUND)
        return EnsuredNamespace(True, retention, timedelta(0))
    if found < retention:
        config = NamespaceConfig(workflow_execution_retention_ttl=length)
        _ = await service.update_namespace(UpdateNamespaceRequest(namespace=name, config=config))
    return EnsuredNamespace(False, max(found, retention), found)


async def describe_namespace(client: Client) -> timedelta | None:
    """Return how long the client's namespace keeps what has ended, or None when there is no such namespace."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        found = await client.workflow_service.describe_namespace(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return found.config.workflow_execution_retention_ttl.ToTimedelta()


async def compare_attributes(client: Client, keys: Keys = SEARCH_ATTRIBUTES) -> AttributeComparison:
    """Compare the client's namespace with the search attributes that Duly sets."""
    known = await _known_attributes(client)
    return AttributeComparison(
        tuple(key for key in keys if key.name not in known),
        tuple(
            f"search attribute {key.name} exists in {client.namespace} with another type:"
            f" {TYPE_NAMES[known[key.name]]}, not {type_of(key)}"
            for key in keys
            if known.get(key.name, int(key.indexed_value_type)) != int(key.indexed_value_type)
        ),
    )


async def register_attributes(client: Client, keys: Keys = SEARCH_ATTRIBUTES) -> Keys:
    """Register the attributes that the client's namespace lacks, and return them when its server knows them all.

    Raises SearchAttributeTypeError when one exists with another type. Without an attribute a workflow that sets it is
    refused at its start, or retries its first task for ever.
    """
    comparison = await compare_attributes(client, keys)
    if comparison.problems:
        raise SearchAttributeTypeError("; ".join(comparison.problems))
    if comparison.missing:
        wanted = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in comparison.missing}
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=wanted)
        _ = await _when_known(lambda: client.operator_service.add_search_attributes(request), RPCStatusCode.NOT_FOUND)
        await _when_known(lambda: _query(client, comparison.missing), RPCStatusCode.INVALID_ARGUMENT)
    return comparison.missing


async def unprepared(client: Client) -> str:
    """Say what the client's namespace lacks for workflows to run in it; nothing also when this client may not know.

    Raises SearchAttributeTypeError for what does not change by waiting.
    """
    try:
        if await describe_namespace(client) is None:
            return f"there is no namespace {client.namespace}"
        comparison = await compare_attributes(client)
    except RPCError as error:
        return "" if error.status in _MAY_NOT_KNOW else error.message
    if comparison.problems:
        raise SearchAttributeTypeError("; ".join(comparison.problems))
    names = ", ".join(key.name for key in comparison.missing)
    return f"{client.namespace} lacks the search attributes {names}" if names else ""


def type_of(key: SearchAttributeKey[Any]) -> str:
    """Return the type of a search attribute as Temporal's programs write it."""
    return TYPE_NAMES[IndexedValueType.ValueType(int(key.indexed_value_type))]


async def _known_attributes(client: Client) -> Mapping[str, IndexedValueType.ValueType]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        return (await client.operator_service.list_search_attributes(request)).custom_attributes
    except RPCError as error:
        # The time-skipping test server registers attributes but cannot list them; it starts with none.
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            return {}
        raise


async def _query(client: Client, keys: Keys) -> None:
    """Ask for workflows by each attribute, which a host refuses that does not know it yet."""
    query = " OR ".join(f"{key.name} IS NOT NULL" for key in keys)
    request = CountWorkflowExecutionsRequest(namespace=client.namespace, query=query)
    try:
        _ = await client.workflow_service.count_workflow_executions(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:
            raise


async def _when_known(call: Callable[[], Awaitable[Answer]], unknown: RPCStatusCode) -> Answer:
    """Repeat a call that a host refuses with a status as long as it may not know what another host has made."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + SPREADING_SECONDS
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status is not unknown or clock() > deadline:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
