"""The state of a collection: what it knows, and what it shows to operators."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from models.collections.collection import (
    BETWEEN_ATTEMPTS,
    CANCELLED,
    CollectionCourse,
    CollectionRequest,
    CollectionSnapshot,
    CollectionStatus,
    CollectionTerms,
    OpenPage,
    Stage,
    WaitingFor,
)
from models.gateway.decline import Decline, classify
from models.gateway.gateway_request import HELD_CODES, AttemptCause, CollectOutcome, CollectRequest, CollectResult
from models.messages.message import Notice
from models.moment import in_utc
from models.waiting import WakeReason
from workflows import visibility
from workflows.collections.course import course_of, decided_before, take_course
from workflows.collections.details import answer_of, details_of, subject_of
from workflows.collections.policy import RULES_OUT_CARD, decline_of, next_card
from workflows.collections.steps import GAVE_UP
from workflows.faults import carried_state
from workflows.waiting import DONE_WITH_NEXT_WAIT, Waiter

# The change since which an attempt's answer says whether its page is open.
PAGES_ARE_READ = "open-pages-are-read"
# The change since which what a person has accepted comes before any other attempt.
HELD = "accepted-commands-before-attempts"
# The change since which a page that was closed for an end is asked about before it.
PAGES_ARE_MADE = "pages-are-asked-about-before-an-end"


class CollectionState:
    """One receivable in collection."""

    def __init__(self, request: CollectionRequest, is_idle: Callable[[], bool]) -> None:
        resumed = request.resumed
        self.request = request
        self.stage = resumed.stage if resumed else Stage.COLLECTING
        self.first = resumed.first if resumed else None
        self.last = resumed.last if resumed else None
        self.waiter = Waiter(lambda: self.subject, self.show, is_idle, resumed.waiter if resumed else None)
        self._snapshot = resumed
        self._carried = carried_state(CollectionCourse) or CollectionCourse()
        self._before_page = self._carried.before_page
        # The last attempt about which the policy has decided.
        self._decided = decided_before(resumed) if resumed else self._carried.decided

    @property
    def is_open(self) -> bool:
        """Say whether the receivable has been taken over yet."""
        return self._snapshot is not None

    @property
    def snapshot(self) -> CollectionSnapshot:
        """What survives a continue-as-new. Only an open collection has it."""
        assert self._snapshot is not None
        return self._snapshot

    @property
    def reason_to_end(self) -> str:
        """Why it ends before the attempt that was begun is made: a Cancel, or `give_up`; empty where it goes on."""
        if self.last is None or self.last.attempt >= self.snapshot.attempt:
            return ""
        reason = ""
        if self.waiter.is_pending(frozenset({WakeReason.CANCELLED})):
            reason = CANCELLED
        elif self.waiter.is_pending(frozenset({WakeReason.GIVE_UP})) and workflow.patched(HELD):
            reason = GAVE_UP
        # A page is made when it is opened: somebody may have paid on it in the last moment.
        is_made = bool(reason) and self.snapshot.cause is AttemptCause.CUSTOMER and workflow.patched(PAGES_ARE_MADE)
        return "" if is_made else reason

    @property
    def is_held(self) -> bool:
        """Say whether a command was accepted that says when the next attempt is made, or that none is.

        A wait takes it up, so what would be charged without a wait is not charged before it.
        """
        return self.waiter.is_pending(DONE_WITH_NEXT_WAIT) and workflow.patched(HELD)

    @property
    def has_page(self) -> bool:
        """Say whether the customer has a page to pay on."""
        return self._snapshot is not None and self._snapshot.page is not None

    @property
    def is_on_named_card(self) -> bool:
        """Say whether a person has named the card of this attempt."""
        return self.snapshot.cause is AttemptCause.MANUAL and bool(self.snapshot.card_id)

    @property
    def subject(self) -> str:
        """The receivable in one line, for the timeline."""
        return subject_of(self.request, self.status())

    def open(self, terms: CollectionTerms) -> None:
        """Begin with what the receivable was taken over with."""
        self._snapshot = CollectionSnapshot(
            replace(terms, technical_declines=0, tried_cards=()),
            attempt=terms.attempt,
            cause=terms.cause,
            soft_declines=terms.soft_declines,
            technical_declines=terms.technical_declines,
            tried_cards=terms.tried_cards,
        )
        if self._carried.attempt:
            take_course(self._snapshot, self._carried)

    def course(self) -> CollectionCourse:
        """Return what an execution after a fault has to know beside the rows."""
        if self._snapshot is None:
            return replace(self._carried, pending=self.waiter.accepted())
        before_page = self._before_page
        if self.has_page:
            before_page = (*before_page, *self.waiter.moves_before(WakeReason.PAGE_OPENED))
        accepted = self.waiter.accepted(carries_moments=True)
        later = tuple(wake for wake in accepted if wake not in before_page)
        return course_of(self._snapshot, decided=self._decided, pending=later, before_page=before_page)

    def is_decided(self, attempt: int) -> bool:
        """Say whether the policy has decided about an attempt before: its decline is counted, and not once more."""
        return attempt <= self._decided

    def decide(self) -> None:
        """Note that the policy decides about this attempt."""
        self._decided = self.snapshot.attempt

    def status(self) -> CollectionStatus:
        """Return what the query `status` answers."""
        snapshot, waiter = self._snapshot, self.waiter
        return CollectionStatus(
            stage=self.stage,
            attempt=snapshot.attempt if snapshot else 0,
            amount_minor=snapshot.terms.amount_minor if snapshot else 0,
            currency=snapshot.terms.currency if snapshot else "",
            next_action_at=waiter.next_action_at,
            last=self.last,
            history=waiter.history,
            is_in_review=waiter.is_in_review,
            review_reason=waiter.review_reason,
            next_action=waiter.next_action,
            time_zone=snapshot.terms.time_zone if snapshot else "UTC",
            unknown_since=snapshot.unknown_since if snapshot else None,
        )

    def record_result(self, result: CollectResult) -> None:
        """Take in what an attempt came to; the same once more is not noted."""
        if self.last is None or (self.last.attempt, self.last.outcome) != (result.attempt, result.outcome):
            self.waiter.note(answer_of(result, self.snapshot.terms.currency))
        self.first = self.first or result
        self.last = result
        if result.code not in HELD_CODES:
            self.end_hold()
        if result.page_url and result.page_ends_at:
            # The execution that opened it may have been stopped: this one takes its customer to the same page.
            self.snapshot.page = OpenPage(result.page_url, result.page_ends_at, result.attempt)
        elif self.has_page and result.outcome is not CollectOutcome.UNKNOWN and workflow.patched(PAGES_ARE_READ):
            # Nobody can pay on it any more; a bank may take days for what was paid on it.
            self.snapshot.page = None
        if not self.has_page:
            self._take_up_before_page()

    def end_hold(self) -> None:
        """Say that nothing holds it any more: no person is asked about that."""
        if self.waiter.review_reason in HELD_CODES:
            self.waiter.end_review()

    def _take_up_before_page(self) -> None:
        for wake in self._before_page:
            self.waiter.wake(wake.reason, card_id=wake.card_id, until=wake.until)
        self._before_page = ()

    def enter(self, stage: Stage, result: CollectResult | None = None) -> None:
        """Move to a stage and let operators find it."""
        self.stage, self.waiter.next_action_at = stage, None
        terms = self.snapshot.terms
        updates: list[SearchAttributeUpdate[Any]] = [
            visibility.STAGE.value_set(stage),
            visibility.ACCOUNT.value_set(self.request.account_id),
            visibility.PROVIDER.value_set(self.request.provider),
            *visibility.amount_updates(terms.amount_minor, terms.currency),
        ]
        if result is not None:
            updates += self._attributes_of(result)
        if self.snapshot.unknown_since:
            updates.append(visibility.UNKNOWN_SINCE.value_set(self.snapshot.unknown_since))
        workflow.upsert_search_attributes(updates)
        self.show()

    def show(self) -> None:
        """Refresh what the UI says about the collection."""
        workflow.set_current_details(details_of(self.request, self.status()))

    def next_attempt(self) -> int:
        """Return the number of the next attempt; one that was never written down leaves its number free."""
        attempt = self.snapshot.attempt
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
            cause=self.snapshot.cause,
            card_id=self.snapshot.card_id,
        )

    def show_page(self, page: OpenPage) -> None:
        """A page is open: it is the attempt now, and the wait goes on with it."""
        snapshot = self.snapshot
        self.end_hold()
        snapshot.attempt, snapshot.cause, snapshot.page = page.attempt, AttemptCause.CUSTOMER, page
        self.waiter.note(f"attempt {page.attempt}: the customer has a page until {in_utc(page.expires_at)}")
        self.waiter.wake(WakeReason.PAGE_OPENED)

    def customer_deadline(self) -> datetime:
        """Return until when the policy waits for a customer who is asked now."""
        return workflow.now() + self.snapshot.terms.policy.customer_deadline

    def begin_attempt(self, cause: AttemptCause, why: str, card_id: str = "") -> None:
        """Go on to the next attempt. Only a definite outcome of the last one leads here."""
        snapshot = self.snapshot
        snapshot.attempt = self.next_attempt()
        snapshot.cause, snapshot.card_id, snapshot.tried_cards = cause, card_id, ()
        snapshot.unknown_since, snapshot.checks, snapshot.page = None, 0, None
        self.waiter.end_review()
        self.waiter.note(f"attempt {snapshot.attempt}: {why}")

    def try_other_card(self, result: CollectResult) -> bool:
        """Begin an attempt on another card after a decline, if one is left to try; say whether one was."""
        snapshot, kind = self.snapshot, classify(decline_of(result))
        tried = (*snapshot.tried_cards, result.card_id) if result.card_id else snapshot.tried_cards
        other = next_card(result, snapshot.terms.policy, tried)
        if not other or self.is_held:
            return False
        if kind not in RULES_OUT_CARD:
            snapshot.deferred = result
        why = f"{result.decline_code or result.code} is {kind}: on to the next card"
        self.begin_attempt(AttemptCause.SCHEDULED, why, other)
        snapshot.tried_cards = tried
        return True

    def declined_for_good(self, result: CollectResult) -> CollectResult:
        """Return the decline that the policy decides about: one put off before, where its card may still work later."""
        snapshot, deferred = self.snapshot, self.snapshot.deferred
        if classify(decline_of(result)) in RULES_OUT_CARD and deferred and deferred.card_id in result.other_card_ids:
            result = deferred
        snapshot.declined, snapshot.deferred = result, None
        return result

    def resumed_request(self, notices: tuple[Notice, ...]) -> CollectionRequest:
        """Return the request of the execution that goes on from here."""
        # Commands may come before the next execution has taken its first step: it accepts what this one would.
        is_waiting = self.snapshot.waiting_for is not WaitingFor.NOTHING or self.has_page
        stage = self.stage if is_waiting or self.stage not in BETWEEN_ATTEMPTS else Stage.COLLECTING
        self._take_up_before_page()
        resumed = replace(
            self.snapshot,
            stage=stage,
            first=self.first,
            last=self.last,
            waiter=self.waiter.snapshot(has_page=self.has_page),
            notices=notices,
        )
        return self.request.resumed_as(resumed)

    @staticmethod
    def _attributes_of(result: CollectResult) -> list[SearchAttributeUpdate[Any]]:
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
