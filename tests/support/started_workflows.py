"""Which workflows a test has started, what those that are open wait for, whether anything works on one; their end."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ListOpenWorkflowExecutionsRequest,
)
from temporalio.client import Client, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

LAST_EVENTS = 6
# Of one check of a workflow: a server that hangs is no reason to say nothing of the others.
CHECK = timedelta(seconds=5)
# The last of a workflow's task is one of these while its worker has to answer.
TASK_IS_OPEN = {EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED}
TASK_IS_DONE = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
}


class StartedWorkflows(ClientInterceptor, Interceptor):
    """Remembers what a client has started, as long as its test runs, and counts the activities that its workers run."""

    def __init__(self) -> None:
        super().__init__()
        self.started: dict[str, Client] = {}
        self.activities_running = 0

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Count what a worker of this process runs."""
        return _Count(next, self)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002  # the SDK's name
        """Put the memory before the client's calls."""
        return _Remember(next, self.started)


class _Remember(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, started: dict[str, Client]) -> None:  # noqa: A002  # likewise
        super().__init__(next)
        self._started = started

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002  # likewise
        handle = await super().start_workflow(input)
        self._started[handle.id] = handle._client  # the handle gives it to nobody
        return handle


class _Count(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, started: StartedWorkflows) -> None:  # noqa: A002  # likewise
        super().__init__(next)
        self._started = started

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # likewise
        self._started.activities_running += 1
        try:
            return await super().execute_activity(input)
        finally:
            self._started.activities_running -= 1


STARTED = StartedWorkflows()


async def open_workflows(started: dict[str, Client]) -> str:
    """Return a paragraph for each open workflow of a test: its pending activities and last events."""
    found = []
    for workflow_id, client in started.items():
        try:
            if state := await _state_of(client, workflow_id):
                found.append(f"{workflow_id}: {state}")
        except RPCError as error:
            found.append(f"{workflow_id}: {error.message}")
    return "\n".join(found) or "no workflow that the test had started is open"


async def end_all(client: Client) -> None:
    """Terminate whatever is open on a server, and delete its schedules: one that is left fires in another test."""
    async for schedule in await client.list_schedules():
        with suppress(RPCError):
            await client.get_schedule_handle(schedule.id).delete()
    async for left in client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):
            await client.get_workflow_handle(left.id, run_id=left.run_id).terminate("its test is over")


async def is_anything_at_work(client: Client) -> bool:
    """Say whether any activity or workflow task is with a worker, or waits for one; not what waits to be repeated.

    The time-skipping server says of an activity that waits to be repeated that it is started: the workers know better.
    """
    if STARTED.activities_running:
        return True
    request = ListOpenWorkflowExecutionsRequest(namespace=client.namespace, maximum_page_size=1_000)
    listed = await client.workflow_service.list_open_workflow_executions(request, timeout=CHECK)
    return any([await _is_at_work(client, each.execution.workflow_id) for each in listed.executions])


async def _is_at_work(client: Client, workflow_id: str) -> bool:
    if any(each.attempt == 1 for each in (await _described(client, workflow_id)).pending_activities):
        return True
    events = [event async for event in client.get_workflow_handle(workflow_id).fetch_history_events()]
    tasks = [event.event_type for event in events if event.event_type in TASK_IS_OPEN | TASK_IS_DONE]
    return not tasks or tasks[-1] in TASK_IS_OPEN


async def _described(client: Client, workflow_id: str) -> DescribeWorkflowExecutionResponse:
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    return await client.workflow_service.describe_workflow_execution(request, timeout=CHECK)


async def _state_of(client: Client, workflow_id: str) -> str:
    described = await _described(client, workflow_id)
    if described.workflow_execution_info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
        return ""
    pending = [
        f"{each.activity_type.name}, attempt {each.attempt}: {each.last_failure.message or 'no failure yet'}"
        for each in described.pending_activities
    ]
    handle = client.get_workflow_handle(workflow_id)
    events = [event async for event in handle.fetch_history_events()]
    last = [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events[-LAST_EVENTS:]]
    return f"activities {pending}, timers {_open_timers(events)}; {len(events)} events, the last {last}"


def _open_timers(events: Sequence[HistoryEvent]) -> list[str]:
    """Return how long each open timer takes, and its summary where the server keeps it."""
    timers: dict[int, str] = {}
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            summary = event.user_metadata.summary.data
            takes = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
            timers[event.event_id] = f"{takes}: {json.loads(summary) if summary else ''}"
        elif event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            timers.pop(event.timer_fired_event_attributes.started_event_id, None)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
            timers.pop(event.timer_canceled_event_attributes.started_event_id, None)
    return list(timers.values())
