"""From the inbox to the workflows: who hears of an event, and what happens to one that nobody knows."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.events.inbox import EventInbox
from models import workflow_ids
from models.cards.card import CardRequest
from models.disputes.dispute import DisputeRequest
from models.gateway.events import Delivered, EventSubject
from models.refunds.refund import RefundRequest
from workflows import visibility
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.disputes.dispute import Dispute
from workflows.refunds.refund import Refund

log = logging.getLogger(__name__)

# One hint: a server that is frozen holds up a delivery no longer than this.
RPC_TIMEOUT = timedelta(seconds=10)

# Every workflow that waits for the gateway listens to this one, and then asks the gateway itself.
SIGNAL = "gateway_event"

# Hints on their way at once: a receiver that prepared a hundred of them in one go would answer nobody meanwhile.
AT_A_TIME = 8

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


class EventDelivery:
    """Delivers one provider's events. Twice is as good as once, so several processes may do it at a time."""

    def __init__(self, inbox: EventInbox, client: Client) -> None:
        self._inbox = inbox
        self._client = client
        self._gate = asyncio.Semaphore(AT_A_TIME)

    async def deliver_waiting(self) -> Delivered:
        """Hint workflows until nothing waits whose turn it is. Raises RPCError when the server cannot be reached."""
        done = Delivered()
        while hints := await self._inbox.to_deliver():
            # Several events of one object are one hint: whoever hears it looks at the object as it is now.
            listeners = list(dict.fromkeys((hint.subject, hint.key) for hint in hints))
            answers = await asyncio.gather(*(self._deliver(*listener) for listener in listeners))
            taken = dict(zip(listeners, answers, strict=True))
            known = [hint.event_id for hint in hints if taken[hint.subject, hint.key]]
            unknown = [hint.event_id for hint in hints if not taken[hint.subject, hint.key]]
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

    async def _deliver(self, subject: EventSubject, key: tuple[str, ...]) -> bool:
        """Hint whoever waits; False when nobody knows what the event is about, or its workflow cannot take it now."""
        if not key:
            return False
        try:
            async with self._gate:
                await self._signal(subject, key)
        except RPCError as error:
            if error.status in _LATER:
                raise
            return error.status is RPCStatusCode.NOT_FOUND
        except Exception:
            # A fault of ours with one event must not hold up all others: it waits, and a person is asked in the end.
            log.exception("event_not_delivered", extra={"subject": subject, "key": key})
            return False
        return True

    async def _signal(self, subject: EventSubject, key: tuple[str, ...]) -> None:
        match subject:
            case EventSubject.CARD:
                card, provider = key
                label = visibility.card_label(card, provider=provider)
                await self._wake(CardLifecycle.run, CardRequest(card, provider), workflow_ids.card_id(card), label)
            case EventSubject.REFUND:
                refund, provider = key
                label = visibility.refund_label(refund, provider=provider)
                await self._wake(Refund.run, RefundRequest(refund, provider), workflow_ids.refund_id(refund), label)
            case EventSubject.DISPUTE:
                dispute, provider = key
                label = visibility.dispute_label(dispute, provider=provider)
                workflow_id = workflow_ids.dispute_id(dispute)
                await self._wake(Dispute.run, DisputeRequest(dispute, provider), workflow_id, label)
            case EventSubject.PAYMENT:
                # Most payments never had a workflow, and some have ended: then nobody waits for the news.
                await self._client.get_workflow_handle(workflow_ids.collection_id(*key)).signal(
                    SIGNAL, rpc_timeout=RPC_TIMEOUT
                )

    async def _wake(self, run: Any, request: object, workflow_id: str, label: visibility.Label) -> None:
        """Signal a workflow that may not run yet, or not any more: a refund can come back when nobody watches it."""
        await self._client.start_workflow(
            run,
            request,
            id=workflow_id,
            task_queue=workflow_ids.WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=SIGNAL,
            rpc_timeout=RPC_TIMEOUT,
            **label,
        )
