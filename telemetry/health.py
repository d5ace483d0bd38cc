"""Whether a process is ready: the database answers, Temporal answers, and its queues are polled by it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.database import Database, DatabaseUnavailableError, SchemaMismatchError

CHECK_SECONDS = 3.0
# A poll lasts a minute: who has asked for work within this long is polling.
POLLED_WITHIN = timedelta(seconds=90)

_TIMEOUT = timedelta(seconds=CHECK_SECONDS)
_FINE = "ok"

Check = Callable[[], Awaitable[str]]


class Readiness:
    """The checks of one process. Until it has any it is starting, and not ready."""

    def __init__(self, stop: asyncio.Event | None = None) -> None:
        self._checks: dict[str, Check] = {}
        self._stop = stop

    def require(self, name: str, check: Check) -> None:
        """Be ready only when a check finds no problem; it returns the problem, or nothing."""
        self._checks[name] = check

    async def until_stopping(self, work: Awaitable[None]) -> None:
        """Await some work, and give it up when the process is to stop: who asked is answered without it."""
        if self._stop is None:
            await work
            return
        tasks = [asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def check(self) -> tuple[bool, dict[str, str]]:
        """Make every check at once; return whether all are well, and what each found."""
        if self._stop is not None and self._stop.is_set():
            return False, {"process": "is stopping"}
        if not self._checks:
            return False, {"process": "is starting"}
        found = await asyncio.gather(*(_in_time(check) for check in self._checks.values()))
        return not any(found), {name: problem or _FINE for name, problem in zip(self._checks, found, strict=True)}


async def _in_time(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return "does not answer in time"


def database_answers(database: Database) -> Check:
    """Check that the database answers, and is migrated."""

    async def check() -> str:
        try:
            await database.verify()
        except (DatabaseUnavailableError, RuntimeError, ApplicationError):
            return "does not answer"
        except SchemaMismatchError:
            return "is not migrated"
        return ""

    return check


def temporal_answers(client: Client) -> Check:
    """Check that Temporal answers."""

    async def check() -> str:
        try:
            await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=_TIMEOUT)
        except RPCError:
            return "does not answer"
        return ""

    return check


def polls(client: Client, queue: str, *, workflows: bool = False) -> Check:
    """Check that Temporal knows this process among those that poll a queue."""
    kinds = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kinds[0 if workflows else 1]
    )

    async def check() -> str:
        try:
            described = await client.workflow_service.describe_task_queue(request, timeout=_TIMEOUT)
        except RPCError:
            return "Temporal does not answer"
        since = datetime.now(UTC) - POLLED_WITHIN
        is_polled = any(
            poller.identity == client.identity and poller.last_access_time.ToDatetime(UTC) > since
            for poller in described.pollers
        )
        return "" if is_polled else "is not polled by this process"

    return check
