"""Between a restored database and what would be done on it: nothing passes unseen, and what is superseded ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import TerminatedError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.database import Database, SendingHeldError, create_engine
from activities.recovery.fence import NOT_COMPARED, Fence
from activities.recovery.generation import GenerationOfActivities
from activities.recovery.guard import RestoreGuard
from models.workflow_ids import WORKFLOW_QUEUE
from tests.recovery.line_of_executions import LineOfExecutions, beginning_of_line
from tests.recovery.steps import WHO
from tests.support.builders import Merchant
from worker import workflow_worker


async def ask(database: Database) -> int:
    """What an activity does: it asks its database."""
    return len(await database.rows("select from duly.installation"))


async def server(database: Database) -> str:
    return str((await database.call("fence_state"))["server"])


async def declare(database: Database, merchant: Merchant) -> None:
    """Hold, declare and open again, as a recovery does that found nothing."""
    await database.call("hold_sending", provider_id="stripe", reason="a restore", forgot_since="2026-11-01T00:00:00Z")
    await database.call("declare_restore", provider_id="stripe", moment=None, **WHO)
    await merchant.run("update duly.sending set state = 'open'")


async def audit(client: Client, name: str) -> WorkflowHandle[object, object]:
    return await client.start_workflow("LedgerAudit", id=name, task_queue=WORKFLOW_QUEUE)


@asynccontextmanager
async def at_work(client: Client, url: str) -> AsyncIterator[None]:
    """A worker of workflows that is guarded as that of `worker.py` is."""
    database = Database(create_engine(url, pool=4), timeout_seconds=5)
    guard = RestoreGuard(database, client, "stripe")
    await guard.begin()
    async with workflow_worker(client, database):
        yield
    await database.dispose()


async def test_activities_have_no_database_before_this_start_of_its_server_was_compared(
    database: Database, merchant: Merchant
) -> None:
    woken: list[int] = []
    fence = Fence(database, lambda: woken.append(1))
    database.lend_only_past(fence)

    with pytest.raises(SendingHeldError) as refused:
        await ActivityEnvironment().run(ask, database)
    whoever_recovers = await ask(database)
    await fence.compared("another start of the server")
    with pytest.raises(SendingHeldError, match=NOT_COMPARED):
        await ActivityEnvironment().run(ask, database)
    await fence.compared(await server(database))

    assert (refused.value.next_retry_delay, refused.value.non_retryable) == (timedelta(seconds=1), False)
    assert len(woken) == 2
    assert (whoever_recovers, await ActivityEnvironment().run(ask, database)) == (1, 1)


@pytest.mark.nightly
async def test_a_workflow_that_began_before_a_restore_writes_nothing_more_and_is_ended(
    database: Database, merchant: Merchant, temporal_server: Client, database_url: str
) -> None:
    old = await audit(temporal_server, "ledger-audit-2026-11-01T03:00:00Z")
    await declare(database, merchant)
    new = await audit(temporal_server, "ledger-audit-2026-11-02T03:00:00Z")

    async with at_work(temporal_server, database_url):
        with pytest.raises(WorkflowFailureError) as ended:
            await old.result()
        await new.result()

    assert isinstance(ended.value.cause, TerminatedError)
    assert ended.value.cause.message.startswith("restored: ")
    assert (await new.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_what_a_workflow_starts_is_as_old_as_its_first_execution(temporal_server: Client) -> None:
    async with Worker(
        temporal_server,
        task_queue="line",
        workflows=[LineOfExecutions],
        activities=[beginning_of_line],
        interceptors=[GenerationOfActivities()],
    ):
        first = await temporal_server.start_workflow(LineOfExecutions.run, 2, id="line", task_queue="line")
        beginning = await first.result()

    began = await temporal_server.get_workflow_handle("line", run_id=first.first_execution_run_id).describe()
    assert beginning == began.start_time.isoformat()
