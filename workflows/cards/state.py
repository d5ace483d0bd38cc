"""The state of a card's workflow: what it knows, and what it shows to operators."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
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
from models.messages.message import CardNotice
from workflows import visibility
from workflows.cards.details import details_of
from workflows.waiting import Waiter


class CardWorkflowState:
    """One card."""

    def __init__(self, request: CardRequest, is_idle: Callable[[], bool]) -> None:
        self.request = request
        self.snapshot = request.resumed or CardSnapshot()
        self.waiter = Waiter(lambda: request.card_id, self.show, is_idle, self.snapshot.waiter)
        self.first = self.snapshot.first
        self.last = self.snapshot.last
        self._card = self.snapshot.card

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
        waiter = self.waiter
        return CardStatus(self._card, self.last, waiter.next_action, waiter.next_action_at, waiter.history)

    def update_from(self, card: Card) -> bool:
        """Take in the card as it is stored now; return whether what matters to a charge has changed."""
        before, self._card = self._card, card
        # The card's own provider is asked about it, whatever a start named.
        self.request = replace(self.request, provider=card.provider)
        is_new = before is None or (before.state, before.state_reason) != (card.state, card.state_reason)
        if is_new:
            self.waiter.note(f"{card.state} {card.state_reason}".strip())
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
        return self.snapshot.attempt or max(1, self.card.attempt)

    @property
    def checked_at(self) -> datetime:
        """When the gateway last said anything of the card: here, or to whoever charged it."""
        return max(self.card.checked_at, self.snapshot.answered_at or self.card.checked_at)

    def begin_validation(self, why: str) -> None:
        """Go on to another attempt: only what is over leads here."""
        self.waiter.note(f"the gateway is asked: {why}")
        self.snapshot = replace(
            self.snapshot,
            attempt=self.card.attempt + 1,
            is_validating=True,
            asked_at=None,
            reminded=False,
            put_off_until=None,
        )

    def put_off_check(self, until: datetime) -> None:
        """A stored card is checked at another moment: until then it is looked after as ever."""
        self.snapshot = replace(self.snapshot, attempt=0, is_validating=False, put_off_until=until)

    def record_result(self, result: ValidationResult) -> None:
        """Take in what an attempt came to; one that did not happen is asked anew, under another key."""
        if self.last is None or (self.last.attempt, self.last.outcome) != (result.attempt, result.outcome):
            was_made = result.outcome is not ValidationOutcome.PROVIDER_NOT_EFFECTIVE
            came_to = f"attempt {result.attempt}: {result.outcome} {result.reason}".strip()
            self.waiter.note(came_to if was_made else f"nobody was asked: {result.reason or result.outcome}")
        self.last = result
        if result.outcome is ValidationOutcome.DID_NOT_HAPPEN:
            self.snapshot = replace(self.snapshot, attempt=result.attempt + 1)

    def close_attempt(self) -> None:
        """The attempt is over."""
        self.snapshot = replace(
            self.snapshot,
            attempt=0,
            is_validating=False,
            asked_at=None,
            answered_at=workflow.now(),
            reminded=False,
            unknown_since=None,
            checks=0,
        )

    def show(self) -> None:
        """Refresh what the UI says about the card."""
        workflow.set_current_details(details_of(self.request.card_id, self.status))

    def resumed_request(self, notices: tuple[CardNotice, ...]) -> CardRequest:
        """Return the request of the execution that goes on from here."""
        resumed = replace(
            self.snapshot,
            card=self._card,
            first=self.first,
            last=self.last,
            waiter=self.waiter.snapshot(),
            notices=notices,
        )
        return replace(self.request, resumed=resumed)
