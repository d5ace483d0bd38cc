"""From the inbox to the workflows: who hears of an event, and what happens to one that nobody knows."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.event_inbox import EventInbox
from models.card import CardRequest
from models.gateway_event import Delivered, EventSubject, Hint
from models.refund import RefundRequest
from workflows import visibility
from workflows.card_lifecycle import CardLifecycle
from workflows.refund import Refund

# Every workflow that waits for the gateway listens to this one, and then asks the gateway itself.
SIGNAL = "gateway_event"

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

_WHO_LISTENS: dict[EventSubject, Callable[..., str]] = {EventSubject.PAYMENT: visibility.collection_id}


class EventDelivery:
    """Delivers one provider's events. Twice is as good as once, so several processes may do it at a time."""

    def __init__(self, inbox: EventInbox, client: Client) -> None:
        self._inbox = inbox
        self._client = client

    async def deliver_waiting(self) -> Delivered:
        """Hint workflows until nothing waits whose turn it is. Raises RPCError when the server cannot be reached."""
        done = Delivered()
        while hints := await self._inbox.to_deliver():
            taken = await asyncio.gather(*(self._deliver(hint) for hint in hints))
            known = [hint.event_id for hint, is_taken in zip(hints, taken, strict=True) if is_taken]
            unknown = [hint.event_id for hint, is_taken in zip(hints, taken, strict=True) if not is_taken]
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

    async def _deliver(self, hint: Hint) -> bool:
        """Hint whoever waits; False when nobody knows what the event is about, or its workflow cannot take it now."""
        if not hint.key:
            return False
        try:
            await self._tell(hint)
        except RPCError as error:
            if error.status in _LATER:
                raise
            return error.status is RPCStatusCode.NOT_FOUND
        return True

    async def _tell(self, hint: Hint) -> None:
        if hint.subject is EventSubject.CARD:
            await self._tell_card(*hint.key)
            return
        if hint.subject is EventSubject.REFUND:
            await self._tell_refund(*hint.key)
            return
        # Most payments never had a workflow, and some have ended: then nobody waits for the news.
        workflow_id = _WHO_LISTENS[hint.subject](*hint.key)
        await self._client.get_workflow_handle(workflow_id).signal(SIGNAL)

    async def _tell_card(self, card_id: str, provider: str) -> None:
        """Signal a card's workflow, which may not have been started for a card that was imported."""
        await self._client.start_workflow(
            CardLifecycle.run,
            CardRequest(card_id, provider),
            id=visibility.card_id(card_id),
            task_queue=visibility.WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=SIGNAL,
            **visibility.card_label(card_id, provider=provider),
        )

    async def _tell_refund(self, refund_id: str, provider: str) -> None:
        """Signal a refund's workflow, or start it again: a refund may come back when nobody watches it any more."""
        await self._client.start_workflow(
            Refund.run,
            RefundRequest(refund_id, provider),
            id=visibility.refund_id(refund_id),
            task_queue=visibility.WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=SIGNAL,
            **visibility.refund_label(refund_id, provider=provider),
        )
