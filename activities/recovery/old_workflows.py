"""Ending the workflows that began before a restore: they believe what the database has forgotten."""

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.supervision.supervision import RESTORED

CONCURRENT = 16


class OldWorkflows:
    """The workflows of ours that run in the client's namespace and began before a moment."""

    def __init__(self, client: Client, types: Collection[str], before: datetime) -> None:
        self._client = client
        self._types = frozenset(types)
        self._before = before.astimezone(UTC)

    async def end(self, reason: str) -> int:
        """Terminate all of them, those that only show up meanwhile too, and return how many they were."""
        slots = asyncio.Semaphore(CONCURRENT)
        ended: set[tuple[str, str]] = set()
        while found := [one async for one in self._running() if one not in ended]:
            await asyncio.gather(*(self._end(*one, reason, slots) for one in found))
            ended.update(found)
        return len(ended)

    async def _running(self) -> AsyncIterator[tuple[str, str]]:
        async for one in self._client.list_workflows("ExecutionStatus = 'Running'"):
            if one.workflow_type in self._types and one.start_time < self._before:
                yield one.id, one.run_id

    async def _end(self, workflow_id: str, execution: str, reason: str, slots: asyncio.Semaphore) -> None:
        async with slots:
            await end_workflow(self._client, workflow_id, execution, reason)


async def end_workflow(client: Client, workflow_id: str, execution: str | None, reason: str) -> None:
    """Terminate a workflow because of a restore, unless it is over by now."""
    try:
        await client.get_workflow_handle(workflow_id, run_id=execution).terminate(reason=f"{RESTORED}: {reason}")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
