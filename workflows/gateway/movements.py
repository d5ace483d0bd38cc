"""Books what a provider's balance has moved: fees and conversions that the gateway knows after its answer."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.events.movements import MovementActivities
from models.gateway.movements import MovementsBooked, MovementsRequest
from models.workflow_ids import gateway_queue
from workflows.options import EVENT_LIST, PEOPLE

# Events that come within this time are one look: a month's run brings thousands a minute. So many that the history gets
# long end it sooner.
GATHERING = timedelta(seconds=30)


@workflow.defn(name="GatewayMovements")
class GatewayMovements:
    """One look at a provider's movements, started by an event; it looks again for events that come meanwhile."""

    def __init__(self) -> None:
        self._has_event = False

    @workflow.run
    async def run(self, request: MovementsRequest) -> MovementsBooked:
        """Gather events, read the movements once, and end when no event came meanwhile."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                workflow.info().is_continue_as_new_suggested, timeout=GATHERING, timeout_summary="gather events"
            )
        self._has_event = False
        booked = await workflow.execute_activity_method(
            MovementActivities.book_movements,
            request,
            task_queue=gateway_queue(request.provider),
            summary=f"read the movements of {request.provider}",
            priority=PEOPLE,
            **EVENT_LIST,
        )
        workflow.set_current_details(details(booked))
        if self._has_event:
            workflow.continue_as_new(request)
        return booked

    @workflow.signal(description="The gateway has booked something.")
    def gateway_event(self) -> None:
        """Something has been booked at the gateway."""
        self._has_event = True


def details(booked: MovementsBooked) -> str:
    """Return what a look came to, for operators."""
    lines = [
        f"Of **{booked.listed}** movements **{booked.booked}** were expected and are booked; {booked.open} are open."
    ]
    if booked.overdue:
        lines.append(f"**{booked.overdue}** are overdue: `duly movements list --overdue`.")
    if booked.differing:
        lines.append(
            f"**{booked.differing}** have another amount than was posted: `duly reconcile list --kind differs`."
        )
    return "\n\n".join(lines)
