"""Sending whatever the outbox holds: after a run, and when a person asks for it."""

from datetime import timedelta
from typing import NoReturn

from temporalio import workflow

from activities.messages.outbox import MessageActivities
from models.messages.message import MailedPage, MailingRequest
from models.workflow_ids import MAIL_QUEUE
from workflows.inputs.checks import checked_init
from workflows.options import ALERTS, MAIL

# Keeps a history below a thousand events whatever there is to send.
PAGES_PER_EXECUTION = 100

# What a server puts off, for instance for its first acquaintance with a sender, it takes some minutes later.
PUT_OFF = timedelta(minutes=15)
PASSES = 8


@workflow.defn(name="Mailing")
class Mailing:
    """Goes through all pending messages, by account; those of others' runs and collections are sent as well."""

    @checked_init
    def __init__(self, request: MailingRequest) -> None:
        self._request = request

    @workflow.run
    async def run(self, request: MailingRequest) -> None:
        """Raise a run's alerts, then send page by page until nothing is left that anybody takes."""
        if request.run_id and not request.has_alerts:
            await self._raise_alerts()
        after, deferred = request.after, request.deferred
        for _ in range(PAGES_PER_EXECUTION):
            workflow.set_current_details(
                f"### Sending what the outbox holds, pass {request.passes + 1}\n\n"
                f"After `{after or 'the start'}`, {deferred} put off by their server so far; they are tried again when"
                " the pass is over"
            )
            page = await self._send_page(after)
            deferred += page.deferred
            after = page.after
            if not after:
                break
        else:
            self._go_on(after, deferred, request.passes)
        if deferred and request.passes < PASSES:
            await workflow.sleep(PUT_OFF, summary=f"{deferred} messages were put off")
            self._go_on("", 0, request.passes + 1)

    async def _raise_alerts(self) -> None:
        await workflow.execute_activity_method(
            MessageActivities.raise_run_alerts,
            self._request.run_id,
            task_queue=MAIL_QUEUE,
            summary="look for failures and unusual amounts",
            **ALERTS,
        )

    async def _send_page(self, after: str) -> MailedPage:
        return await workflow.execute_activity_method(
            MessageActivities.send_page,
            after,
            task_queue=MAIL_QUEUE,
            summary=f"messages after {after or 'the start'}",
            **MAIL,
        )

    def _go_on(self, after: str, deferred: int, passes: int) -> NoReturn:
        workflow.continue_as_new(
            MailingRequest(self._request.run_id, after, has_alerts=True, deferred=deferred, passes=passes)
        )
