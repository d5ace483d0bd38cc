"""What a run's histories came to: events, bytes, and the actions that Temporal Cloud would count in them.

The rules of the actions are those of https://docs.temporal.io/cloud/actions. Two kinds are in no history: heartbeats,
and the tenth that a namespace with fairness pays on top.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

# So many histories of one kind are read for their actions; of more, every n-th.
READ_AT_MOST = 60

_ONE_ACTION = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activities",
    EventType.EVENT_TYPE_TIMER_STARTED: "timers",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
}
_CHANGE_VERSION = "TemporalChangeVersion"
# To note that a child is wanted, and to start it.
ACTIONS_OF_CHILD = 2


@dataclass(frozen=True)
class HistoryCost:
    """The histories of one kind of workflow; events, bytes, writes and actions are sums over all of them.

    A write is a state transition: what the server stores in one transaction of one history shard.

    Where there were very many, actions are those of `read` histories, carried to all by their events.
    """

    workflow: str
    executions: int
    read: int
    events: int
    events_max: int
    size_bytes: int
    writes: int
    actions: dict[str, int]

    @property
    def all_actions(self) -> int:
        """Actions of every kind together."""
        return sum(self.actions.values())


def actions_in(events: Iterable[HistoryEvent]) -> Counter[str]:
    """Count the actions of one history, by kind."""
    found: Counter[str] = Counter()
    marked = set()
    for event in events:
        if kind := _ONE_ACTION.get(event.event_type):
            found[kind] += 1
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            # A child's first start is counted where its parent has asked for it.
            is_child = started.HasField("parent_workflow_execution") and not started.continued_execution_run_id
            found["starts"] += 0 if is_child else 1
        elif event.event_type == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            found["children"] += ACTIONS_OF_CHILD
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            found["retries"] += event.activity_task_started_event_attributes.attempt - 1
        elif event.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
            found["search attributes"] += set(fields) != {_CHANGE_VERSION}
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            # Those of one workflow task are one action.
            task = event.marker_recorded_event_attributes.workflow_task_completed_event_id
            found["markers"] += task not in marked
            marked.add(task)
    return +found


async def cost_of_histories(client: Client, workflow: str) -> HistoryCost:
    """Read the histories of every execution of one kind of workflow."""
    handles = [
        client.get_workflow_handle(execution.id, run_id=execution.run_id)
        async for execution in client.list_workflows(f"WorkflowType = '{workflow}'")
    ]
    # Histories are measured themselves: the index that visibility searches is written a little later.
    infos = [(await handle.describe()).raw_description.workflow_execution_info for handle in handles]
    read = range(0, len(handles), max(1, len(handles) // READ_AT_MOST))
    actions: Counter[str] = Counter()
    for place in read:
        actions += actions_in((await handles[place].fetch_history()).events)
    events = sum(info.history_length for info in infos)
    carried = events / max(1, sum(infos[place].history_length for place in read))
    return HistoryCost(
        workflow,
        executions=len(handles),
        read=len(read),
        events=events,
        events_max=max((info.history_length for info in infos), default=0),
        size_bytes=sum(info.history_size_bytes for info in infos),
        writes=sum(info.state_transition_count for info in infos),
        actions={kind: round(count * carried) for kind, count in sorted(actions.items())},
    )


@dataclass(frozen=True)
class ActivityTime:
    """When one activity of a history began and ended."""

    began_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return round((self.ended_at - self.began_at).total_seconds(), 2)


async def times_of_activities(client: Client, workflow_id: str, run_id: str | None = None) -> dict[str, ActivityTime]:
    """Return the time of the last activity of each kind in a history; those under way are left out."""
    names: dict[int, str] = {}
    begun: dict[int, datetime] = {}
    found: dict[str, ActivityTime] = {}
    for event in (await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()).events:
        at = event.event_time.ToDatetime()
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            names[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            begun[event.activity_task_started_event_attributes.scheduled_event_id] = at
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            scheduled = event.activity_task_completed_event_attributes.scheduled_event_id
            found[names[scheduled]] = ActivityTime(begun[scheduled], at)
    return found
