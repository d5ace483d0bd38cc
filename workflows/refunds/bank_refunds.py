"""A month's refunds by bank transfer: drafted by a schedule, released by a person (scenario 1, F120)."""

from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import SearchAttributeKey, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.bank.bank_refunds import BankRefundActivities
from activities.messages.mailing import MailingActivities
from models import workflow_ids
from models.bank.bank_refunds import (
    DECIDE,
    BankRefundsDecision,
    BankRefundsRecord,
    BankRefundsRequest,
    BankRefundsState,
    require_waiting,
)
from models.messages.message import MailingStart
from models.operator_command import OperatorCommand
from workflows import visibility
from workflows.inputs.checks import checked_init
from workflows.markdown import paragraphs
from workflows.operator_actions import OperatorAction, actions_text
from workflows.options import DATABASE, DATABASE_SWEEP
from workflows.updates import async_update, surfacing_refusal, until_answer

# Nobody is paid while a month waits, so operators are asked again after so long.
ASK_AGAIN = timedelta(days=7)

# Why a person is needed.
RELEASE_WANTED = "bank_refunds_wait"

_SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_ACTIONS = (
    OperatorAction("release", "lets the bank's file be written", "refunds release"),
    OperatorAction("reject", "rejects every draft of the month", "refunds reject"),
)


@workflow.defn(name="BankRefunds")
class BankRefunds:
    """Owns one month: it drafts, asks a person, and ends with the decision. It pays nothing."""

    @checked_init
    def __init__(self, request: BankRefundsRequest) -> None:
        self._request = request
        self._record: BankRefundsRecord | None = None
        self._is_changed = False

    @workflow.run
    async def run(self, request: BankRefundsRequest) -> BankRefundsRecord | None:
        """Draft the month's refunds and return the decision. What a schedule starts begins its month and has none."""
        if not request.period:
            await self._begin_month(request)
            return None
        self._record = await self._open(request.period)
        asked = request.asked
        if not asked and self._record.state is BankRefundsState.WAITING:
            await self._ask(request.period, asked := 1)
        again_at = workflow.now() + ASK_AGAIN
        while not self._is_decided():
            if not await self._has_changed_until(again_at):
                await self._ask(request.period, asked := asked + 1)
                again_at = workflow.now() + ASK_AGAIN
            if self._is_history_long() and not self._is_decided():
                workflow.continue_as_new(replace(request, asked=asked))
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._show()
        return self._record

    @workflow.signal(description="The month's row was changed by an execution before this one.")
    def month_changed(self) -> None:
        """Read the month again."""
        self._is_changed = True

    @workflow.query(description="Where the month stands: how many refunds were drafted, and who has decided what.")
    def status(self) -> BankRefundsRecord | None:
        """Return the month; nothing before it is drafted."""
        return self._record

    @async_update("Let the bank's file of the month be written.")
    async def release(self, command: OperatorCommand) -> BankRefundsRecord:
        """Release the month's refunds: `refunds export` writes their file from now on."""
        return await self._decide(BankRefundsState.RELEASED, command)

    @async_update("Reject every draft of the month: nobody is refunded, and what is due comes with the next month.")
    async def reject(self, command: OperatorCommand) -> BankRefundsRecord:
        """Reject the month's refunds."""
        return await self._decide(BankRefundsState.REJECTED, command)

    async def cancel_asked(self, reason: str) -> str:
        """Refuse: the drafts would wait, and nobody would be asked."""
        del reason
        return f"refused, for the month's drafts wait for a decision: {DECIDE}"

    @release.validator
    def _may_release(self, command: OperatorCommand) -> None:
        command.check()
        require_waiting(self._record)

    @reject.validator
    def _may_reject(self, command: OperatorCommand) -> None:
        command.check()
        require_waiting(self._record)

    async def _open(self, period: str) -> BankRefundsRecord:
        """Draft the month, or read it where it was drafted before."""
        return await workflow.execute_activity_method(
            BankRefundActivities.open_bank_refunds,
            period,
            summary=f"draft what is due back in {period}",
            **DATABASE_SWEEP,
        )

    async def _begin_month(self, request: BankRefundsRequest) -> None:
        due_at = workflow.info().typed_search_attributes.get(_SCHEDULED_AT, workflow.now())
        period = f"{due_at:%Y-%m}"
        workflow.set_current_details(f"Begins `{workflow_ids.bank_refunds_id(period)}`, unless there is one, and ends.")
        try:
            _ = await workflow.start_child_workflow(
                BankRefunds.run,
                replace(request, period=period),
                id=workflow_ids.bank_refunds_id(period),
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **visibility.bank_refunds_label(period),
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("bank_refunds_already_started", extra={"period": period})

    async def _ask(self, period: str, time: int) -> None:
        self._show()
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(RELEASE_WANTED)]
        )
        await workflow.execute_activity_method(
            BankRefundActivities.ask_for_bank_release, args=[period, time], summary="ask operators", **DATABASE
        )
        occasion = f"{workflow_ids.bank_refunds_id(period)}/{time}"
        await workflow.execute_activity_method(
            MailingActivities.start_mailing,
            MailingStart("", workflow_ids.mailing_id(occasion), workflow_ids.WORKFLOW_QUEUE),
            summary="send it",
            **DATABASE,
        )

    def _is_decided(self) -> bool:
        return self._record is not None and self._record.state is not BankRefundsState.WAITING

    async def _has_changed_until(self, moment: datetime) -> bool:
        """Wait for a decision, a change of the row or a long history; False at the moment when operators are asked."""
        try:
            await workflow.wait_condition(
                lambda: self._is_decided() or self._is_changed or self._is_history_long(),
                timeout=moment - workflow.now(),
                timeout_summary="operators are asked again",
            )
        except TimeoutError:
            return False
        if self._is_changed and not self._is_decided():
            self._is_changed = False
            self._record = await self._open(self._request.period)
            if self._is_decided():
                self._end_review()
        return True

    def _is_history_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()

    async def _decide(self, state: BankRefundsState, command: OperatorCommand) -> BankRefundsRecord:
        await until_answer(lambda: self._record is not None)
        with surfacing_refusal():
            record = await workflow.execute_activity_method(
                BankRefundActivities.decide_bank_refunds,
                BankRefundsDecision(self._request.period, state, command.actor, command.reason),
                summary=f"{state}, says {command.actor}",
                **DATABASE_SWEEP,
            )
        self._record = record
        self._end_review()
        return record

    def _end_review(self) -> None:
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(False), visibility.REVIEW_REASON.value_unset()]
        )

    def _show(self) -> None:
        record = self._record
        assert record is not None
        who = f" by {record.actor}: {record.reason}" if record.actor else ""
        waits = record.state is BankRefundsState.WAITING
        workflow.set_current_details(
            paragraphs(
                f"### Refunds of {record.period} by bank transfer\n\n{record.refunds} drafted; **{record.state}**{who}",
                actions_text(_ACTIONS, target=record.period) if waits else "",
            )
        )
