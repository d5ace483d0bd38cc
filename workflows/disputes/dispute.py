"""A payment that its cardholder disputes: held, defended or given up, and decided by the bank (S23)."""

from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.disputes.disputes import DisputeActivities, DisputeRowActivities
from models import workflow_ids
from models.disputes.dispute import (
    DISPUTE_ENDED,
    DisputeDecision,
    DisputeRecord,
    DisputeRequest,
    DisputeSnapshot,
    DisputeState,
    DisputeStatus,
    next_reminder,
)
from models.moment import in_utc
from models.money import Money
from models.operator_command import CommandError, OperatorCommand
from models.waiting import AcceptedCommands, WakeReason
from workflows import visibility
from workflows.faults import Refusal, broken_rule
from workflows.inputs.checks import checked_init
from workflows.markdown import beginning, listed, paragraphs
from workflows.messages.outgoing import IN_OUTBOX, OutgoingMessages, send_pending
from workflows.operator_actions import OperatorAction, actions_text
from workflows.options import COLLECT, DATABASE, PEOPLE, UNTIL_DONE
from workflows.refunds.reduction_signals import signal_reductions_of
from workflows.updates import async_question, async_update, surfacing_refusal, until_answer
from workflows.waiting import Waiter

RECENT = 12

# The bank decides after the evidence was due; should no event tell so, it is looked at.
CHECK_EVERY = timedelta(days=7)

WHERE = {
    DisputeState.INQUIRY: "the bank asks about it; no money has moved",
    DisputeState.OPEN: "the bank has taken the money; it is held until the bank decides",
    DisputeState.WON: "the money came back",
    DisputeState.LOST: "the payment is cancelled, and its invoices are open again",
    DisputeState.CLOSED: "the bank's question has ended, and no money has moved",
}
_ORDERS = (
    OperatorAction("check_now", "asks the gateway how it stands", "disputes check"),
    OperatorAction("accept", "gives the money up", "disputes accept"),
)


