"""What tests of run control share: workers in front of a gateway of their own, and waiting for what a history says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.runs.process_run import Certificate
from models.runs.run_control import RunStage, RunStatus
from settings import Settings
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from worker import FullGateway, gateway_worker, mail_worker, workflow_worker
from workflows.runs.payment_run import PaymentRun

Run = WorkflowHandle[PaymentRun, Certificate]

COLLECTED = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
STARTED_CHILD = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
FOUND = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES


@asynccontextmanager
async def duly_at(
    environment: WorkflowEnvironment, database: Database, gateway: FullGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    """Duly's workers, with a gateway of the test's own."""
    client = environment.client
    async with (
        workflow_worker(client, database),
        gateway_worker(client, database, gateway, settings),
        mail_worker(client, database, settings),
    ):
        yield RunningDuly(environment)


async def shape(merchant: Merchant, *, shards: int = 1, window: int = 2, page: int = 100) -> None:
    """Give the monthly run small measures."""
    await merchant.run(
        "update duly.run_definitions set shards = :shards, window_size = :window, page_size = :page"
        " where id = 'monthly'",
        shards=shards,
        window=window,
        page=page,
    )


async def owing(merchant: Merchant, count: int) -> list[str]:
    """Open accounts that owe ten euros each."""
    return [await merchant.account(f"acc_{number:02}", owes_minor=1000) for number in range(count)]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds on a server, which sets no event here."""
    while not await holds():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def happened(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType, count: int = 1) -> None:
    """Wait until a history has so many events of a kind."""

    async def has() -> bool:
        return await count_of(handle, kind) >= count

    await until(has)


async def at_work(handle: WorkflowHandle[Any, Any], activity: str) -> None:
    """Wait until a workflow waits for an activity."""

    async def is_pending() -> bool:
        described = await handle.describe()
        pending = described.raw_description.pending_activities
        return activity in [one.activity_type.name for one in pending]

    await until(is_pending)


async def count_of(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType) -> int:
    """Count a history's events of a kind."""
    return sum([event.event_type == kind async for event in handle.fetch_history_events()])


async def reached(run: Run, stage: RunStage) -> None:
    """Wait until a run is at a stage."""

    async def is_there() -> bool:
        return (await run.query(PaymentRun.status)).stage is stage

    await until(is_there)


async def found_by(client: Client, query: str, workflow_id: str) -> None:
    """Wait until a query of the UI finds a workflow."""

    async def is_listed() -> bool:
        return workflow_id in [execution.id async for execution in client.list_workflows(query)]

    await until(is_listed)


async def send_update(run: Run, update: Any, command: object) -> RunStatus:
    """Send an operator's command and return what the run answers."""
    status: RunStatus = await run.execute_update(update, command)
    return status


async def current(duly: RunningDuly, workflow_id: str) -> WorkflowHandle[Any, Any]:
    """A handle on the execution that runs under an id just now."""
    described = await duly.client.get_workflow_handle(workflow_id).describe()
    return duly.client.get_workflow_handle(workflow_id, run_id=described.run_id)


async def page_after(duly: RunningDuly, workflow_id: str) -> None:
    """Wait until a shard has gone on to its second page."""

    async def went_on() -> bool:
        described = await duly.client.get_workflow_handle(workflow_id).describe()
        started = await duly.client.get_workflow_handle(workflow_id, run_id=described.run_id).fetch_history()
        attributes = started.events[0].workflow_execution_started_event_attributes
        return attributes.continued_execution_run_id != ""

    await until(went_on)


async def at_rest(shard: WorkflowHandle[Any, Any], *, completed: int) -> None:
    """Wait until a shard has taken the results of so many activities, and has done all that it does about them."""
    await happened(shard, COLLECTED, completed)
    await shard.query("__stack_trace")


async def refusal(handle: WorkflowHandle[Any, Any], update: Any, command: object) -> str:
    """Return why an update is refused."""
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await handle.execute_update(update, command)
    assert isinstance(error.value.cause, ApplicationError)
    return error.value.cause.message


def members(certificate: Certificate) -> dict[str, int]:
    """Return members by outcome."""
    return {total.outcome: total.members for total in certificate.totals}
