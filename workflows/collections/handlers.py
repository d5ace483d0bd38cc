"""The signals, updates and queries of a collection. Validators refuse what makes no sense and say why."""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.collections.collect import CollectActivities
from activities.collections.ownership import CollectionActivities
from activities.collections.payment_pages import PaymentPageActivities
from models import workflow_ids
from models.collections.collection import (
    BETWEEN_ATTEMPTS,
    CollectionStatus,
    GraceCommand,
    PaidOutside,
    PaidOutsideCommand,
    Resolution,
    RetryCommand,
    Stage,
    WaitingFor,
)
from models.gateway.gateway_request import ATTEMPT_WAS_MADE, HELD_CODES, CollectResult
from models.operator_command import CommandError, OperatorCommand, UnknownResolution
from models.payments.hold import HoldRelease
from models.waiting import AcceptedCommands, WakeReason
from workflows.collections.details import is_held_by_rule
from workflows.collections.notices import CollectionNotices
from workflows.collections.state import CollectionState
from workflows.options import COLLECT_WAITING, DATABASE, PEOPLE, UNTIL_DONE
from workflows.payments.holds import release_held
from workflows.updates import async_question, async_update, surfacing_refusal, until_answer


class CollectionHandlers:
    """The signals, updates and queries of a collection."""

    _state: CollectionState
    _notices: CollectionNotices
    _refused: ApplicationError | None

    @workflow.signal(description="The account has a new, changed or replaced card.")
    def card_changed(self) -> None:
        """Try at once: the new card may work."""
        self._state.waiter.wake(WakeReason.CARD_CHANGED)

    @workflow.signal(description="A payment, a credit, a cancellation or the account's end changed what is owed.")
    def receivable_changed(self) -> None:
        """Look again at what is owed, and charge nothing for it."""
        self._state.waiter.wake(WakeReason.RECEIVABLE_CHANGED)

    @workflow.signal(description="What held a charge back was released, or is not on the block list any more.")
    def hold_released(self) -> None:
        """Make the attempt that was held, or ask for no person any more where a page was."""
        state = self._state
        if state.stage is Stage.DUNNING and state.last is not None and state.last.code in HELD_CODES:
            state.waiter.wake(WakeReason.HOLD_RELEASED)
        else:
            state.end_hold()

    @async_update("Let the charge go on that a rule holds, for the amount that is held.")
    async def release_hold(self, command: HoldRelease) -> str:
        """Release the hold and make the attempt. What is not to be charged is given up instead."""
        request = self._state.request
        released = await release_held(self._state.waiter, request.account_id, request.period, command)
        self.hold_released()
        return released

    @workflow.signal(description="The gateway has an event of this receivable's payment.")
    def gateway_event(self) -> None:
        """Look at the gateway, if that is what we wait for: an event is a hint, never a fact."""
        if self._state.stage in {Stage.UNKNOWN, Stage.PROCESSING} or self._state.has_page:
            self._state.waiter.wake(WakeReason.GATEWAY_EVENT)

    async def cancel_asked(self, reason: str) -> str:
        """Wind down: let the receivable go as soon as no attempt is outstanding, and begin no other."""
        waiter = self._state.waiter
        waiter.note(f"cancelled in Temporal's UI: {reason or 'no reason given'}")
        waiter.wake(WakeReason.CANCELLED)
        if self._state.stage in BETWEEN_ATTEMPTS:
            return "the receivable is let go"
        return "the receivable is let go as soon as the outcome of the attempt is known"

    def carried_after_fault(self) -> AcceptedCommands:
        """Return what was accepted and is not done, and how far the policy has come."""
        return self._state.course()

    @workflow.query(description="Where the receivable stands, and what comes next.")
    def status(self) -> CollectionStatus:
        """Return stage, attempts, the last outcome, the next moment and the decisions so far."""
        return self._state.status()

    @async_question("Wait for the first attempt and return its outcome.")
    async def first_outcome(self) -> CollectResult:
        """Return what the first attempt came to; unknown when nobody knows yet. Fails when somebody else owns it."""
        await until_answer(lambda: self._state.first is not None or self._refused is not None)
        if self._refused is not None:
            raise ApplicationError(self._refused.message, type=self._refused.type, non_retryable=True)
        assert self._state.first is not None
        return self._state.first

    @async_update("Open a hosted page for the customer, or return the open one.")
    async def open_page(self) -> str:
        """Return the address of a page on which the customer can pay what is owed."""
        state = self._state
        if state.snapshot.page is not None and state.snapshot.page.expires_at > workflow.now():
            return state.snapshot.page.url
        try:
            with surfacing_refusal():
                page = await workflow.execute_activity_method(
                    PaymentPageActivities.open_page,
                    state.attempt_request(state.next_attempt()),
                    task_queue=workflow_ids.gateway_queue(state.request.provider),
                    summary="open a page for the customer",
                    priority=PEOPLE,
                    **COLLECT_WAITING,
                )
        except ApplicationError as error:
            if error.type == ATTEMPT_WAS_MADE:
                # What it came to is recorded: perhaps it has paid what is waited for.
                state.waiter.wake(WakeReason.RECEIVABLE_CHANGED)
            if error.type in HELD_CODES and state.waiter.ask_a_person(error.type, in_place_of=HELD_CODES):
                self._notices.notify()
            raise
        state.show_page(page)
        return page.url

    @workflow.update(description="Try now, on the usual card or on another.")
    def retry_now(self, command: RetryCommand) -> str:
        """Make a manual attempt; it does not use up the policy's attempts."""
        return self._accept(WakeReason.RETRY_NOW, command, "retry now", card_id=command.card_id)

    @workflow.update(description="Leave out the next scheduled attempt.")
    def skip_attempt(self, command: OperatorCommand) -> str:
        """Count the next scheduled attempt as used, without making it."""
        return self._accept(WakeReason.SKIP, command, "skip the next attempt")

    @workflow.update(description="Leave the customer in peace until a moment.")
    def extend_grace(self, command: GraceCommand) -> str:
        """Wait until then with whatever comes next."""
        what = f"grace until {command.until:%Y-%m-%d %H:%M}Z"
        return self._accept(WakeReason.EXTEND_GRACE, command, what, until=command.until)

    @workflow.update(description="Stop collecting and leave the receivable open.")
    def give_up(self, command: OperatorCommand) -> str:
        """Give the receivable up."""
        return self._accept(WakeReason.GIVE_UP, command, "give up")

    @async_update("The customer has paid by other means: post it, with its reference.")
    async def mark_paid_outside(self, command: PaidOutsideCommand) -> str:
        """Post a payment of what is still owed. Fails when the ledger refuses it."""
        request = self._state.request
        await self._close_page()
        with surfacing_refusal():
            number = await workflow.execute_activity_method(
                CollectionActivities.record_paid_outside,
                PaidOutside(request.account_id, request.period, command.reference, command.method, command.actor),
                summary=f"post what came by {command.method}, reference {command.reference}",
                **DATABASE,
            )
        self._state.waiter.note(f"paid outside as {number}, says {command.actor}: {command.reason}")
        self._state.waiter.wake(WakeReason.RECEIVABLE_CHANGED)
        return number

    @async_update("Say what became of an unknown attempt: by the gateway's id, or by decision.")
    async def resolve_unknown(self, command: UnknownResolution) -> CollectResult:
        """Settle the unknown attempt. A gateway id is checked with the gateway; a decision is kept with its author."""
        state = self._state
        with surfacing_refusal():
            resolved = await workflow.execute_activity_method(
                CollectActivities.resolve_unknown,
                Resolution(
                    account_id=state.request.account_id,
                    period=state.request.period,
                    attempt=state.snapshot.attempt,
                    gateway_reference=command.gateway_reference,
                    actor=command.actor,
                    reason=command.reason,
                ),
                task_queue=workflow_ids.gateway_queue(state.request.provider),
                summary=f"check {command.gateway_reference or 'the decision that nothing was charged'}",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        state.waiter.note(f"resolved as {resolved.outcome} by {command.actor}: {command.reason}")
        state.waiter.wake(WakeReason.RESOLVED)
        return resolved

    async def _refuse(self, rule: ApplicationError) -> None:
        """Give whoever waits for the first outcome the rule that was broken."""
        self._refused = rule
        await workflow.wait_condition(workflow.all_handlers_finished)

    @open_page.validator
    def _may_open_page(self) -> None:
        if self._state.stage not in BETWEEN_ATTEMPTS:
            raise CommandError(f"stage: {self._state.stage}; a page is opened between attempts")

    @retry_now.validator
    def _may_retry(self, command: RetryCommand) -> None:
        self._between_attempts(command)

    @release_hold.validator
    def _may_release(self, command: HoldRelease) -> None:
        command.check()
        if not is_held_by_rule(self._state.status()):
            raise CommandError("stage: no rule holds it, so there is nothing to release")

    @skip_attempt.validator
    def _may_skip(self, command: OperatorCommand) -> None:
        self._between_attempts(command)
        if self._state.stage is not Stage.DUNNING or self._state.snapshot.waiting_for is not WaitingFor.RETRY:
            raise CommandError("stage: there is no scheduled attempt to skip")

    @extend_grace.validator
    def _may_extend(self, command: GraceCommand) -> None:
        self._between_attempts(command)
        command.check_at(workflow.now())

    @give_up.validator
    def _may_give_up(self, command: OperatorCommand) -> None:
        self._between_attempts(command)

    @mark_paid_outside.validator
    def _may_mark_paid(self, command: PaidOutsideCommand) -> None:
        self._between_attempts(command)

    @resolve_unknown.validator
    def _may_resolve(self, command: UnknownResolution) -> None:
        command.check()
        if self._state.stage is not Stage.UNKNOWN:
            raise CommandError(f"stage: {self._state.stage}, so there is no unknown outcome to resolve")

    async def _close_page(self) -> None:
        """Make sure that nobody can pay on the customer's page any more while something else is done."""
        state = self._state
        if not state.has_page:
            return
        await workflow.execute_activity_method(
            PaymentPageActivities.close_page,
            state.attempt_request(state.snapshot.attempt),
            task_queue=workflow_ids.gateway_queue(state.request.provider),
            summary="close the customer's page",
            priority=PEOPLE,
            **UNTIL_DONE,
        )
        state.snapshot.page = None

    async def _end_page(self) -> None:
        """Close the customer's page. What its attempt came to, or whether the gateway answers, is asked for next."""
        try:
            await self._close_page()
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self._state.waiter.note("the customer's page could not be closed: its attempt is looked at first")

    def _between_attempts(self, command: OperatorCommand) -> None:
        command.check()
        stage = self._state.stage
        if stage not in BETWEEN_ATTEMPTS:
            raise CommandError(f"stage: {stage}; this is possible between attempts, when no outcome is outstanding")

    def _accept(
        self,
        reason: WakeReason,
        command: OperatorCommand,
        what: str,
        *,
        card_id: str = "",
        until: datetime | None = None,
    ) -> str:
        self._state.waiter.note(f"{what}, says {command.actor}: {command.reason}")
        self._state.waiter.wake(reason, card_id=card_id, until=until)
        return what