@workflow.defn(name="Dispute")
class Dispute:
    """Owns one dispute. What it means for the money is booked in the commit that learns of it."""

    @checked_init
    def __init__(self, request: DisputeRequest) -> None:
        self._request = request
        resumed = request.resumed or DisputeSnapshot()
        self._waiter = Waiter(
            lambda: request.dispute_id, self._show, lambda: self._outgoing.may_be_cut_off, resumed.waiter
        )
        self._dispute = resumed.dispute
        self._outgoing = OutgoingMessages[None]()

    @workflow.run
    async def run(self, request: DisputeRequest) -> DisputeRecord:
        """See the dispute through until the bank has decided. Fails when it is of no payment of ours."""
        self._show()
        dispute = await self._read()
        while True:
            while dispute.state not in DISPUTE_ENDED:
                await self._wait(dispute)
                self._continue_if_long()
                dispute = await self._read()
            await self._finish(dispute)
            if not self._waiter.take_late():
                return dispute
            self._continue_if_long()
            dispute = await self._read()

    @workflow.signal(description="The gateway has an event of this dispute.")
    def gateway_event(self) -> None:
        """Look at the gateway: an event is a hint, never a fact."""
        self._waiter.wake(WakeReason.GATEWAY_EVENT)

    async def cancel_asked(self, reason: str) -> str:
        """Refuse: the bank decides, whoever looks."""
        del reason
        return self._waiter.refuse_cancel("`accept` gives the money up")

    def carried_after_fault(self) -> AcceptedCommands:
        """Return what was accepted and is not done."""
        return AcceptedCommands(self._waiter.accepted())

    @workflow.query(description="Where the dispute stands, and what comes next.")
    def status(self) -> DisputeStatus:
        """Return the dispute, the next moment and what happened."""
        return DisputeStatus(self._dispute, self._waiter.next_action, self._waiter.next_action_at, self._waiter.history)

    @async_question("Wait until the dispute has been read at the gateway, and return it.")
    async def first_reading(self) -> DisputeRecord:
        """Return the dispute, at once when its workflow has been at work for a while."""
        await until_answer(lambda: self._dispute is not None)
        assert self._dispute is not None
        return self._dispute

    @workflow.update(description="Ask the gateway now how the dispute stands.")
    def check_now(self, command: OperatorCommand) -> str:
        """Look at the gateway without waiting for the next moment."""
        self._waiter.note(f"check now, says {command.actor}: {command.reason}")
        self._waiter.wake(WakeReason.CHECK)
        return "check now"

    @async_update("Give the money up: the dispute is lost.")
    async def accept(self, command: OperatorCommand) -> DisputeRecord:
        """Accept the dispute at the gateway and book that it is lost."""
        with surfacing_refusal():
            dispute = await workflow.execute_activity_method(
                DisputeActivities.accept_dispute,
                args=[
                    DisputeDecision(self._request.dispute_id, command.actor, command.reason),
                    self._request.provider,
                ],
                task_queue=workflow_ids.gateway_queue(self._request.provider),
                summary=f"give it up, says {command.actor}",
                priority=PEOPLE,
                **COLLECT,
            )
        self._waiter.note(f"accepted, says {command.actor}: {command.reason}")
        self._waiter.wake(WakeReason.CHECK)
        return dispute

    @check_now.validator
    def _may_check(self, command: OperatorCommand) -> None:
        command.check()

    @accept.validator
    def _may_accept(self, command: OperatorCommand) -> None:
        command.check()
        if self._dispute is None or self._dispute.state is not DisputeState.OPEN:
            stage = self._dispute.state if self._dispute else "not read yet"
            raise CommandError(f"stage: the dispute is {stage}; only an open one can be accepted")

    async def _read(self) -> DisputeRecord:
        try:
            dispute = await workflow.execute_activity_method(
                DisputeActivities.read_dispute,
                self._request,
                task_queue=workflow_ids.gateway_queue(self._request.provider),
                summary=f"how does {self._request.dispute_id} stand?",
                priority=PEOPLE,
                **UNTIL_DONE,
            )
        except ActivityError as error:
            if self._dispute is not None or broken_rule(error) is None:
                raise
            raise Refusal(error) from error
        before, self._dispute = self._dispute, dispute
        if before is None or (before.state, before.status) != (dispute.state, dispute.status):
            await self._moved(dispute)
        self._show()
        return dispute

    async def _moved(self, dispute: DisputeRecord) -> None:
        """Send what the commit of the change wrote to the outbox, and signal the rewards that hang on the payment."""
        self._waiter.note(f"{dispute.state}: {dispute.status}")
        workflow.upsert_search_attributes(
            [
                visibility.STAGE.value_set(dispute.state),
                visibility.ACCOUNT.value_set(dispute.account_id),
                *visibility.amount_updates(dispute.amount_minor, dispute.currency),
                visibility.NEEDS_REVIEW.value_set(dispute.wants_evidence),
            ]
        )
        self._send(dispute)
        await signal_reductions_of(dispute.payment_id, self._request.provider)

    def _send(self, dispute: DisputeRecord) -> None:
        self._outgoing.begin(lambda: send_pending(dispute.account_id), IN_OUTBOX, dispute_id=dispute.dispute_id)

    async def _finish(self, dispute: DisputeRecord) -> None:
        self._waiter.end_waiting()
        self._waiter.note(f"over: {dispute.state}")
        self._show()
        if not await self._outgoing.finished():
            workflow.logger.warning("message_left", extra={"dispute_id": self._request.dispute_id})
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _continue_if_long(self) -> None:
        if self._waiter.is_history_long():
            resumed = DisputeSnapshot(self._dispute, self._waiter.snapshot())
            workflow.continue_as_new(replace(self._request, resumed=resumed))

    async def _wait(self, dispute: DisputeRecord) -> None:
        reminder = next_reminder(dispute, now=workflow.now())
        if reminder is None:
            await self._waiter.wait(_next_check(dispute), "is it decided?")
        elif (await self._waiter.wait(reminder, "evidence is due soon, and there is none")).reason is WakeReason.TIMER:
            await workflow.execute_activity_method(
                DisputeRowActivities.remind_of_dispute,
                dispute.dispute_id,
                summary="notify operators that evidence is due",
                **DATABASE,
            )
            self._send(dispute)

    def _show(self) -> None:
        workflow.set_current_details(_details(self._request.dispute_id, self.status()))


def _next_check(dispute: DisputeRecord) -> datetime:
    due = dispute.evidence_due_at or workflow.now()
    return max(due, workflow.now()) + CHECK_EVERY


def _details(dispute_id: str, status: DisputeStatus) -> str:
    dispute = status.dispute
    if dispute is None:
        return beginning("reading", f"`{dispute_id}` is being read at the gateway")
    due = f", due {in_utc(dispute.evidence_due_at)}" if dispute.evidence_due_at else ""
    evidence = "submitted" if dispute.has_evidence else f"none yet{due}"
    return paragraphs(
        f"### {dispute.state} ({dispute.reason}): {WHERE[dispute.state]}",
        f"{Money(dispute.amount_minor, dispute.currency)} of payment `{dispute.payment_id}` of `{dispute.account_id}`;"
        f" evidence: {evidence}. It is submitted from a file: `duly disputes submit-evidence {dispute_id} FILE`.",
        f"**Next** {in_utc(status.next_action_at)}: {status.next_action}" if status.next_action_at else "",
        listed("What happened", status.history, recent=RECENT),
        actions_text(_ORDERS if dispute.state is DisputeState.OPEN else (), target=dispute_id),
    )
