"""The life of a card: registered, validated, looked after for years, and gone in the end (G11 to G13, X1 to X8)."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.cards.cards import CardActivities, CardRowActivities
from models.cards.card import (
    FINAL_VALIDATIONS,
    IN_VALIDATION,
    Card,
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
from workflows import visibility
from workflows.cards.handlers import CardHandlers
from workflows.cards.notices import CardNotices
from workflows.cards.state import CardWorkflowState, News
from workflows.options import COLLECT, DATABASE, PEOPLE, UNTIL_DONE
from workflows.signals import signal_if_running

# How long is waited before the gateway is looked at again for an outcome; the last pause repeats.
CHECK_INTERVALS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
REVIEW_AFTER = timedelta(hours=6)


@workflow.defn(name="CardLifecycle")
class CardLifecycle(CardHandlers):
    """Looks after one card. The stored row says whether it may be charged; this says what happens to it next."""

    @workflow.init
    def __init__(self, request: CardRequest) -> None:
        self._file = CardWorkflowState(request)
        self._outgoing = CardNotices(request.card_id)
        self._first = None
        self._refused = None

    @workflow.run
    async def run(self, request: CardRequest) -> CardResult:
        """Look after the card until it is rejected, replaced or removed. Fails when it cannot be registered."""
        self._file.show()
        await self._take_up()
        while not self._file.is_over:
            if self._file.card.state in IN_VALIDATION or self._file.progress.is_asking:
                await self._validate()
            else:
                await self._live()
            self._continue_if_long()
        await self._leave()
        return CardResult(request.card_id, self._file.card.state, self._file.card.state_reason)

    async def _take_up(self) -> None:
        request = self._file.request
        if request.registration is None or request.resumed is not None:
            self._file.take(await self._load())
            return
        try:
            card = await workflow.execute_activity_method(
                CardActivities.register_card,
                request.registration,
                task_queue=visibility.gateway_queue(request.provider),
                summary=f"write {request.card_id} down",
                priority=PEOPLE,
                **COLLECT,
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                self._refused = error.cause
                await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        self._file.take(card)

    async def _validate(self) -> None:
        """Ask, or look what became of an attempt, and do what the answer calls for."""
        file, result = self._file, await self._ask()
        if result.outcome in FINAL_VALIDATIONS:
            await self._close(result)
        self._first = self._first or result
        match result.outcome:
            case ValidationOutcome.ACTION_REQUIRED if file.card.state is CardState.ACTIVE:
                # The card works as it is: nobody is bothered for a check of our own.
                await self._close(await self._end_validation())
            case ValidationOutcome.ACTION_REQUIRED:
                await self._wait_for_holder()
            case ValidationOutcome.PROCESSING | ValidationOutcome.UNKNOWN:
                await self._wait_for_evidence()
            case _:
                file.show()

    async def _close(self, result: ValidationResult) -> None:
        """An attempt is over: take in what it made of the card, and tell who has to know."""
        file = self._file
        was_new = file.card.state in IN_VALIDATION
        if file.progress.unknown_since is not None:
            file.end_review()
        file.close_attempt()
        await self._changed(await self._load())
        if was_new and result.outcome is ValidationOutcome.REJECTED:
            self._outgoing.tell(MessageKind.CARD_REJECTED, str(result.attempt))
        if was_new and result.outcome is ValidationOutcome.ACCEPTED:
            await self._tell_replaced()

    async def _wait_for_holder(self) -> None:
        """The card's holder must come along: they have a link, a reminder and a deadline."""
        file, rules = self._file, self._file.card.rules
        asked_at = file.progress.asked_at or workflow.now()
        deadline = asked_at + timedelta(days=rules.action_days)
        reminder = asked_at + timedelta(days=rules.reminder_days)
        day = f"{asked_at:%Y-%m-%d}"
        if file.progress.asked_at is None:
            file.progress = replace(file.progress, asked_at=asked_at)
            self._outgoing.tell(MessageKind.CARD_CONFIRMATION, day, at=deadline)
        # A page that has ended meanwhile is opened anew when its holder follows the link.
        until = deadline if file.progress.reminded else min(deadline, reminder)
        news = await file.wait(until, "the card's holder is reminded" if until < deadline else "nobody came")
        if news is not News.TIMER:
            return
        if workflow.now() >= deadline:
            await self._abandon()
        elif workflow.now() >= reminder and not file.progress.reminded:
            file.progress = replace(file.progress, reminded=True)
            self._outgoing.tell(MessageKind.CARD_CONFIRMATION, f"{day}-reminder", at=deadline)

    async def _abandon(self) -> None:
        """Nobody came: end the attempt, unless it ended well at the last moment."""
        result = await self._end_validation()
        if result.outcome is not ValidationOutcome.ACCEPTED and self._file.card.state in IN_VALIDATION:
            await self._record(CardChange(self._file.request.card_id, CardState.REJECTED, "abandoned"))
        await self._close(result)

    async def _wait_for_evidence(self) -> None:
        """Nobody knows, or the gateway decides later: look again, and never guess."""
        file, now = self._file, workflow.now()
        since = file.progress.unknown_since or now
        if (
            file.progress.unknown_since
            and now - since >= REVIEW_AFTER
            and file.progress.checks % 24 == len(CHECK_INTERVALS)
        ):
            file.ask_a_person("unknown_validation")
        pause = CHECK_INTERVALS[min(file.progress.checks, len(CHECK_INTERVALS) - 1)]
        file.progress = replace(file.progress, unknown_since=since, checks=file.progress.checks + 1)
        await file.wait(now + pause, f"look {file.progress.checks} for what became of attempt {file.attempt}")

    async def _live(self) -> None:
        """Sleep until something is due or happens, and do it."""
        file = self._file
        card, warned = replace(file.card, checked_at=file.checked_at), frozenset(file.progress.warned)
        due = next_due(card, now=workflow.now(), warned=warned) if card.state is CardState.ACTIVE else None
        news = await file.wait(due.at if due else None, _summary(due))
        match news:
            case News.TIMER if due is not None:
                await self._do(due)
            case News.GATEWAY_EVENT:
                await self._refresh()
            case News.REVALIDATE:
                file.begin_validation("a person wants to know")
            case _:
                await self._changed(await self._load())

    async def _do(self, due: Due) -> None:
        file = self._file
        match due.duty:
            case CardDuty.WARN:
                file.progress = replace(file.progress, warned=(*file.progress.warned, due.days))
                month = f"{file.card.exp_year}-{file.card.exp_month:02d}"
                last_day = ends_at(file.card.exp_year, file.card.exp_month) - timedelta(days=1)
                self._outgoing.tell(MessageKind.CARD_EXPIRING, f"{month}-{due.days}", at=last_day)
                file.note(f"its holder is told that it expires, {due.days} days before")
            case CardDuty.EXPIRE:
                await self._record(CardChange(file.request.card_id, CardState.EXPIRED, "expired"))
            case CardDuty.REVALIDATE:
                file.begin_validation("it was not used for long")

    async def _refresh(self) -> None:
        """Read the card at the gateway; new data may lift what stopped it, so then the gateway is asked."""
        file, before = self._file, self._file.card
        refreshed = await workflow.execute_activity_method(
            CardActivities.refresh_card,
            file.request.card_id,
            task_queue=visibility.gateway_queue(file.request.provider),
            summary=f"read {file.request.card_id} at the gateway",
            priority=PEOPLE,
            **UNTIL_DONE,
        )
        await self._changed(refreshed.card)
        if (before.exp_year, before.exp_month) != (file.card.exp_year, file.card.exp_month):
            file.progress = replace(file.progress, warned=())
        if refreshed.is_changed and before.state is CardState.BLOCKED and file.card.state is CardState.BLOCKED:
            file.begin_validation("its data have changed since it was blocked")

    async def _record(self, change: CardChange) -> None:
        card = await workflow.execute_activity_method(
            CardRowActivities.change_card,
            change,
            summary=f"{change.card_id} is {change.state}: {change.reason}",
            **DATABASE,
        )
        await self._changed(card)

    async def _end_validation(self) -> ValidationResult:
        file = self._file
        result = await workflow.execute_activity_method(
            CardActivities.end_validation,
            ValidationRequest(file.request.card_id, file.request.provider, file.attempt),
            task_queue=visibility.gateway_queue(file.request.provider),
            summary=f"end attempt {file.attempt} about {file.request.card_id}",
            priority=PEOPLE,
            **UNTIL_DONE,
        )
        file.heard(result)
        return result

    async def _load(self) -> Card:
        return await workflow.execute_activity_method(
            CardRowActivities.load_card,
            self._file.request.card_id,
            summary=f"read {self._file.request.card_id}",
            **DATABASE,
        )

    async def _tell_replaced(self) -> None:
        registration = self._file.request.registration
        if registration is None or not registration.replaces:
            return
        await signal_if_running(visibility.card_id(registration.replaces), "card_touched")

    async def _leave(self) -> None:
        """Say the last word, and take a replaced card from its customer."""
        if self._file.card.state is CardState.REPLACED:
            await workflow.execute_activity_method(
                CardActivities.detach_card,
                self._file.request.card_id,
                task_queue=visibility.gateway_queue(self._file.request.provider),
                summary=f"take {self._file.request.card_id} from its customer",
                priority=PEOPLE,
                **UNTIL_DONE,
            )
        await self._outgoing.finish()
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _continue_if_long(self) -> None:
        info = workflow.info()
        if info.is_continue_as_new_suggested() and workflow.all_handlers_finished() and self._outgoing.is_idle:
            workflow.continue_as_new(replace(self._file.request, resumed=self._file.progress))


def _summary(due: Due | None) -> str:
    if due is None:
        return "nothing is planned; news of the gateway or a command wakes it"
    said = {
        CardDuty.WARN: f"its holder is told that it expires, {due.days} days before",
        CardDuty.EXPIRE: "its last month is over",
        CardDuty.REVALIDATE: "the gateway is asked whether it is still good",
    }
    return said[due.duty]
