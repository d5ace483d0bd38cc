"""Keeping who stopped a workflow and why: Temporal's history knows it, and goes after its retention."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistoryEventFilterType
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database
from models.card_number import without_card_numbers
from models.supervision.stops import CancelAsked
from models.supervision.supervision import RESTORED

_ASKED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
# A reason is a sentence; what a client may send as one has no bound.
TEXT_MAX = 500
# As much of it is looked at.
TYPED_MAX = 20_000
# A server that has thousands to start may be slow to answer.
RPC_TIMEOUT = timedelta(seconds=30)


@dataclass(frozen=True)
class WhoAndWhy:
    """Who did something to a workflow, as Temporal names them, the reason they gave, and the rule that it failed of."""

    actor: str = ""
    reason: str = ""
    rule: str = ""


@dataclass(frozen=True)
class Stop:
    """How a workflow ended whose business object is open; `rule` is what it was refused by, if it was."""

    workflow_id: str
    how: str
    execution: str = ""
    actor: str = ""
    reason: str = ""
    stopped_at: datetime | None = None
    rule: str = ""

    @property
    def row(self) -> dict[str, str | None]:
        """The stop as the database takes it."""
        return {
            "workflow_id": self.workflow_id,
            "execution": self.execution,
            "how": self.how,
            "actor": self.actor,
            "reason": self.reason,
            "stopped_at": self.stopped_at.isoformat() if self.stopped_at else None,
        }


async def stop_of(client: Client, workflow_id: str) -> Stop | None:
    """Return how a workflow ended; None while it runs."""
    try:
        described = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Stop(workflow_id, "missing")
        raise
    status = described.status
    if status is None or status is WorkflowExecutionStatus.RUNNING or described.close_time is None:
        return None
    who = await who_ended(client, workflow_id, described.run_id)
    return Stop(
        workflow_id,
        RESTORED if who.reason.startswith(RESTORED) else status.name.lower(),
        described.run_id,
        _kept(who.actor),
        _kept(who.reason),
        described.close_time,
        who.rule,
    )


async def who_cancelled(client: Client, workflow_id: str, execution: str) -> WhoAndWhy:
    """Return who asked last to cancel an execution; nobody when its history is gone."""
    found = WhoAndWhy()
    handle = client.get_workflow_handle(workflow_id, run_id=execution)
    try:
        async for event in handle.fetch_history_events(skip_archival=True):
            if event.event_type == _ASKED:
                asked = event.workflow_execution_cancel_requested_event_attributes
                found = WhoAndWhy(asked.identity, asked.cause)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return found


async def who_ended(client: Client, workflow_id: str, execution: str) -> WhoAndWhy:
    """Return who ended an execution, or what it failed of; nobody when its history is gone."""
    handle = client.get_workflow_handle(workflow_id, run_id=execution)
    try:
        events = handle.fetch_history_events(
            event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, skip_archival=True
        )
        async for event in events:
            if event.HasField("workflow_execution_terminated_event_attributes"):
                ended = event.workflow_execution_terminated_event_attributes
                return WhoAndWhy(ended.identity, ended.reason)
            if event.HasField("workflow_execution_failed_event_attributes"):
                failure = event.workflow_execution_failed_event_attributes.failure
                # Its message may be encrypted.
                error = await client.data_converter.decode_failure(failure)
                return WhoAndWhy("", getattr(error, "message", str(error)), _rule_of(error))
            if event.HasField("workflow_execution_canceled_event_attributes"):
                return await who_cancelled(client, workflow_id, execution)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return WhoAndWhy()


def _rule_of(error: BaseException) -> str:
    """Return the rule by which an activity has refused what its workflow was started for; empty for another failure."""
    cause = error.cause if isinstance(error, ActivityError) else None
    return cause.type or "" if isinstance(cause, ApplicationError) and cause.non_retryable else ""


def _kept(text: str) -> str:
    """Return what is kept of what somebody typed into Temporal: not too much, and no card number."""
    return without_card_numbers(text[:TYPED_MAX])[:TEXT_MAX]


class StopActivities:
    """Keeps who stopped a workflow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.note_cancel]

    @activity.defn
    async def note_cancel(self, asked: CancelAsked) -> None:
        """Keep who pressed Cancel, and why. A repeat changes nothing."""
        who = await who_cancelled(activity.client(), asked.workflow_id, asked.execution)
        await self._database.call(
            "note_stop",
            workflow_id=asked.workflow_id,
            execution=asked.execution,
            how="cancel_asked",
            actor=_kept(who.actor),
            reason=_kept(who.reason or asked.reason),
        )
