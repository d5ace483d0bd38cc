"""Looks through the gateway's own list of events for those that never came, and delivers them like all others."""

from temporalio import workflow

from activities.events.delivery import EventDeliveryActivities
from activities.events.movements import MovementActivities
from activities.events.sweep import EventFeedActivities
from activities.messages.mailing import MailingActivities
from models import workflow_ids
from models.gateway.events import Delivered, SweepRequest, SweepResult, Swept
from models.gateway.movements import MovementsBooked, MovementsRequest
from models.messages.message import MailingStart
from workflows import visibility
from workflows.gateway.movements import details
from workflows.options import DATABASE, EVENT_LIST, PEOPLE


@workflow.defn(name="EventSweep")
class EventSweep:
    """One look, started by a schedule: whatever webhooks do, what waits for an event gets it by the next one."""

    @workflow.run
    async def run(self, request: SweepRequest) -> SweepResult:
        """Store what is new, hint who waits for it, and tell operators of events that nobody knows."""
        swept = await self._sweep(request)
        delivered = await self._deliver(request)
        booked = await self._book_movements(request) if workflow.patched("books-movements") else None
        if delivered.given_up or (booked and booked.overdue):
            await self._start_mailing(request)
        workflow.set_current_details(_details(swept, delivered, booked))
        return SweepResult(swept, delivered)

    async def _sweep(self, request: SweepRequest) -> Swept:
        swept = await workflow.execute_activity_method(
            EventFeedActivities.sweep_events,
            request,
            task_queue=workflow_ids.gateway_queue(request.provider),
            summary=f"list the events of {request.provider} since the last sweep",
            priority=PEOPLE,
            **EVENT_LIST,
        )
        if swept.is_late:
            workflow.upsert_search_attributes(
                [
                    visibility.NEEDS_REVIEW.value_set(True),
                    visibility.REVIEW_REASON.value_set("events_out_of_reach"),
                ]
            )
        return swept

    async def _deliver(self, request: SweepRequest) -> Delivered:
        return await workflow.execute_activity_method(
            EventDeliveryActivities.deliver_events,
            request,
            summary="hint the workflows that wait for them",
            **DATABASE,
        )

    async def _book_movements(self, request: SweepRequest) -> MovementsBooked:
        """Read the balance too: a movement whose event was lost is found by its list, or looked up when it is due."""
        return await workflow.execute_activity_method(
            MovementActivities.book_movements,
            MovementsRequest(request.provider, retrieves_due=True),
            task_queue=workflow_ids.gateway_queue(request.provider),
            summary=f"read the movements of {request.provider}",
            priority=PEOPLE,
            **EVENT_LIST,
        )

    async def _start_mailing(self, request: SweepRequest) -> None:
        await workflow.execute_activity_method(
            MailingActivities.start_mailing,
            MailingStart(
                "",
                workflow_ids.mailing_id(f"events/{request.provider}/{workflow.now():%Y-%m-%dT%H}"),
                workflow_ids.WORKFLOW_QUEUE,
            ),
            summary="alert operators of what nobody knows, or is overdue",
            **DATABASE,
        )


def _details(swept: Swept, delivered: Delivered, booked: MovementsBooked | None) -> str:
    lines = [
        f"Since {swept.since:%Y-%m-%d %H:%M}Z the gateway lists **{swept.listed}** events; **{swept.found}** were new.",
        f"Delivered: {delivered.taken}. Waiting for what they are about: {delivered.put_off}.",
    ]
    if delivered.given_up:
        listed = "`duly events list --state needs_review`"
        lines.append(f"**{delivered.given_up}** are about nothing that is known here: {listed}.")
    if swept.is_late:
        lines.append("**The gateway remembers no events from before.** Compare the ledger with the gateway.")
    if booked:
        lines.append(details(booked))
    return "\n\n".join(lines)
