"""How a workflow that lives long waits: what may wake it, what it notes, and what operators read meanwhile."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from temporalio import workflow

from models.moment import in_utc
from workflows import visibility

News = TypeVar("News", bound=str)

# So many notes are kept; the database keeps what people decided.
NOTES = 50


class Waiter(Generic[News]):
    """One workflow's waiting. `show` refreshes the current details whenever something has changed."""

    def __init__(self, subject: str, show: Callable[[], None], notes: tuple[str, ...] = ()) -> None:
        self.next_action = ""
        self.next_action_at: datetime | None = None
        self.notes = notes
        self.is_in_review = False
        self._subject = subject
        self._show = show
        self._news: list[News] = []

    def note(self, what: str) -> None:
        """Keep what happened with its moment; the oldest is let go."""
        self.notes = (*self.notes, f"{in_utc(workflow.now())} {what}")[-NOTES:]

    def hear(self, news: News) -> None:
        """Let this wait, or the next, end."""
        if news not in self._news:
            self._news.append(news)

    async def wait(self, until: datetime | None, summary: str) -> News | None:
        """Sleep until a moment, or until there is news; None when the moment came first."""
        self.next_action, self.next_action_at = summary, until
        if until is not None:
            workflow.upsert_search_attributes([visibility.NEXT_ACTION_AT.value_set(until)])
        self._show()
        timeout = max(until - workflow.now(), timedelta(0)) if until else None
        try:
            await workflow.wait_condition(
                lambda: bool(self._news), timeout=timeout, timeout_summary=f"{self._subject}: {summary}"
            )
        except TimeoutError:
            return None
        return self._news.pop(0)

    def ask_a_person(self, reason: str) -> None:
        """Say that this needs a person, once until it does not any more."""
        if self.is_in_review:
            return
        self.is_in_review = True
        self.note(f"a person is asked: {reason}")
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
        )

    def end_review(self) -> None:
        """Say that no person is needed any more."""
        if self.is_in_review:
            self.is_in_review = False
            workflow.upsert_search_attributes(
                [visibility.NEEDS_REVIEW.value_set(False), visibility.REVIEW_REASON.value_unset()]
            )
