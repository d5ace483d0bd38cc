"""The signals, updates and queries of a card. Validators refuse what makes no sense and say why."""

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.cards.cards import CardActivities
from activities.cards.rows import CardRowActivities
from models import workflow_ids
from models.cards.card import (
    IN_VALIDATION,
    Card,
    CardChange,
    CardState,
    CardStatus,
    RecurringCommand,
    ValidationOutcome,
    ValidationRequest,
    ValidationResolution,
    ValidationResult,
)
from models.operator_command import CommandError, OperatorCommand, UnknownResolution
from models.waiting import AcceptedCommands, WakeReason
from workflows.cards.state import CardWorkflowState
from workflows.options import COLLECT, COLLECT_WAITING, DATABASE, PEOPLE
from workflows.signals import signal_if_running
from workflows.updates import async_question, async_update, surfacing_refusal, until_answer


class CardHandlers:
    """The signals, updates and queries of a card."""

    _state: CardWorkflowState
    _refused: ApplicationError | None

    @workflow.signal(description="The gateway has an event of this card.")
    def gateway_event(self) -> None:
        """Look at the gateway: an event is a hint, never a fact."""
        self._state.waiter.wake(WakeReason.GATEWAY_EVENT)

    @workflow.signal(description="The stored card was changed by a payment, an import or another card.")
    def card_touched(self) -> None:
        """Read the card again."""
        self._state.waiter.wake(WakeReason.CARD_TOUCHED)

    async def cancel_asked(self, reason: str) -> str:
        """Refuse: a card nobody looks after would be charged after it has expired."""
        del reason
        return self._state.waiter.refuse_cancel("`remove` takes the card away, `block` stops charges to it")

    def carried_after_fault(self) -> AcceptedCommands:
        """Return what was accepted and is not done."""
        return AcceptedCommands(self._state.waiter.accepted())

    @workflow.query(description="Where the card stands, and what comes next.")
    def status(self) -> CardStatus:
        """Return the card, the last answer, the next moment and what happened."""
        return self._state.status

    @async_question("Wait for the gateway's first answer about a card that is being registered.")
    async def first_outcome(self) -> ValidationResult:
        """Return the first answer; fails with the rule when the card cannot be registered."""
        await until_answer(lambda: self._state.first is not None or self._refused is not None)
        if self._refused is not None:
            raise ApplicationError(self._refused.message, type=self._refused.type, non_retryable=True)
        assert self._state.first is not None
        return self._state.first

    @async_question("Return the card once it has been read.")
    async def check(self) -> Card:
        """Return the card, at once for a workflow that has been at work for a while."""
        await until_answer(lambda: self._state.is_loaded)
        return self._state.card

    @async_question("Return the address of the page on which the card's holder is waited for.")
    async def open_page(self) -> str:
        """Return where the holder must go now, as the gateway says it."""
        result = await self._send_validation()
        if result.outcome is ValidationOutcome.DID_NOT_HAPPEN:
            result = await self._send_validation()
        if result.outcome is ValidationOutcome.PROVIDER_NOT_EFFECTIVE:
            problem = f"provider: {self._state.request.provider} is not effective, no page is opened"
            if result.code:
                problem = f"card: it or its account is on the block list, no page is opened: {result.code}"
            raise ApplicationError(problem, type=result.code or "provider_effective", non_retryable=True)
        if not result.url:
            raise ApplicationError("card: nothing is wanted from its holder", type="nothing_wanted", non_retryable=True)
        return result.url

    @async_update("Ask the gateway whether the card is good.")
    async def revalidate(self, command: OperatorCommand) -> Card:
        """Begin another validation; the card stays as it is until there is an answer. Refused by a stopped provider."""
        if workflow.patched("revalidate-names-a-stopped-provider"):
            with surfacing_refusal():
                await workflow.execute_activity_method(
                    CardRowActivities.require_effective_provider,
                    self._state.request.provider,
                    summary="may anything be asked of the provider?",
                    **DATABASE,
                )
        self._state.waiter.note(f"revalidate, says {command.actor}: {command.reason}")
        self._state.waiter.wake(WakeReason.REVALIDATE)
        return self._state.card

    @async_update("Say what became of an unknown attempt: by the gateway's id, or by decision.")
    async def resolve_unknown(self, command: UnknownResolution) -> ValidationResult:
        """Settle the unknown attempt. A gateway id is checked with the gateway; a decision is kept with its author."""
        state = self._state
        with surfacing_refusal():
            result = await workflow.execute_activity_method(
                CardActivities.resolve_validation,
                ValidationResolution(state.request.card_id, state.attempt, command),
                task_queue=workflow_ids.gateway_queue(state.request.provider),
                summary=f"check {command.gateway_reference or 'the decision that nothing was asked'}",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        state.waiter.note(f"resolved as {result.outcome} by {command.actor}: {command.reason}")
        state.waiter.wake(WakeReason.CARD_TOUCHED)
        return result

    @async_update("Stop charges to the card.")
    async def block(self, command: OperatorCommand) -> Card:
        """Block the card; a validation that is accepted lifts it."""
        return await self._change(command, CardChange(self._state.request.card_id, CardState.BLOCKED))

    @async_update("Take the card away for good, at the gateway too.")
    async def remove(self, command: OperatorCommand) -> Card:
        """Remove the card. Nobody charges it from the moment this returns."""
        card = await workflow.execute_activity_method(
            CardActivities.remove_card,
            CardChange(self._state.request.card_id, reason=command.reason, actor=command.actor),
            task_queue=workflow_ids.gateway_queue(self._state.request.provider),
            summary=f"remove {self._state.request.card_id}",
            priority=PEOPLE,
            **COLLECT,
        )
        return await self._changed(card)

    @async_update("Make the card the first one to be charged.")
    async def set_default(self, command: OperatorCommand) -> Card:
        """Put the card in front of the account's others."""
        return await self._change(command, CardChange(self._state.request.card_id, is_default=True))

    @async_update("Let runs charge the card, or not.")
    async def set_recurring(self, command: RecurringCommand) -> Card:
        """Flag the card for runs, or take the flag away (G12)."""
        change = CardChange(self._state.request.card_id, is_recurring=command.is_recurring)
        return await self._change(command, change)

    @block.validator
    def _may_block(self, command: OperatorCommand) -> None:
        command.check()
        self._refuse_unless(CardState.ACTIVE)

    @revalidate.validator
    def _may_revalidate(self, command: OperatorCommand) -> None:
        command.check()
        self._refuse_unless(CardState.ACTIVE, CardState.BLOCKED, CardState.EXPIRED)

    @resolve_unknown.validator
    def _may_resolve(self, command: UnknownResolution) -> None:
        command.check()
        if self._state.snapshot.unknown_since is None:
            raise CommandError("stage: there is no unknown outcome to resolve")

    @remove.validator
    def _may_remove(self, command: OperatorCommand) -> None:
        command.check()
        self._refuse_unless(*IN_VALIDATION, CardState.ACTIVE, CardState.BLOCKED, CardState.EXPIRED)

    @set_default.validator
    def _may_set_default(self, command: OperatorCommand) -> None:
        command.check()
        self._refuse_unless(CardState.ACTIVE)

    @set_recurring.validator
    def _may_set_recurring(self, command: RecurringCommand) -> None:
        command.check()
        self._refuse_unless(CardState.ACTIVE)

    def _refuse_unless(self, *states: CardState) -> None:
        if not self._state.is_loaded:
            raise CommandError("card: it is not written down yet")
        if self._state.card.state not in states:
            raise CommandError(f"state: the card is {self._state.card.state}, it must be {' or '.join(states)}")

    async def _change(self, command: OperatorCommand, change: CardChange) -> Card:
        card = await workflow.execute_activity_method(
            CardRowActivities.change_card,
            replace(change, reason=command.reason, actor=command.actor),
            summary=f"change {change.card_id}, says {command.actor}",
            **DATABASE,
        )
        return await self._changed(card)

    async def _changed(self, card: Card) -> Card:
        """Take in a changed card, and let whoever collects from its account know at once."""
        state = self._state
        if state.update_from(card):
            state.waiter.wake(WakeReason.CARD_TOUCHED)
            await self._signal_collections(card)
        return card

    async def _signal_collections(self, card: Card) -> None:
        periods = await workflow.execute_activity_method(
            CardRowActivities.waiting_periods,
            card.account_id,
            summary=f"who collects from {card.account_id}?",
            **DATABASE,
        )
        for period in periods:
            # One that has come to its end meanwhile has no use for it.
            await signal_if_running(workflow_ids.collection_id(card.account_id, period), "card_changed")

    async def _send_validation(self) -> ValidationResult:
        """Ask about the card, or what became of the attempt that is under way."""
        state = self._state
        attempt = state.attempt
        try:
            result = await workflow.execute_activity_method(
                CardActivities.validate_card,
                ValidationRequest(state.request.card_id, state.request.provider, attempt),
                task_queue=workflow_ids.gateway_queue(state.request.provider),
                summary=f"is {state.request.card_id} good? attempt {attempt}",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            refused = isinstance(error.cause, ApplicationError) and error.cause.non_retryable
            code = error.cause.type if isinstance(error.cause, ApplicationError) else None
            if refused:
                state.waiter.ask_a_person(code or "refused")
            state.waiter.note_unsent(error)
            result = ValidationResult(ValidationOutcome.UNKNOWN, attempt, code=code or "")
        state.record_result(result)
        return result
