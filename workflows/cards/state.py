"""The state of a card's workflow: what it knows, what it shows to operators, and how it waits."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from models.cards.card import (
    CARD_ENDED,
    Card,
    CardRequest,
    CardSnapshot,
    CardStatus,
    ValidationOutcome,
    ValidationResult,
)
from models.moment import in_utc
from workflows import visibility
from workflows.cards.details import details_of


class News(StrEnum):
    """What can end a wait."""

    TIMER = "timer"
    GATEWAY_EVENT = "gateway_event"
    CARD_TOUCHED = "card_touched"
    REVALIDATE = "revalidate"


class CardWorkflowState:
    """One card."""

    def __init__(self, request: CardRequest) -> None:
        self.request = request
        self.progress = request.resumed or CardSnapshot()
        self.last: ValidationResult | None = None
        self._card: Card | None = None
        self._news: list[News] = []
        self._next_action = ""
        self._next_action_at: datetime | None = None

    @property
    def is_loaded(self) -> bool:
        """Say whether the card has been read yet."""
        return self._card is not None

    @property
    def card(self) -> Card:
        """The card as it was last read."""
        assert self._card is not None
        return self._card

    @property
    def is_over(self) -> bool:
        """Say whether the card's life has ended."""
        return self._card is not None and self._card.state in CARD_ENDED

    @property
    def status(self) -> CardStatus:
        """Everything that the card's workflow knows."""
        return CardStatus(self._card, self.last, self._next_action, self._next_action_at, self.progress.history)

    def take(self, card: Card) -> bool:
        """Take in the card as it is stored now; return whether what matters to a charge has changed."""
        before, self._card = self._card, card
        is_news = before is None or (before.state, before.state_reason) != (card.state, card.state_reason)
        if is_news:
            self.note(f"{card.state} {card.state_reason}".strip())
            updates: list[SearchAttributeUpdate[Any]] = [
                visibility.STAGE.value_set(card.state),
                visibility.ACCOUNT.value_set(card.account_id),
                visibility.PROVIDER.value_set(card.provider),
            ]
            if card.label:
                updates.append(visibility.CARD_BRAND.value_set(card.label.split()[0]))
            workflow.upsert_search_attributes(updates)
        self.show()
        return before is not None and replace(before, attempt=card.attempt, checked_at=card.checked_at) != card

    @property
    def attempt(self) -> int:
        """The number of the attempt that is under way, or comes next."""
        return self.progress.attempt or max(1, self.card.attempt)

    @property
    def checked_at(self) -> datetime:
        """When the gateway last said anything of the card: here, or to whoever charged it."""
        return max(self.card.checked_at, self.progress.answered_at or self.card.checked_at)

    def begin_validation(self, why: str) -> None:
        """Go on to another attempt: only what is over leads here."""
        self.note(f"the gateway is asked: {why}")
        self.progress = replace(
            self.progress, attempt=self.card.attempt + 1, is_asking=True, asked_at=None, reminded=False
        )

    def heard(self, result: ValidationResult) -> None:
        """Take in what an attempt came to; one that did not happen is asked anew, under another key."""
        if self.last is None or (self.last.attempt, self.last.outcome) != (result.attempt, result.outcome):
            self.note(f"attempt {result.attempt}: {result.outcome} {result.reason}".strip())
        self.last = result
        if result.outcome is ValidationOutcome.DID_NOT_HAPPEN:
            self.progress = replace(self.progress, attempt=result.attempt + 1)

    def close_attempt(self) -> None:
        """The attempt is over."""
        self.progress = replace(
            self.progress,
            attempt=0,
            is_asking=False,
            asked_at=None,
            answered_at=workflow.now(),
            reminded=False,
            unknown_since=None,
            checks=0,
        )

    def note(self, what: str) -> None:
        """Keep what happened with its moment; the oldest of it is let go, the database keeps what people decided."""
        kept = (*self.progress.history, f"{in_utc(workflow.now())} {what}")[-50:]
        self.progress = replace(self.progress, history=kept)

    def show(self) -> None:
        """Refresh what the UI says about the card."""
        workflow.set_current_details(details_of(self.request.card_id, self.status))

    def ask_a_person(self, reason: str) -> None:
        """Say that this needs a person."""
        self.note(f"a person is asked: {reason}")
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
        )

    def end_review(self) -> None:
        """Say that no person is needed any more."""
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(False), visibility.REVIEW_REASON.value_unset()]
        )

    def hear(self, news: News) -> None:
        """Let the next wait end."""
        if news not in self._news:
            self._news.append(news)

    async def wait(self, until: datetime | None, summary: str) -> News:
        """Sleep until a moment, or until there is news; the summary says what comes then."""
        self._next_action, self._next_action_at = summary, until
        if until is not None:
            workflow.upsert_search_attributes([visibility.NEXT_ACTION_AT.value_set(until)])
        self.show()
        timeout = max(until - workflow.now(), timedelta(0)) if until else None
        try:
            await workflow.wait_condition(
                lambda: bool(self._news), timeout=timeout, timeout_summary=f"{self.request.card_id}: {summary}"
            )
        except TimeoutError:
            return News.TIMER
        return self._news.pop(0)
