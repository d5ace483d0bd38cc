"""How a workflow that lives long waits: what may wake it, what it notes, and what operators read meanwhile."""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.gateway.clocks import CLOCKS_DIFFER
from models.moment import in_utc
from models.waiting import AcceptedCommands, WaiterSnapshot, Wake, WakeReason
from workflows import visibility
from workflows.cancelling import CANCEL_REFUSED
from workflows.faults import carried_state

# So many notes are kept; the database keeps what people decided.
NOTES = 50
# Who, and a reason of 500 characters, and what they want.
NOTE_MAX = 800


def noted(what: str) -> str:
    """Return a note as one line: a reason of several would stand in a list as notes that nobody has made."""
    return " ".join(what.split())[:NOTE_MAX]


# Between attempts everything but the gateway's events matters; while an outcome is unknown, nothing but evidence does.
# What one wait does not listen to is kept for the next.
EVIDENCE = frozenset({WakeReason.GATEWAY_EVENT, WakeReason.RESOLVED})
ANYTHING = frozenset(WakeReason) - {WakeReason.TIMER, WakeReason.LONG_HISTORY}
BETWEEN_ATTEMPTS_WAKES = ANYTHING - EVIDENCE

# A fault ends what was taken up as well. These are taken up once more after it: they say how it ends, or until when
# nothing happens. The others have made an attempt by then, which its row knows.
DONE_WITH_NEXT_WAIT = frozenset({WakeReason.GIVE_UP, WakeReason.SKIP, WakeReason.EXTEND_GRACE})
# Of these, what puts the next attempt or the customer's deadline off.
MOVES_MOMENTS = DONE_WITH_NEXT_WAIT - {WakeReason.GIVE_UP}
# These make an attempt at once, whatever was said of the next one before them.
ATTEMPTED_AT_ONCE = frozenset({WakeReason.RETRY_NOW, WakeReason.CARD_CHANGED})
# After a fault a page is read at the gateway, and a Cancel is answered once more (workflows.faults).
READ_AFTER_FAULT = frozenset({WakeReason.PAGE_OPENED, WakeReason.CANCELLED})

# Workflows that were started before 0.2.0 ended without a look into what came after their last one.
LATE_WAKES = "late-events-are-looked-into"
# They took a moment that was over for what came first, whatever had been accepted before it.
PENDING_FIRST = "pending-commands-come-first"


