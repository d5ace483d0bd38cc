"""The waits of a collection between its attempts, and what goes on after it."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.collections.ownership import CollectionActivities
from models import workflow_ids
from models.collections.collection import CollectionRequest, Stage, WaitingFor
from models.gateway.gateway_request import ANSWERS_LATER, HELD_CODES, AttemptCause, CollectOutcome, CollectResult
from models.messages.message import MessageKind
from models.moment import in_utc
from models.waiting import Wake, WakeReason
from workflows import visibility
from workflows.collections.notices import CollectionNotices
from workflows.collections.state import CollectionState
from workflows.collections.steps import GO_ON, GivenUp, Step
from workflows.options import DATABASE, PROVIDER_PAUSE
from workflows.waiting import BETWEEN_ATTEMPTS_WAKES, EVIDENCE

# After an update that was in flight at a deadline: what it has woken is there already, so this is soon over.
LAST_MOMENT = timedelta(seconds=1)

# A debit is announced two weeks before, takes a week of working days, and holidays come between.
LATER_ANSWER_DAYS = 30

# What is waited for where an answer is "not now", though the provider takes payments.
_WAITS_FOR = {
    "merchant_not_effective": "may its merchant be paid by now?",
    "recovery_is_left": "is what a restore forgot settled?",
}


class CollectionWaits:
    """The waits of a collection between its attempts, and the collection of what it was too small for."""

    _state: CollectionState
    _notices: CollectionNotices

    def _as_it_stands(self) -> Step:
        """Begin; what was let go before stays so, whoever lets its workflow run again (a reset, a fault at its end)."""
        terms = self._state.snapshot.terms
        if not terms.given_up:
            return GO_ON
        amount = (terms.amount_minor, terms.currency)
        self._state.record_result(CollectResult(CollectOutcome.CLOSED, "", terms.attempt, *amount, code=terms.given_up))
        return GivenUp(terms.given_up)

    async def _wait_for_chance(self, until: datetime, summary: str) -> Wake:
        """Wait for a moment or for what makes an attempt worth while before it; grace moves the moment."""
        while True:
            wake = await self._state.waiter.wait(until, summary, listen_to=BETWEEN_ATTEMPTS_WAKES)
            if wake.reason is WakeReason.EXTEND_GRACE and wake.until is not None:
                until = wake.until
                # Grace before a retry moves that retry: the customer's deadline begins when the customer is asked.
                if self._state.snapshot.waiting_for is WaitingFor.RETRY:
                    self._state.snapshot.planned_at = until
                else:
                    self._state.snapshot.customer_deadline = until
            elif self._skips_nothing(wake):
                self._state.waiter.note("no attempt was planned any more that could be skipped")
            elif wake.reason is not WakeReason.RECEIVABLE_CHANGED or not await self._is_still_owed():
                return wake

    def _skips_nothing(self, wake: Wake) -> bool:
        """Say whether a skip was accepted for an attempt that another command has made meanwhile."""
        if wake.reason is not WakeReason.SKIP or self._state.snapshot.waiting_for is WaitingFor.RETRY:
            return False
        return workflow.patched("skips-planned-attempts-only")

    async def _overtaken_by_update(self, wake: Wake) -> Wake:
        """Return what an update that came before a deadline has done, once it is through; else the deadline."""
        in_flight = wake.reason is WakeReason.TIMER and not workflow.all_handlers_finished()
        if not in_flight or not workflow.patched("updates-before-deadlines"):
            return wake
        await workflow.wait_condition(workflow.all_handlers_finished)
        return await self._wait_for_chance(workflow.now() + LAST_MOMENT, "what an update before the deadline has done")

    @staticmethod
    def _is_over(until: datetime) -> bool:
        """Say whether a customer's deadline was over before they could be asked: a bank may answer days after it.

        That it has ended is all that they are notified of then: their link leads nowhere.
        """
        return until <= workflow.now() and workflow.patched("nobody-is-asked-past-the-deadline")

    async def _is_still_owed(self) -> bool:
        request = self._state.request
        return await workflow.execute_activity_method(
            CollectionActivities.is_owed,
            args=[request.account_id, request.period],
            summary="is anything still owed?",
            **DATABASE,
        )

    async def _go_on_with_rest(self, stage: Stage) -> None:
        """Start the collection of what is left, once this part of it is paid.

        Its row is written first: where nobody starts it, the supervisor does.
        """
        request = self._state.request
        if stage is not Stage.SETTLED or not self._state.snapshot.terms.has_rest:
            return
        following = await workflow.execute_activity_method(
            CollectionActivities.open_next_part,
            args=[request.account_id, request.period],
            summary="write down what is left to collect",
            **DATABASE,
        )
        if following is None:
            return
        self._state.waiter.note(f"what is left is collected as {following}")
        rest = CollectionRequest(request.account_id, following, request.provider, request.run_id)
        try:
            _ = await workflow.start_child_workflow(
                "Collection",
                rest,
                id=workflow_ids.collection_id(rest.account_id, rest.period),
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **visibility.collection_label(rest),
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("collection_already_started", extra={"account_id": rest.account_id})

    async def _wait_for_evidence(self, result: CollectResult) -> Step:
        """Wait, then ask for the same attempt again: evidence ends this stage, a timer never does."""
        if result.outcome is CollectOutcome.PROCESSING and result.code == ANSWERS_LATER:
            return await self._wait_for_later_answer(result)
        state, snapshot = self._state, self._state.snapshot
        policy = snapshot.terms.policy
        snapshot.unknown_since = snapshot.unknown_since or workflow.now()
        state.enter(Stage.PROCESSING if result.outcome is CollectOutcome.PROCESSING else Stage.UNKNOWN, result)
        if workflow.now() - snapshot.unknown_since >= self._review_after(result):
            self._ask_a_person("unknown_outcome")
        pause = policy.evidence_after[min(snapshot.checks, len(policy.evidence_after) - 1)]
        snapshot.checks += 1
        summary = f"check {snapshot.checks} for evidence of attempt {snapshot.attempt}"
        await state.waiter.wait(workflow.now() + pause, summary, listen_to=EVIDENCE)
        return GO_ON

    def _review_after(self, result: CollectResult) -> timedelta:
        """Return after how long a person looks at what nobody knows: a bank debit given on a page takes days."""
        snapshot = self._state.snapshot
        is_debit = result.outcome is CollectOutcome.PROCESSING and snapshot.cause is AttemptCause.CUSTOMER
        if is_debit and workflow.patched("debits-on-pages-take-days"):
            return timedelta(days=LATER_ANSWER_DAYS)
        return snapshot.terms.policy.review_after

    async def _wait_for_later_answer(self, result: CollectResult) -> Step:
        """Wait for a provider that answers by a file or a call, days later; it is looked at once a day all the same."""
        state, snapshot = self._state, self._state.snapshot
        state.enter(Stage.PROCESSING, result)
        snapshot.checks += 1
        if snapshot.checks > LATER_ANSWER_DAYS:
            self._ask_a_person("no_answer_of_the_bank")
        summary = f"day {snapshot.checks} of waiting for the provider's answer to attempt {snapshot.attempt}"
        await state.waiter.wait(workflow.now() + timedelta(days=1), summary, listen_to=EVIDENCE)
        return GO_ON

    async def _wait_until_sendable(self, result: CollectResult) -> Wake:
        """Wait until the provider is effective again, or a person lets go what is held; look again every hour."""
        state = self._state
        state.enter(Stage.DUNNING, state.last)
        question = _WAITS_FOR.get(result.code, f"is {state.request.provider} effective again?")
        until = workflow.now() + PROVIDER_PAUSE
        if result.code in HELD_CODES:
            question = f"has a person released it? {result.code}"
            if result.held_until is not None:
                question = f"it goes on by itself once its rule's time is over, {in_utc(result.held_until)}"
                # By two clocks it may be over for one and not yet for the other.
                until = min(until, max(result.held_until, workflow.now()) + LAST_MOMENT)
            if state.waiter.ask_a_person(result.code, in_place_of=HELD_CODES):
                # The message about it was written with the decision to hold it.
                self._notices.notify()
        return await self._wait_for_chance(until, question)

    def _ask_a_person(self, reason: str) -> None:
        if self._state.waiter.ask_a_person(reason):
            self._notices.notify(MessageKind.NEEDS_REVIEW, code=reason)
