"""The state of a collection: what it knows, what it shows to operators, and how it waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from models.collections.collection import (
    CollectionRequest,
    CollectionSnapshot,
    CollectionStatus,
    OpenPage,
    OperatorCommand,
    Stage,
)
from models.gateway.decline import Decline, classify
from models.gateway.gateway_request import AttemptCause, CollectOutcome, CollectRequest, CollectResult
from models.moment import in_utc
from workflows import visibility
from workflows.collections.details import answer_of, details_of, subject_of


class WakeReason(StrEnum):
    """What can end a wait."""

    TIMER = "timer"
    CARD_CHANGED = "card_changed"
    RECEIVABLE_CHANGED = "receivable_changed"
    GATEWAY_EVENT = "gateway_event"
    RETRY_NOW = "retry_now"
    SKIP = "skip"
    EXTEND_GRACE = "extend_grace"
    GIVE_UP = "give_up"
    RESOLVED = "resolved"
    PAGE_OPENED = "page_opened"


@dataclass(frozen=True)
class Wake:
    """What ended a wait, and the command behind it."""

    kind: WakeReason
    command: OperatorCommand | None = None


# Between attempts everything but the gateway's news matters; while an outcome is unknown, nothing but evidence does.
# What one wait does not listen to is kept for the next.
BETWEEN_ATTEMPTS_WAKES = frozenset(WakeReason) - {WakeReason.TIMER, WakeReason.GATEWAY_EVENT, WakeReason.RESOLVED}
EVIDENCE = frozenset({WakeReason.GATEWAY_EVENT, WakeReason.RESOLVED})


class Case:
    """One receivable in collection."""

    def __init__(self, request: CollectionRequest) -> None:
        self.request = request
        self.stage = Stage.COLLECTING
        self.first: CollectResult | None = None
        self.last: CollectResult | None = None
        self.next_action_at: datetime | None = None
        self.next_action = ""
        self._state = request.resumed
        self._wakes: list[Wake] = []

    @property
    def is_open(self) -> bool:
        """Say whether the receivable has been taken over yet."""
        return self._state is not None

    @property
    def state(self) -> CollectionSnapshot:
        """What survives a continue-as-new. Only an open case has it."""
        assert self._state is not None
        return self._state

    @property
    def has_page(self) -> bool:
        """Say whether the customer has a page to pay on."""
        return self._state is not None and self._state.page is not None

    def open(self, state: CollectionSnapshot) -> None:
        """Begin with a state."""
        self._state = state

    def status(self) -> CollectionStatus:
        """Return what the query `status` answers."""
        state = self._state
        return CollectionStatus(
            stage=self.stage,
            attempt=state.attempt if state else 0,
            amount_minor=state.terms.amount_minor if state else 0,
            currency=state.terms.currency if state else "",
            next_action_at=self.next_action_at,
            last=self.last,
            decisions=tuple(state.decisions) if state else (),
            is_in_review=state.is_in_review if state else False,
            review_reason=state.review_reason if state else "",
            next_action=self.next_action,
            time_zone=state.terms.time_zone if state else "UTC",
            unknown_since=state.unknown_since if state else None,
        )

    @property
    def subject(self) -> str:
        """The receivable in one line, for the timeline."""
        return subject_of(self.request, self.status())

    def note(self, decision: str) -> None:
        """Keep a decision with its moment."""
        self.state.decisions.append(f"{in_utc(workflow.now())} {decision}")

    def heard(self, result: CollectResult) -> None:
        """Take in what an attempt came to. That nothing is new is no news."""
        if self.last is None or (self.last.attempt, self.last.outcome) != (result.attempt, result.outcome):
            self.note(answer_of(result, self.state.terms.currency))
        self.first = self.first or result
        self.last = result

    def enter(self, stage: Stage, result: CollectResult | None = None) -> None:
        """Move to a stage and let operators find it."""
        self.stage, self.next_action_at = stage, None
        terms = self.state.terms
        updates: list[SearchAttributeUpdate[Any]] = [
            visibility.STAGE.value_set(stage),
            visibility.ACCOUNT.value_set(self.request.account_id),
            visibility.PROVIDER.value_set(self.request.provider),
            visibility.AMOUNT_MINOR.value_set(terms.amount_minor),
            visibility.CURRENCY.value_set(terms.currency),
        ]
        if result is not None:
            updates += self._learned(result)
        if self.state.unknown_since:
            updates.append(visibility.UNKNOWN_SINCE.value_set(self.state.unknown_since))
        workflow.upsert_search_attributes(updates)
        self.show()

    def _learned(self, result: CollectResult) -> list[SearchAttributeUpdate[Any]]:
        updates: list[SearchAttributeUpdate[Any]] = []
        if result.code:
            updates.append(visibility.DECLINE_CODE.value_set(result.decline_code or result.code))
        if result.outcome is CollectOutcome.DECLINED:
            kind = classify(Decline(result.code, result.decline_code, result.advice_code))
            seen = workflow.info().typed_search_attributes.get(visibility.DECLINE_CLASS, ())
            updates.append(visibility.DECLINE_CLASS.value_set(sorted({*seen, kind})))
        if result.gateway_reference:
            updates.append(visibility.GATEWAY_REFERENCE.value_set(result.gateway_reference))
        if result.card_label:
            updates.append(visibility.CARD_BRAND.value_set(result.card_label.split()[0]))
        return updates

    def ask_a_person(self, reason: str) -> bool:
        """Say that this needs a person, once; return whether that is news."""
        if self.state.is_in_review:
            return False
        self.state.is_in_review, self.state.review_reason = True, reason
        self.note(f"a person is asked: {reason}")
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
        )
        return True

    def end_review(self) -> None:
        """Say that no person is needed any more."""
        if self.state.is_in_review:
            self.state.is_in_review, self.state.review_reason = False, ""
            workflow.upsert_search_attributes(
                [visibility.NEEDS_REVIEW.value_set(False), visibility.REVIEW_REASON.value_unset()]
            )

    def show(self) -> None:
        """Refresh what the UI says about the case."""
        workflow.set_current_details(details_of(self.request, self.status()))

    def wake(self, kind: WakeReason, command: OperatorCommand | None = None) -> None:
        """Let the next wait that listens to it end."""
        self._wakes.append(Wake(kind, command))

    async def wait(self, until: datetime, summary: str, *, listen_to: frozenset[WakeReason]) -> Wake:
        """Sleep until a moment, or until something that this wait listens to; the summary says what comes then."""
        self.next_action_at, self.next_action = until, summary
        workflow.upsert_search_attributes([visibility.NEXT_ACTION_AT.value_set(until)])
        self.show()
        try:
            await workflow.wait_condition(
                lambda: self._heard(listen_to) is not None,
                timeout=max(until - workflow.now(), timedelta(0)),
                timeout_summary=f"{self.subject}: {summary}",
            )
        except TimeoutError:
            return Wake(WakeReason.TIMER)
        heard = self._heard(listen_to)
        assert heard is not None
        self._wakes.remove(heard)
        return heard

    def _heard(self, listen_to: frozenset[WakeReason]) -> Wake | None:
        return next((wake for wake in self._wakes if wake.kind in listen_to), None)

    def next_attempt(self) -> int:
        """Return the number of the next attempt; one that was never written down leaves its number free."""
        attempt = self.state.attempt
        return attempt + 1 if self.last is not None and self.last.attempt == attempt else attempt

    def attempt_request(self, attempt: int) -> CollectRequest:
        """Return what an activity is asked about an attempt."""
        request = self.request
        return CollectRequest(
            account_id=request.account_id,
            period=request.period,
            provider=request.provider,
            run_id=request.run_id,
            attempt=attempt,
            cause=self.state.cause,
            card_id=self.state.card_id,
        )

    def show_page(self, page: OpenPage) -> None:
        """A page is open: it is the attempt now, and the wait goes on with it."""
        state = self.state
        state.attempt, state.cause, state.page = page.attempt, AttemptCause.CUSTOMER, page
        self.note(f"attempt {page.attempt}: the customer has a page until {in_utc(page.expires_at)}")
        self.wake(WakeReason.PAGE_OPENED)

    def try_anew(self, cause: AttemptCause, why: str, card_id: str = "") -> None:
        """Go on to the next attempt. Only a definite outcome of the last one leads here."""
        state = self.state
        state.attempt = self.next_attempt()
        state.cause, state.card_id = cause, card_id
        state.unknown_since, state.checks, state.page = None, 0, None
        self.end_review()
        self.note(f"attempt {state.attempt}: {why}")
