"""The embedded Temporal servers."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.api.testservice.v1 import LockTimeSkippingRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from workflows.inputs.runner import CheckingRunner
from workflows.namespace import SearchAttributeTypeError, register_attributes
from workflows.visibility import SEARCH_ATTRIBUTES

with workflow.unsafe.imports_passed_through():
    from tests.support.run_control import happened

VALUES = {
    "KEYWORD": "x",
    "KEYWORD_LIST": ["x"],
    "INT": 3,
    "BOOL": True,
    "DATETIME": datetime(2027, 1, 31, tzinfo=UTC),
}


@workflow.defn(sandboxed=False)
class LongSleep:
    """Sleeps for ten days."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=10))


@workflow.defn
class SlowlySignaled:
    """Waits a second for a signal that takes longer to be handled."""

    def __init__(self) -> None:
        self._is_signaled = False

    @workflow.run
    async def run(self) -> bool:
        """Return whether the signal came in time."""
        try:
            await workflow.wait_condition(lambda: self._is_signaled, timeout=timedelta(seconds=1))
        except TimeoutError:
            return False
        await workflow.sleep(timedelta(hours=1))
        return True

    @workflow.signal
    def come(self) -> None:
        """Keep the worker until the timer has fired."""
        with workflow.unsafe.sandbox_unrestricted():
            threading.Event().wait(1.2)
        self._is_signaled = True


def value_for(key: SearchAttributeKey[Any]) -> SearchAttributePair[Any]:
    return SearchAttributePair(key, VALUES[key.indexed_value_type.name])


async def test_closed_workflows_stay_readable_for_ninety_days(temporal_server: Client) -> None:
    request = DescribeNamespaceRequest(namespace="default")

    described = await temporal_server.workflow_service.describe_namespace(request, retry=True)

    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=90)


async def test_a_workflow_is_found_by_each_registered_attribute(temporal_server: Client) -> None:
    await temporal_server.start_workflow(
        "Anything",
        id="stack-attributes",
        task_queue="nobody-listens",
        search_attributes=TypedSearchAttributes([value_for(key) for key in SEARCH_ATTRIBUTES]),
    )

    described = await temporal_server.get_workflow_handle("stack-attributes").describe()

    assert {pair.key.name for pair in described.typed_search_attributes} >= {key.name for key in SEARCH_ATTRIBUTES}


async def test_registering_attributes_again_changes_nothing(temporal_server: Client) -> None:
    assert await register_attributes(temporal_server) == ()


async def test_an_attribute_of_another_type_is_refused_by_name(temporal_server: Client) -> None:
    clashing = SearchAttributeKey.for_int("AccountId")

    with pytest.raises(
        SearchAttributeTypeError, match="AccountId exists in default with another type: Keyword, not Int"
    ):
        await register_attributes(temporal_server, [clashing])


async def test_who_awaits_results_and_sleeps_at_once_is_not_held_up_by_a_lock_that_nobody_gives_back(
    time_skipping: WorkflowEnvironment,
) -> None:
    await time_skipping.client.test_service.lock_time_skipping(LockTimeSkippingRequest())

    async with Worker(time_skipping.client, task_queue="stack", workflows=[LongSleep]):
        handles = [
            await time_skipping.client.start_workflow(LongSleep.run, id=f"stack-{name}", task_queue="stack")
            for name in ("first", "second")
        ]
        async with asyncio.timeout(60):
            await asyncio.gather(*(handle.result() for handle in handles), time_skipping.sleep(timedelta(days=30)))

    assert all([(await handle.describe()).close_time for handle in handles])


async def test_a_workflow_whose_timer_fires_while_a_signal_ends_its_wait_goes_on(
    time_skipping: WorkflowEnvironment,
) -> None:
    client = await Client.connect(time_skipping.client.service_client.config.target_host)
    worker = Worker(client, task_queue="stack", workflows=[SlowlySignaled], workflow_runner=CheckingRunner())

    async with worker:
        handle = await time_skipping.client.start_workflow(SlowlySignaled.run, id="stack-slow", task_queue="stack")
        async with asyncio.timeout(60):
            await happened(handle, EventType.EVENT_TYPE_TIMER_STARTED)
            await handle.signal(SlowlySignaled.come)
            assert await handle.result()


async def test_ten_days_pass_at_once_on_the_time_skipping_server(time_skipping: WorkflowEnvironment) -> None:
    async with Worker(time_skipping.client, task_queue="stack", workflows=[LongSleep]):
        handle = await time_skipping.client.start_workflow(
            LongSleep.run,
            id="stack-sleep",
            task_queue="stack",
            search_attributes=TypedSearchAttributes([value_for(key) for key in SEARCH_ATTRIBUTES]),
        )
        await handle.result()
    described = await handle.describe()

    assert described.close_time is not None
    assert described.close_time - described.start_time >= timedelta(days=10)
