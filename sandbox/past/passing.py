"""Lets time pass for everybody at once: for Temporal from timer to timer, for all others with the days."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.testservice.v1 import UnlockTimeSkippingRequest
from temporalio.api.workflowservice.v1 import ListClosedWorkflowExecutionsRequest
from temporalio.client import Client, WorkflowExecutionDescription

from activities.database import Database
from models.workflow_ids import collection_id
from sandbox.servers.shown_clock import ShownClock
from sandbox.servers.time_skipping import pass_time, time_at

POLL_SECONDS = 0.02
ALL_EVERY_POLLS = 10
PAGE = 100_000

_CLOSED = "select account_id, period from duly.collections where closed_at is not null and run_id <> ''"


@dataclass(frozen=True)
class Execution:
    """A workflow by its id, and which execution of it; "" for the newest."""

    workflow_id: str
    run_id: str


class PassingTime:
    """The time of the past's servers and workers, which goes forward only."""

    def __init__(self, client: Client, database: Database, clock: ShownClock) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._seen: set[Execution] = set()

    async def now(self) -> datetime:
        """Return what time it is for workflows."""
        return await time_at(self._client)

    async def move_to(self, moment: datetime) -> None:
        """Let all timers fire that are due by then, with what follows from them, and show everybody the moment."""
        passing = asyncio.create_task(pass_time(self._client, moment - await self.now()))
        polls = 0
        while not passing.done():
            _ = await asyncio.wait({passing}, timeout=POLL_SECONDS)
            polls += 1
            if not passing.done():
                await self._let_go(await self._ended_collections())
            if not passing.done() and polls % ALL_EVERY_POLLS == 0:
                await self._let_go(await self._ended())
        await passing
        self._clock.set((moment - datetime.now(UTC)).total_seconds())

    async def _let_go(self, ended: Iterable[Execution]) -> None:
        """Release the server's clock where it was left held.

        It is held for as long as something is at work. When a child ends after the workflow that had started it, the
        server forgets to let go.
        """
        for one in set(ended) - self._seen:
            child = await self._client.get_workflow_handle(one.workflow_id, run_id=one.run_id or None).describe()
            execution = Execution(child.id, child.run_id)
            if child.close_time is None or execution in self._seen:
                continue
            self._seen |= {one, execution}
            if await self._ended_before(child):
                _ = await self._client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())

    async def _ended_collections(self) -> list[Execution]:
        """Return the collections that the books know to be over: most of what outlives who has started it."""
        return [Execution(collection_id(row.account_id, row.period), "") for row in await self._database.rows(_CLOSED)]

    async def _ended(self) -> list[Execution]:
        """Return everything that is over."""
        request = ListClosedWorkflowExecutionsRequest(namespace=self._client.namespace, maximum_page_size=PAGE)
        answer = await self._client.workflow_service.list_closed_workflow_executions(request)
        return [Execution(one.execution.workflow_id, one.execution.run_id) for one in answer.executions]

    async def _ended_before(self, child: WorkflowExecutionDescription) -> bool:
        if not child.parent_id:
            return False
        parent = await self._client.get_workflow_handle(child.parent_id, run_id=child.parent_run_id).describe()
        return parent.close_time is not None and child.close_time is not None and parent.close_time < child.close_time
