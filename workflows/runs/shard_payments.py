"""What a shard does with one member: it is asked for, counted, and handed over when it has to wait."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from models import workflow_ids
from models.collections.collection import CollectionRequest
from models.gateway.gateway_request import ANSWERS_LATER, CollectOutcome, CollectRequest, CollectResult
from models.runs.breaker import Breaker
from models.runs.process_run import DueMember, ItemOutcome, ShardProgress, ShardRequest
from models.runs.run_control import Steering
from workflows import visibility
from workflows.collections.collection import Collection
from workflows.faults import carried_state
from workflows.options import COLLECT, MONTHLY, PROBE, Timing
from workflows.runs.payment_run_details import shard_progress_of
from workflows.waiting import unsent_because

_OUTCOMES = {
    CollectOutcome.SETTLED: ItemOutcome.CHARGED,
    CollectOutcome.NOTHING_OWED: ItemOutcome.SKIPPED,
    CollectOutcome.BELOW_MINIMUM: ItemOutcome.SKIPPED,
    CollectOutcome.CLOSED: ItemOutcome.SKIPPED,
    CollectOutcome.INVALID_REQUEST: ItemOutcome.PARKED,
    CollectOutcome.DECLINED: ItemOutcome.IN_DUNNING,
    CollectOutcome.NO_CARD: ItemOutcome.IN_DUNNING,
    CollectOutcome.PROVIDER_NOT_EFFECTIVE: ItemOutcome.IN_DUNNING,
    CollectOutcome.PROCESSING: ItemOutcome.UNKNOWN,
    CollectOutcome.UNKNOWN: ItemOutcome.UNKNOWN,
    CollectOutcome.DID_NOT_HAPPEN: ItemOutcome.UNKNOWN,
}

# What has to wait gets a workflow of its own; the rest is over with its one activity.
_HAS_TO_WAIT = {ItemOutcome.IN_DUNNING, ItemOutcome.PENDING, ItemOutcome.UNKNOWN}

_GATEWAY_ANSWERED = frozenset(
    {
        CollectOutcome.SETTLED,
        CollectOutcome.DECLINED,
        CollectOutcome.INVALID_REQUEST,
        CollectOutcome.PROCESSING,
        CollectOutcome.DID_NOT_HAPPEN,
    }
)

# What a collect that used up its tries comes to. Nobody knows what happened: a collection will find out.
_NO_ANSWER = CollectResult(CollectOutcome.UNKNOWN, code="no_answer")

# The row of a run says a moment before its shards are signalled how it is steered. So long they wait for the signal.
SIGNAL_TIME = timedelta(seconds=10)


class ShardPayments:
    """The payments of a shard: their outcomes by number and money, and the breaker that hears of their answers."""

    def __init__(self, request: ShardRequest) -> None:
        self._request = request
        self._steering = carried_state(Steering) or request.steering
        self._breaker = Breaker(request.breaker, window=request.window)
        self._tally = Counter(request.tally)
        self._charged = Counter(request.charged)
        self._handing_over = 0
        self._unanswered = 0
        self._unsent_because = ""

    def carried_after_fault(self) -> Steering:
        """Return how the run was steered: where it was aborted, nobody is asked for money after a fault."""
        return self._steering

    @workflow.signal(description="The run was paused, resumed or aborted.")
    def steer(self, steering: Steering) -> None:
        """Do as the run was steered."""
        if steering.revision > self._steering.revision:
            self._steering = steering

    async def _collect_from(self, due: DueMember) -> CollectResult:
        """Ask for a member's payment, and settle what it comes to."""
        result = await self._ask(due, COLLECT)
        while result.outcome is CollectOutcome.NOT_ASKED:
            # It was queued when the run was paused or aborted: nothing of it has been begun.
            if not await self._goes_on():
                return result
            result = await self._ask(due, COLLECT)
        if self._has_answer(result):
            opened = self._breaker.record_answer(is_answered=result is not _NO_ANSWER, at=workflow.now())
            if opened:
                await self._report()
        await self._settle(due, result)
        return result

    async def _goes_on(self) -> bool:
        """Wait while the run stands still; False when it was aborted. The row knows it before the signal is here."""
        if not self._steering.word:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: bool(self._steering.word), timeout=SIGNAL_TIME, timeout_summary="how is the run steered?"
                )
        await workflow.wait_condition(lambda: self._steering.is_aborted or not self._steering.is_paused)
        return not self._steering.is_aborted

    async def _probe_with(self, due: DueMember) -> bool:
        """Ask for one payment, the same again after every pause, until the gateway answers or the run is aborted.

        False when nobody was asked, or when the history has grown long before the gateway has answered.
        """
        result: CollectResult | None = None
        while result in {None, _NO_ANSWER} and await self._time_to_probe():
            result = await self._ask(due, PROBE)
            if result.outcome is CollectOutcome.NOT_ASKED:
                _ = await self._goes_on()
                return False
            if self._has_answer(result):
                self._breaker.probe_finished(is_answered=result is not _NO_ANSWER, at=workflow.now())
        if self._breaker.opened_at is None:
            await self._report()
        if result is None or (result is _NO_ANSWER and not self._steering.is_aborted):
            return False
        await self._settle(due, result)
        return True

    async def _time_to_probe(self) -> bool:
        """Wait for the next look, which an operator's resume makes at once; False when the run was aborted.

        False as well when the history has grown long: the next execution goes on with the wait.
        """
        seen = self._steering.revision
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._steering.revision > seen or is_history_long(),
                timeout=max(self._breaker.probe_at - workflow.now(), timedelta(0)),
                timeout_summary="ask the gateway again whether it answers",
            )
        await workflow.wait_condition(
            lambda: self._steering.is_aborted or not self._steering.is_paused or is_history_long()
        )
        return not self._steering.is_aborted and not is_history_long()

    def _has_answer(self, result: CollectResult) -> bool:
        """Say whether a result tells anything about the gateway: what the database decides alone does not."""
        return result is _NO_ANSWER or result.outcome in _GATEWAY_ANSWERED

    async def _settle(self, due: DueMember, result: CollectResult) -> None:
        """Count what a payment came to; hand over what has to wait, and what a paid receivable was too small for."""
        outcome = _OUTCOMES[result.outcome]
        if outcome is ItemOutcome.UNKNOWN and result.code == ANSWERS_LATER:
            outcome = ItemOutcome.PENDING
        self._handing_over += 1
        if outcome in _HAS_TO_WAIT:
            await self._hand_over(due, result.receivable or self._request.period)
        if result.next_part:
            await self._hand_over(due, result.next_part)
        self._handing_over -= 1
        self._tally[outcome] += 1
        if outcome is ItemOutcome.CHARGED:
            self._charged[result.currency] += result.amount_minor
        self._show()

    async def _ask(self, due: DueMember, timing: Timing) -> CollectResult:
        """Make the first attempt at a member's payment; a repeated call repeats the same attempt."""
        request = self._request
        self._unanswered += 1
        try:
            result: CollectResult = await workflow.execute_activity(
                "shadow_collect" if request.is_shadow else "collect",
                CollectRequest(due.account_id, request.period, request.provider, request.run_id),
                result_type=CollectResult,
                task_queue=None if request.is_shadow else workflow_ids.gateway_queue(request.provider),
                activity_id=workflow_ids.collect_activity_id(due.account_id, 1),
                summary=due.summary,
                priority=Priority(
                    priority_key=MONTHLY.priority_key, fairness_key=workflow_ids.fairness_key(request.run_id)
                ),
                **timing,
            )
            return result
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
                # A broken rule is about this member, and says nothing about the gateway.
                return CollectResult(CollectOutcome.UNKNOWN, code=error.cause.type or "refused")
            self._unsent_because = unsent_because(error)
            return _NO_ANSWER
        finally:
            self._unanswered -= 1

    async def _hand_over(self, due: DueMember, receivable: str) -> None:
        if self._request.is_shadow:
            return
        request = CollectionRequest(due.account_id, receivable, self._request.provider, self._request.run_id)
        try:
            _ = await workflow.start_child_workflow(
                Collection.run,
                request,
                id=workflow_ids.collection_id(request.account_id, request.period),
                # A service that found nothing owed has used the id without taking anything over: the database, which
                # knows of owners, refuses a second one.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **visibility.collection_label(request, due.summary),
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("collection_already_started", extra={"account_id": due.account_id})

    async def _report(self) -> None:
        self._show()
        parent = workflow.info().parent
        if parent is None:
            return
        handle = workflow.get_external_workflow_handle(parent.workflow_id)
        await handle.signal("shard_progressed", self._progress())

    def _progress(self) -> ShardProgress:
        return ShardProgress(
            self._request.shard, dict(self._tally), dict(self._charged), held_since=self._breaker.opened_at
        )

    def _show(self) -> None:
        details = shard_progress_of(self._request, self._progress(), held_because=self._unsent_because)
        workflow.set_current_details(details)


def is_history_long() -> bool:
    """Say whether Temporal suggests to continue as new: payments make a shard close before, but a long wait may not."""
    return workflow.info().is_continue_as_new_suggested()
