"""A changed Collection is deployed under open ones (decision 0013)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

import worker
from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.collections.collection import CollectionResult, RetryCommand, Stage
from settings import Settings
from tests.support.builders import Merchant, declined
from tests.support.changed_collections import PATCH, CarelessCollection, PatchedCollection
from tests.support.run_control import COLLECTED, duly_at, happened, until
from tests.support.running_duly import RunningDuly
from workflows import registered
from workflows.collections.collection import Collection

Handle = WorkflowHandle[Collection, CollectionResult]

# Tests on the development server share its ids: this month is before any that they draw.
JULY = "2025-07"
RETRY = RetryCommand("maria", "the customer called")

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
MARKED = EventType.EVENT_TYPE_MARKER_RECORDED
FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


class Releases:
    """Runs one build of Duly after the other on the same server."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        environment: WorkflowEnvironment,
        database: Database,
        gateway: StripeGateway,
        settings: Settings,
    ) -> None:
        self._monkeypatch = monkeypatch
        self._parts = (environment, database, gateway, settings)

    @asynccontextmanager
    async def running(self, collection: type) -> AsyncIterator[RunningDuly]:
        """Duly's workers, with this Collection among their workflows."""
        others = tuple(one for one in registered.WORKFLOWS if not issubclass(one, Collection))
        with self._monkeypatch.context() as patch:
            patch.setattr(worker, "WORKFLOWS", (*others, collection))
            async with duly_at(*self._parts) as duly:
                yield duly


@pytest.fixture
def releases(
    monkeypatch: pytest.MonkeyPatch,
    temporal_server: Client,
    database: Database,
    gateway: StripeGateway,
    settings: Settings,
) -> Releases:
    """On the development server: it takes back what a worker that has left was remembered for."""
    return Releases(monkeypatch, WorkflowEnvironment.from_client(temporal_server), database, gateway, settings)


async def declined_collection(duly: RunningDuly, merchant: Merchant, account_id: str) -> Handle:
    """A collection that waits in dunning, its first attempt declined."""
    account = await merchant.account(account_id, answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection(account, JULY)
    await handle.execute_update(Collection.first_outcome)
    # Taken over, asked, and the customer notified: nothing is in flight that a worker could take along.
    await happened(handle, COLLECTED, count=3)
    return handle


async def retried(handle: Handle) -> CollectionResult:
    await handle.execute_update(Collection.retry_now, RETRY)
    return await handle.result()


async def activities_of(handle: Handle) -> list[str]:
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        async for event in handle.fetch_history_events()
        if event.event_type == SCHEDULED
        and "notify" not in event.activity_task_scheduled_event_attributes.activity_type.name
    ]


async def has(handle: Handle, kind: EventType.ValueType) -> bool:
    return any([event.event_type == kind async for event in handle.fetch_history_events()])


async def is_patched(handle: Handle) -> bool:
    return any(
        [
            PATCH.encode() in payload.data
            async for event in handle.fetch_history_events()
            if event.event_type == MARKED
            for payloads in event.marker_recorded_event_attributes.details.values()
            for payload in payloads.payloads
        ]
    )


async def refusals_of(handle: Handle) -> set[WorkflowTaskFailedCause.ValueType]:
    return {
        event.workflow_task_failed_event_attributes.cause
        async for event in handle.fetch_history_events()
        if event.event_type == FAILED
    }


async def test_an_open_collection_goes_on_as_it_began_and_a_new_one_takes_the_new_path(
    releases: Releases, merchant: Merchant
) -> None:
    async with releases.running(Collection) as today:
        opened_before = await declined_collection(today, merchant, "acc_before")

    async with releases.running(PatchedCollection) as tomorrow:
        opened_after = await declined_collection(tomorrow, merchant, "acc_after")
        before, after = await retried(opened_before), await retried(opened_after)

    assert (before.stage, before.attempts) == (after.stage, after.attempts) == (Stage.SETTLED, 2)
    assert await activities_of(opened_before) == ["open_collection", "collect", "collect", "close_collection"]
    assert await activities_of(opened_after) == ["is_owed", "open_collection", "collect", "collect", "close_collection"]
    assert (await is_patched(opened_before), await is_patched(opened_after)) == (False, True)
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 0


@pytest.mark.slow
async def test_without_a_patch_an_open_collection_stands_still_and_goes_on_when_that_is_mended(
    releases: Releases, merchant: Merchant
) -> None:
    async with releases.running(Collection) as today:
        handle = await declined_collection(today, merchant, "acc_1")

    async with releases.running(CarelessCollection):
        await handle.signal(Collection.card_changed)
        await until(lambda: has(handle, FAILED))
        described = await handle.describe()
    async with releases.running(PatchedCollection):
        result = await handle.result()

    assert described.status is WorkflowExecutionStatus.RUNNING
    assert await refusals_of(handle) == {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR}
    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 2