def unsent_because(error: ActivityError) -> str:
    """Say which clocks were too far apart for anything to be sent; empty where that was not the reason."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == CLOCKS_DIFFER:
        return f"nothing was sent, for {cause.message}"
    return ""


class Waiter:
    """One workflow's waiting.

    `subject` names the business object on the timeline, `show` refreshes the current details, and `is_idle` says
    whether nothing is under way that a continue-as-new would cut off.
    """

    def __init__(
        self,
        subject: Callable[[], str],
        show: Callable[[], None],
        is_idle: Callable[[], bool],
        snapshot: WaiterSnapshot | None = None,
    ) -> None:
        resumed = snapshot or WaiterSnapshot()
        self.next_action = ""
        self.next_action_at: datetime | None = None
        self.history = resumed.history
        self.is_in_review = resumed.is_in_review
        self.review_reason = resumed.review_reason
        self._subject = subject
        self._show = show
        self._is_idle = is_idle
        self._pending = list(resumed.pending)
        for wake in (carried_state(AcceptedCommands) or AcceptedCommands()).pending:
            self._add(wake)
        # What was taken up and a fault would undo, as long as it lasts.
        self._taken: tuple[Wake, ...] = ()

    def snapshot(self, *, has_page: bool = False) -> WaiterSnapshot:
        """Return what the next execution goes on with.

        Its caller knows a skip, and from when on the next attempt is made. Grace is taken up once more all the same,
        so that a fault there does not undo it; but not while the customer has a page, which would be closed for it.
        """
        again = () if has_page else tuple(wake for wake in self._lasting() if wake.reason is not WakeReason.SKIP)
        return WaiterSnapshot(self.history, self.is_in_review, self.review_reason, self._with_pending(again))

    def accepted(self, *, carries_moments: bool = False) -> tuple[Wake, ...]:
        """Return what was accepted and is not done: what the execution after a fault has to know beside its rows.

        A caller that carries the moments to which a skip or grace has moved something needs neither once more: grace
        would close a page that was opened after it.
        """
        lasting = tuple(one for one in self._lasting() if not (carries_moments and one.reason in MOVES_MOMENTS))
        undone = self._with_pending(lasting)
        return tuple(wake for wake in undone if wake.reason not in READ_AFTER_FAULT)

    def moves_before(self, reason: WakeReason) -> tuple[Wake, ...]:
        """Return the skips and grace that came before something else, and are not taken up."""
        reasons = [wake.reason for wake in self._pending]
        earlier = self._pending[: reasons.index(reason)] if reason in reasons else ()
        return tuple(wake for wake in earlier if wake.reason in MOVES_MOMENTS)

    def _with_pending(self, taken: tuple[Wake, ...]) -> tuple[Wake, ...]:
        return (*taken, *(wake for wake in self._pending if wake not in taken))

    def _lasting(self) -> tuple[Wake, ...]:
        return tuple(wake for wake in self._taken if wake.until is None or wake.until > workflow.now())

    def _take(self, wake: Wake) -> None:
        """Keep what is taken up, and let go what that makes an end of: grace lasts until its moment or an attempt.

        A skip lasts until the moment to which it has put the next attempt off.
        """
        if wake.reason in ATTEMPTED_AT_ONCE:
            self._taken = ()
        elif wake.reason is WakeReason.TIMER:
            self._taken = tuple(one for one in self._taken if one.reason is WakeReason.EXTEND_GRACE)
        elif wake.reason in DONE_WITH_NEXT_WAIT:
            self._taken = (*(one for one in self._taken if one.reason is not wake.reason), wake)

    def _add(self, wake: Wake) -> None:
        if wake not in self._pending:
            self._pending.append(wake)

    def note(self, what: str) -> None:
        """Keep what happened with its moment; the oldest is let go."""
        self.history = (*self.history, noted(f"{in_utc(workflow.now())} {what}"))[-NOTES:]

    def note_unsent(self, error: ActivityError) -> None:
        """Keep why nothing was sent, where clocks are the reason."""
        if because := unsent_because(error):
            self.note(because)

    def wake(self, reason: WakeReason, *, card_id: str = "", until: datetime | None = None) -> None:
        """Let this wait, or the next that listens to it, end. The same twice ends one wait."""
        self._add(Wake(reason, card_id, until))

    def is_pending(self, reasons: frozenset[WakeReason]) -> bool:
        """Say whether something has come that no wait has taken up yet."""
        return self._first(reasons) is not None

    def take_late(self) -> bool:
        """Take up what came while the workflow was ending; True when it has to look once more.

        It was delivered, so nobody else looks into it: a refund that came back, a sale that was returned.
        """
        if not self.is_pending(ANYTHING) or not workflow.patched(LATE_WAKES):
            return False
        self._pending = [wake for wake in self._pending if wake.reason not in ANYTHING]
        return True

    def refuse_cancel(self, instead: str) -> str:
        """Show a person that a Cancel ends nothing here and what does; return it."""
        answer = f"refused, for what is under way needs its owner; {instead}"
        self.note(f"cancel {answer}")
        self.ask_a_person(CANCEL_REFUSED)
        self._show()
        return answer

    def is_history_long(self) -> bool:
        """Say whether it is time to continue as new, and nothing is in the way of it."""
        return workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished() and self._is_idle()

    async def wait(self, until: datetime | None, summary: str, *, listen_to: frozenset[WakeReason] = ANYTHING) -> Wake:
        """Sleep until a moment, or until something this wait listens to; the summary says what comes then.

        A wait that has made the history long ends by itself: its caller has to continue as new.
        """
        self.next_action, self.next_action_at = summary, until
        # Whoever waits again has given nothing up.
        self._taken = tuple(one for one in self._lasting() if one.reason is not WakeReason.GIVE_UP)
        if until is not None:
            workflow.upsert_search_attributes([visibility.NEXT_ACTION_AT.value_set(until)])
        self._show()
        wake = await self._next_wake(until, summary, listen_to)
        if self.review_reason == CANCEL_REFUSED:
            self.end_review()
        return wake

    async def _next_wake(self, until: datetime | None, summary: str, listen_to: frozenset[WakeReason]) -> Wake:
        timeout = max(until - workflow.now(), timedelta(0)) if until else None
        # Without time left the condition is not looked at, and what was accepted would come after the moment.
        if timeout == timedelta(0) and self._first(listen_to) is not None and workflow.patched(PENDING_FIRST):
            timeout = None
        try:
            await workflow.wait_condition(
                lambda: self._first(listen_to) is not None or self.is_history_long(),
                timeout=timeout,
                timeout_summary=f"{self._subject()}: {summary}",
            )
        except TimeoutError:
            timer = Wake(WakeReason.TIMER)
            self._take(timer)
            return timer
        wake = self._first(listen_to)
        # First of all: what is pending is carried along, and a caller that waits again at once would never continue.
        if wake is None or self.is_history_long():
            return Wake(WakeReason.LONG_HISTORY)
        self._pending.remove(wake)
        self._take(wake)
        return wake

    def end_waiting(self) -> None:
        """Say that nothing comes next."""
        self.next_action, self.next_action_at = "", None

    def ask_a_person(self, reason: str, *, in_place_of: frozenset[str] = frozenset()) -> bool:
        """Say that this needs a person, once until it does not any more; return whether that is new.

        A reason that is `in_place_of` the one before is new too: that one is not what a person has to look at any more.
        A refused Cancel only wants to be read: whatever else a person has to do comes in its place.
        """
        is_cancel_shown = self.review_reason == CANCEL_REFUSED and reason != CANCEL_REFUSED
        is_another = self.review_reason in in_place_of and self.review_reason != reason
        if self.is_in_review and not (is_cancel_shown or is_another):
            return False
        self.is_in_review, self.review_reason = True, reason
        self.note(f"a person is asked: {reason}")
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
        )
        return True

    def end_review(self) -> None:
        """Say that no person is needed any more."""
        if self.is_in_review:
            self.is_in_review, self.review_reason = False, ""
            workflow.upsert_search_attributes(
                [visibility.NEEDS_REVIEW.value_set(False), visibility.REVIEW_REASON.value_unset()]
            )

    def _first(self, listen_to: frozenset[WakeReason]) -> Wake | None:
        return next((wake for wake in self._pending if wake.reason in listen_to), None)
