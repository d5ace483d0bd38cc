"""From the inbox to the workflows: who is signalled for an event, and what happens to one that nobody knows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.events.inbox import EventInbox
from models.gateway.events import Delivered, EventSubject, SweepRequest
from models.workflow_ids import WORKFLOW_QUEUE

log = logging.getLogger(__name__)

# One signal: a server that is frozen holds up a delivery no longer than this.
RPC_TIMEOUT = timedelta(seconds=10)

# Every workflow that waits for the gateway has this signal. It carries nothing: the workflow asks the gateway itself.
GATEWAY_EVENT = "gateway_event"

# Signals on their way at once: a receiver that prepared a hundred of them in one go would answer nobody meanwhile.
CONCURRENT_SIGNALS = 8

# The server is away or overloaded: nothing is noted, and everything is delivered later.
_LATER = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.PERMISSION_DENIED,
    }
)


@dataclass(frozen=True)
class WorkflowStart:
    """How a workflow is started that an event is for: its run method, its request and its label."""

    run: Any
    request: object
    search_attributes: TypedSearchAttributes
    static_summary: str
    static_details: str


@dataclass(frozen=True)
class EventTarget:
    """The workflow that an event is for. Without a start it is signalled only while it runs."""

    workflow_id: str
    start: WorkflowStart | None = None


class EventDelivery:
    """Delivers one provider's events. Twice is as good as once, so several processes may do it at a time."""

    def __init__(
        self, inbox: EventInbox, client: Client, target_of: Callable[[EventSubject, tuple[str, ...]], EventTarget]
    ) -> None:
        self._inbox = inbox
        self._client = client
        self._target_of = target_of
        self._slots = asyncio.Semaphore(CONCURRENT_SIGNALS)

    async def deliver_waiting(self) -> Delivered:
        """Signal workflows until no event waits whose turn it is. Raises RPCError when the server cannot be reached."""
        done = Delivered()
        while hints := await self._inbox.to_deliver():
            # Several events of one object are one signal: the workflow reads the object as it is now.
            objects = list(dict.fromkeys((hint.subject, hint.key, hint.is_recorded) for hint in hints))
            results = await asyncio.gather(*(self._deliver(*one) for one in objects))
            taken = dict(zip(objects, results, strict=True))
            known = [hint.event_id for hint in hints if taken[hint.subject, hint.key, hint.is_recorded]]
            unknown = [hint.event_id for hint in hints if not taken[hint.subject, hint.key, hint.is_recorded]]
            if known:
                await self._inbox.delivered(known)
            given_up = await self._inbox.put_off(unknown) if unknown else 0
            done = replace(
                done,
                taken=done.taken + len(known),
                put_off=done.put_off + len(unknown) - given_up,
                given_up=done.given_up + given_up,
            )
        return done

    async def _deliver(self, subject: EventSubject, key: tuple[str, ...], is_recorded: bool) -> bool:
        """Signal whoever waits; False when nobody knows what the event is about, or nobody has taken note of it."""
        if not key:
            return False
        if subject is EventSubject.FRAUD:
            await self._inbox.alert_of_fraud(*key)
            return True
        try:
            async with self._slots:
                await self._signal(self._target_of(subject, key))
        except RPCError as error:
            if error.status in _LATER:
                raise
            # Most payments never had a workflow, and some have ended: then nobody waits for the event. What the ledger
            # does not have is not delivered by that: the next try looks at it. For a collection that was stopped it
            # waits too: the supervisor resumes that from its row.
            is_stopped = subject is EventSubject.PAYMENT and await self._inbox.has_open_collection(*key[:2])
            return error.status is RPCStatusCode.NOT_FOUND and is_recorded and not is_stopped
        except Exception:
            # A fault of ours with one event must not hold up all others: it waits, and a person is asked in the end.
            log.exception("event_not_delivered", extra={"subject": subject, "key": key})
            return False
        # A workflow that runs may not listen: reset to a task before its page was opened, it knows of no page. What the
        # ledger does not have is looked at once more after a minute, by then at the gateway (`duly.found_by_event`).
        return is_recorded or subject is not EventSubject.PAYMENT

    async def _signal(self, target: EventTarget) -> None:
        """Signal a workflow; one that may not run yet, or not any more, is started: a refund can come back later."""
        if target.start is None:
            await self._client.get_workflow_handle(target.workflow_id).signal(GATEWAY_EVENT, rpc_timeout=RPC_TIMEOUT)
            return
        await self._client.start_workflow(
            target.start.run,
            target.start.request,
            id=target.workflow_id,
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=GATEWAY_EVENT,
            rpc_timeout=RPC_TIMEOUT,
            search_attributes=target.start.search_attributes,
            static_summary=target.start.static_summary,
            static_details=target.start.static_details,
        )


class EventDeliveryActivities:
    """Delivers what waits in the inbox, by the same way as the webhook process does."""

    def __init__(self, deliver: Callable[[str], Awaitable[Delivered]]) -> None:
        self._deliver = deliver

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.deliver_events]

    @activity.defn
    async def deliver_events(self, request: SweepRequest) -> Delivered:
        """Signal the workflows of all that waits for one provider. Safe to repeat: a signal only makes them read it."""
        return await self._deliver(request.provider)
