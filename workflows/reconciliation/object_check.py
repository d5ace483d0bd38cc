"""Looks at a payment or refund that an event names and nobody here has requested: at once, not on the next day."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from activities.messages.mailing import MailingActivities
from activities.reconciliation.confirming import CandidateActivities
from models import workflow_ids
from models.messages.message import MailingStart
from models.reconciliation.discrepancy import describe
from models.reconciliation.reconciliation import CheckedObject, ObjectCheckRequest
from workflows.faults import carried_state, go_on_from_rows
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
        self._checks = carried_state(int) or 0

    @workflow.run
    async def run(self, request: ObjectCheckRequest) -> CheckedObject:
        """Look until it is settled: matched, booked or listed. Events without end make it continue as new."""
        work = asyncio.create_task(self._check_until_settled(request))
        await workflow.wait_condition(lambda: work.done() or workflow.info().is_continue_as_new_suggested())
        if not work.done():
            go_on_from_rows(request, cancelled=None, state=self._checks)
        return await work

    async def _check_until_settled(self, request: ObjectCheckRequest) -> CheckedObject:
        checked = await self._check(request)
        while checked.outcome == "waiting" and self._checks < CHECKS_MAX:
            self._checks += 1
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
