"""Looks at a payment or refund that an event names and nobody here has requested: at once, not on the next day."""

from datetime import timedelta

from temporalio import workflow

from activities.messages.mailing import MailingActivities
from activities.reconciliation.confirming import CandidateActivities
from models import workflow_ids
from models.messages.message import MailingStart
from models.reconciliation.discrepancy import describe
from models.reconciliation.reconciliation import CheckedObject, ObjectCheckRequest
from workflows.inputs.checks import checked_init
from workflows.options import DATABASE, PEOPLE, UNTIL_DONE
from workflows.reconciliation.waking import wake

# Whoever has just sent it records it in a moment; after some looks it is theirs no more.
PAUSE = timedelta(minutes=5)
CHECKS_MAX = 12


@workflow.defn(name="ObjectCheck")
class ObjectCheck:
    """Books what the gateway shows and nobody here has requested, or lists it, and wakes who waits for it."""

    @checked_init
    def __init__(self, request: ObjectCheckRequest) -> None:
        self._events = 0

    @workflow.run
    async def run(self, request: ObjectCheckRequest) -> CheckedObject:
        """Look until it is settled: matched, booked or listed."""
        checked = await self._check(request)
        for _ in range(CHECKS_MAX):
            if checked.outcome != "waiting":
                break
            await workflow.sleep(PAUSE)
            checked = await self._check(request)
        if checked.wake:
            await wake(checked.wake, request.provider)
        if checked.outcome in {"mended", "listed"}:
            workflow.set_current_details(f"**{checked.kind}**: {describe(checked.kind).meaning}")
            await self._start_mailing()
        return checked

    @workflow.signal(description="The gateway has something about the object.")
    def gateway_event(self) -> None:
        """Take note: another event of the object changes nothing about the look that is under way."""
        self._events += 1

    async def _check(self, request: ObjectCheckRequest) -> CheckedObject:
        return await workflow.execute_activity_method(
            CandidateActivities.check_object,
            request,
            task_queue=workflow_ids.gateway_queue(request.provider),
            summary=f"what is {request.object_id}?",
            priority=PEOPLE,
            **UNTIL_DONE,
        )

    async def _start_mailing(self) -> None:
        await workflow.execute_activity_method(
            MailingActivities.start_mailing,
            MailingStart("", workflow_ids.mailing_id(workflow.info().workflow_id), workflow_ids.WORKFLOW_QUEUE),
            summary="notify operators",
            **DATABASE,
        )
