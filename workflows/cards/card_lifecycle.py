"""The life of a card: registered, validated, looked after for years, and gone in the end (G11 to G13, X1 to X8)."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.cards.cards import CardActivities
from activities.cards.rows import CardRowActivities
from models import workflow_ids
from models.cards.card import (
    FINAL_VALIDATIONS,
    IN_VALIDATION,
    CardChange,
    CardDuty,
    CardRequest,
    CardResult,
    CardState,
    Due,
    ValidationOutcome,
    ValidationRequest,
    ValidationResult,
    ends_at,
    next_due,
)
from models.messages.message import MessageKind
from models.waiting import WakeReason
from workflows.cards.handlers import CardHandlers
from workflows.cards.notices import CardNotices
from workflows.cards.reading import load_card
from workflows.cards.state import CardWorkflowState
from workflows.faults import Refusal, broken_rule
from workflows.inputs.checks import checked_init
from workflows.options import DATABASE, PEOPLE, PROVIDER_PAUSE, UNTIL_DONE
from workflows.signals import signal_if_running

# How long is waited before the gateway is checked again for an outcome; the last pause repeats.
CHECK_INTERVALS: tuple[timedelta, ...] = (
    timedelta(minutes=1),
    timedelta(minutes=3),
    timedelta(minutes=10),
    timedelta(hours=1),
)
REVIEW_AFTER = timedelta(hours=6)

# A check of ours that a provider which is not effective cannot make comes so much later: nobody waits for it.
CHECK_PAUSE = timedelta(days=1)


@workflow.defn(name="CardLifecycle")
class CardLifecycle(CardHandlers):
    """Looks after one card. The stored row says whether it may be charged; this says what happens to it next."""

    @checked_init
    def __init__(self, request: CardRequest) -> None:
        self._state = CardWorkflowState(request, lambda: self._notices.may_be_cut_off)
        self._notices = CardNotices(request.card_id, request.resumed.notices if request.resumed else ())
        self._refused = None

    @workflow.run
    async def run(self, request: CardRequest) -> CardResult:
        """Look after the card until it is rejected, replaced or removed. Fails when it cannot be registered."""
        self._state.show()
        self._notices.send_kept()
        await self._register_or_load()
        while not self._state.is_over:
            if self._state.card.state in IN_VALIDATION or self._state.snapshot.is_validating:
                await self._validate()
            else:
                await self._wait_until_due()
            self._continue_if_long()
        await self._detach_if_replaced()
        return CardResult(request.card_id, self._state.card.state, self._state.card.state_reason)

    async def _register_or_load(self) -> None:
        request = self._state.request
        if request.registration is None or request.resumed is not None:
            self._state.update_from(await load_card(self._state.request.card_id))
            return
        try:
            card = await workflow.execute_activity_method(
                CardActivities.register_card,
                request.registration,
                task_queue=workflow_ids.gateway_queue(request.provider),
                summary=f"write {request.card_id} down",
                priority=PEOPLE,
                **UNTIL_DONE,
            )
        except ActivityError as error:
            if (rule := broken_rule(error)) is None:
                raise
            # Whoever waits for the first answer gets the rule that was broken, and then the workflow fails.
            self._refused = rule
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise Refusal(error) from error
        self._state.update_from(card)

    async def _validate(self) -> None:
        """Send the validation, or check what became of it, and do what the answer calls for."""
        state, result = self._state, await self._send_validation()
        if result.outcome in FINAL_VALIDATIONS:
            await self._close(result)
        self._state.first = self._state.first or result
        match result.outcome:
            case ValidationOutcome.ACTION_REQUIRED if state.card.state is CardState.ACTIVE:
                # The card works as it is: nobody is bothered for a check of our own.
                await self._close(await self._end_validation())
            case ValidationOutcome.ACTION_REQUIRED:
                await self._wait_for_holder()
            case ValidationOutcome.PROCESSING | ValidationOutcome.UNKNOWN:
                await self._wait_for_evidence()
            case ValidationOutcome.PROVIDER_NOT_EFFECTIVE:
                await self._wait_for_provider(result.code)
            case _:
                state.show()

    async def _wait_for_provider(self, blocked_as: str) -> None:
        """Nothing new is asked of a provider that is not effective, nor of what is blocked: look again until it is."""
        state = self._state
        provider = state.request.provider
        question = f"is it off the block list? {blocked_as}" if blocked_as else f"is {provider} effective again?"
        if state.card.state in IN_VALIDATION:
            await state.waiter.wait(workflow.now() + PROVIDER_PAUSE, question)
        else:
            state.put_off_check(workflow.now() + CHECK_PAUSE)
            state.waiter.note(f"put off for a day: {question}")

    async def _close(self, result: ValidationResult) -> None:
        """An attempt is over: take in what it made of the card, and notify who has to know."""
        state = self._state
        was_new = state.card.state in IN_VALIDATION
        if state.snapshot.unknown_since is not None:
            state.waiter.end_review()
        state.close_attempt()
        await self._changed(await load_card(self._state.request.card_id))
        if was_new and result.outcome is ValidationOutcome.REJECTED:
            self._notices.notify(MessageKind.CARD_REJECTED, str(result.attempt))
        if was_new and result.outcome is ValidationOutcome.ACCEPTED:
            await self._signal_replaced()

    async def _wait_for_holder(self) -> None:
        """The card's holder must come along: they have a link, a reminder and a deadline."""
        state, rules = self._state, self._state.card.rules
        asked_at = state.snapshot.asked_at or workflow.now()
        deadline = asked_at + timedelta(days=rules.action_days)
        reminder = asked_at + timedelta(days=rules.reminder_days)
        day = f"{asked_at:%Y-%m-%d}"
        if state.snapshot.asked_at is None:
            state.snapshot = replace(state.snapshot, asked_at=asked_at)
            self._notices.notify(MessageKind.CARD_CONFIRMATION, day, at=deadline)
        # A page that has ended meanwhile is opened anew when its holder follows the link.
        until = deadline if state.snapshot.reminded else min(deadline, reminder)
        wake = await state.waiter.wait(until, "the card's holder is reminded" if until < deadline else "nobody came")
        if wake.reason is not WakeReason.TIMER:
            return
        if workflow.now() >= deadline:
            await self._abandon()
        elif workflow.now() >= reminder and not state.snapshot.reminded:
            state.snapshot = replace(state.snapshot, reminded=True)
            self._notices.notify(MessageKind.CARD_CONFIRMATION, f"{day}-reminder", at=deadline)

    async def _abandon(self) -> None:
        """Nobody came: end the attempt, unless it ended well at the last moment."""
        result = await self._end_validation()
        if result.outcome is not ValidationOutcome.ACCEPTED and self._state.card.state in IN_VALIDATION:
            await self._record(CardChange(self._state.request.card_id, CardState.REJECTED, "abandoned"))
        await self._close(result)

    async def _wait_for_evidence(self) -> None:
        """Nobody knows, or the gateway decides later: check again, and never guess."""
        state, now = self._state, workflow.now()
        since = state.snapshot.unknown_since or now
        if now - since >= REVIEW_AFTER:
            state.waiter.ask_a_person("unknown_validation")
        pause = CHECK_INTERVALS[min(state.snapshot.checks, len(CHECK_INTERVALS) - 1)]
        state.snapshot = replace(state.snapshot, unknown_since=since, checks=state.snapshot.checks + 1)
        await state.waiter.wait(
            now + pause, f"check {state.snapshot.checks} for what became of attempt {state.attempt}"
        )

    async def _wait_until_due(self) -> None:
        """Sleep until something is due or happens, and do it."""
        state = self._state
        card, warned = replace(state.card, checked_at=state.checked_at), frozenset(state.snapshot.warned)
        put_off_until, due = state.snapshot.put_off_until, None
        if card.state is CardState.ACTIVE:
            due = next_due(card, now=workflow.now(), warned=warned, put_off_until=put_off_until)
        elif put_off_until is not None:
            due = Due(put_off_until, CardDuty.REVALIDATE)
        wake = await state.waiter.wait(due.at if due else None, _summary(due))
        match wake.reason:
            case WakeReason.TIMER if due is not None:
                await self._perform_duty(due)
            case WakeReason.GATEWAY_EVENT:
                await self._refresh()
            case WakeReason.REVALIDATE:
                state.begin_validation("a person wants to know")
            case WakeReason.LONG_HISTORY:
                return
            case _:
                await self._changed(await load_card(self._state.request.card_id))

    async def _perform_duty(self, due: Due) -> None:
        state = self._state
        match due.duty:
            case CardDuty.WARN:
                state.snapshot = replace(state.snapshot, warned=(*state.snapshot.warned, due.days))
                month = f"{state.card.exp_year}-{state.card.exp_month:02d}"
                last_day = ends_at(state.card.exp_year, state.card.exp_month) - timedelta(days=1)
                self._notices.notify(MessageKind.CARD_EXPIRING, f"{month}-{due.days}", at=last_day)
                state.waiter.note(f"its holder is notified that it expires, {due.days} days before")
            case CardDuty.EXPIRE:
                state.snapshot = replace(state.snapshot, put_off_until=None)
                await self._record(CardChange(state.request.card_id, CardState.EXPIRED, "expired"))
            case CardDuty.REVALIDATE:
                was_put_off = state.snapshot.put_off_until is not None
                state.begin_validation("it was put off" if was_put_off else "it was not used for long")

    async def _refresh(self) -> None:
        """Read the card at the gateway; new data may lift what stopped it, so then the gateway is asked."""
        state, before = self._state, self._state.card
        refreshed = await workflow.execute_activity_method(
            CardActivities.refresh_card,
            state.request.card_id,
            task_queue=workflow_ids.gateway_queue(state.request.provider),
            summary=f"read {state.request.card_id} at the gateway",
            priority=PEOPLE,
            **UNTIL_DONE,
        )
        await self._changed(refreshed.card)
        if (before.exp_year, before.exp_month) != (state.card.exp_year, state.card.exp_month):
            state.snapshot = replace(state.snapshot, warned=())
        if refreshed.is_changed and before.state is CardState.BLOCKED and state.card.state is CardState.BLOCKED:
            state.begin_validation("its data have changed since it was blocked")

    async def _record(self, change: CardChange) -> None:
        card = await workflow.execute_activity_method(
            CardRowActivities.change_card,
            change,
            summary=f"{change.card_id} is {change.state}: {change.reason}",
            **DATABASE,
        )
        await self._changed(card)

    async def _end_validation(self) -> ValidationResult:
        state = self._state
        result = await workflow.execute_activity_method(
            CardActivities.end_validation,
            ValidationRequest(state.request.card_id, state.request.provider, state.attempt),
            task_queue=workflow_ids.gateway_queue(state.request.provider),
            summary=f"end attempt {state.attempt} about {state.request.card_id}",
            priority=PEOPLE,
            **UNTIL_DONE,
        )
        state.record_result(result)
        return result

    async def _signal_replaced(self) -> None:
        registration = self._state.request.registration
        if registration is None or not registration.replaces:
            return
        await signal_if_running(workflow_ids.card_id(registration.replaces), "card_touched")

    async def _detach_if_replaced(self) -> None:
        """Send the last notice, and detach a replaced card from its customer at the gateway."""
        if self._state.card.state is CardState.REPLACED:
            await workflow.execute_activity_method(
                CardActivities.detach_card,
                self._state.request.card_id,
                task_queue=workflow_ids.gateway_queue(self._state.request.provider),
                summary=f"take {self._state.request.card_id} from its customer",
                priority=PEOPLE,
                **UNTIL_DONE,
            )
        await self._notices.finish()
        if self._state.first is None:
            # Whoever started a card that is over already waits for an answer that nobody will give.
            self._refused = ApplicationError(f"card: it is {self._state.card.state}", type="card_is_in_use")
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _continue_if_long(self) -> None:
        if self._state.waiter.is_history_long():
            workflow.continue_as_new(self._state.resumed_request(self._notices.kept))


def _summary(due: Due | None) -> str:
    if due is None:
        return "nothing is planned; an event of the gateway or a command wakes it"
    summaries = {
        CardDuty.WARN: f"its holder is notified that it expires, {due.days} days before",
        CardDuty.EXPIRE: "its last month is over",
        CardDuty.REVALIDATE: "the gateway is asked whether it is still good",
    }
    return summaries[due.duty]
