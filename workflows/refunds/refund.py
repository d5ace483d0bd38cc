"""Money that goes back to a customer: asked for once, watched until it cannot come back any more (F53, F66 to F69)."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from activities.refunds.refunds import RefundActivities
from models import workflow_ids
from models.collections.collection import CollectionRequest
from models.gateway.gateway_request import RequestKind
from models.refunds.refund import (
    REFUND_ENDED,
    RefundAttempt,
    RefundOutcome,
    RefundRequest,
    RefundResult,
    RefundSnapshot,
)
from models.waiting import WakeReason
from workflows import visibility
from workflows.collections.collection import Collection
from workflows.faults import Refusal, broken_rule
from workflows.inputs.checks import checked_init
from workflows.messages.outgoing import IN_OUTBOX, OutgoingMessages, send_pending
from workflows.options import COLLECT_WAITING, PEOPLE, PROVIDER_PAUSE, UNTIL_DONE
from workflows.refunds.handlers import RefundHandlers
from workflows.refunds.reduction_signals import signal_or_restart_reduction, signal_reductions_of, signal_refund_run
from workflows.waiting import Waiter

# How long is waited before the gateway is checked again for an outcome; the last pause repeats.
CHECK_INTERVALS: tuple[timedelta, ...] = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=6),
)
REVIEW_AFTER = timedelta(hours=6)

# What was known of an attempt that was not sent says nothing about the one that was.
NOT_SENT = frozenset({RefundOutcome.DID_NOT_HAPPEN, RefundOutcome.PROVIDER_NOT_EFFECTIVE})

# Workflows that were started before 0.2.0 took what they had known last for what a failed look had found.
NO_ANSWER_IS_NO_STATE = "no-answer-is-no-state"


@workflow.defn(name="Refund")
class Refund(RefundHandlers):
    """Owns one refund or payment cancellation. Unknown blocks until the gateway itself gives evidence."""

    @checked_init
    def __init__(self, request: RefundRequest) -> None:
        self._request = request
        self._snapshot = request.resumed or RefundSnapshot()
        self._waiter = Waiter(
            lambda: request.refund_id, self._show, lambda: self._outgoing.may_be_cut_off, self._snapshot.waiter
        )
        self._last = self._snapshot.last
        self._first = self._snapshot.first
        self._refused = None
        self._outgoing = OutgoingMessages[None]()

    @workflow.run
    async def run(self, request: RefundRequest) -> RefundResult:
        """See the refund through. Fails when it may not be: then nothing was written and nothing asked."""
        self._show()
        result = await (self._attempt(request) if request.order is not None else self._check())
        while True:
            result = await self._see_through(request, result)
            await self._finish(result)
            if not self._waiter.take_late():
                return result
            self._continue_if_long()
            result = await self._check()

    async def _see_through(self, request: RefundRequest, result: RefundResult) -> RefundResult:
        """Go on until nothing more can become of the refund."""
        while result.outcome not in REFUND_ENDED:
            if result.outcome is RefundOutcome.REFUNDED:
                await self._collect_again(result)
                is_final = await self._watch(result)
                result = await self._check()
                if is_final and result.outcome is RefundOutcome.REFUNDED:
                    break
            elif result.outcome is RefundOutcome.DID_NOT_HAPPEN and request.order is not None:
                self._snapshot = replace(self._snapshot, attempt=result.attempt + 1)
                result = await self._attempt(request)
            elif result.outcome is RefundOutcome.PROVIDER_NOT_EFFECTIVE:
                await self._wait_for_provider()
                result = await self._attempt_again(request, result)
            else:
                await self._wait_for_evidence(result)
                result = await self._attempt_again(request, result)
            self._continue_if_long()
        return result

    async def _attempt(self, request: RefundRequest) -> RefundResult:
        assert request.order is not None
        attempt = RefundAttempt(request.order, self._snapshot.attempt)
        try:
            result = await workflow.execute_activity_method(
                RefundActivities.refund,
                attempt,
                task_queue=workflow_ids.gateway_queue(request.provider),
                summary=f"{request.order.kind} of {request.order.payment_id}, attempt {attempt.attempt}",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            result = await self._unanswered(error, attempt.attempt)
        return self._record_result(result)

    async def _attempt_again(self, request: RefundRequest, result: RefundResult) -> RefundResult:
        """Check where the gateway has named it, else send under the same key, or list: the activity knows which."""
        if result.outcome is RefundOutcome.PENDING or request.order is None:
            return await self._check()
        return await self._attempt(request)

    async def _check(self) -> RefundResult:
        """Read how the refund stands, however long the gateway takes: nobody else would look before it is final."""
        while True:
            try:
                result = await workflow.execute_activity_method(
                    RefundActivities.check_refund,
                    self._request.refund_id,
                    task_queue=workflow_ids.gateway_queue(self._request.provider),
                    summary=f"how does {self._request.refund_id} stand?",
                    priority=PEOPLE,
                    **UNTIL_DONE,
                )
            except ActivityError as error:
                if self._last is not None and workflow.patched(NO_ANSWER_IS_NO_STATE):
                    await self._check_later(error)
                    continue
                result = await self._unanswered(error, self._snapshot.attempt)
            return self._record_result(result)

    async def _check_later(self, error: ActivityError) -> None:
        """A rule is in the way, not the gateway. What was known is no answer: ask a person, and read it again."""
        if is_cancelled_exception(error):
            raise error
        rule = broken_rule(error)
        self._waiter.ask_a_person((rule.type if rule else None) or "refused")
        await self._waiter.wait(workflow.now() + CHECK_INTERVALS[-1], "how does it stand?")
        self._continue_if_long()

    async def _unanswered(self, error: ActivityError, attempt: int) -> RefundResult:
        """No answer: what was known stays so. A broken rule ends a refund that was never written down."""
        if is_cancelled_exception(error):
            raise error
        if (rule := broken_rule(error)) is not None:
            if self._last is None:
                # Whoever waits for the first outcome gets the rule that was broken, and then the workflow fails.
                self._refused = rule
                await workflow.wait_condition(workflow.all_handlers_finished)
                raise Refusal(error) from error
            self._waiter.ask_a_person(rule.type or "refused")
        self._waiter.note_unsent(error)
        last = self._last
        if last is None:
            return RefundResult(RefundOutcome.UNKNOWN, self._request.refund_id, attempt)
        if last.outcome in NOT_SENT and workflow.patched(NO_ANSWER_IS_NO_STATE):
            return replace(last, outcome=RefundOutcome.UNKNOWN, attempt=attempt)
        return last

    async def _wait_for_provider(self) -> None:
        """Nothing new is asked of a provider that is not effective: look again until it is."""
        provider = self._request.provider
        await self._waiter.wait(workflow.now() + PROVIDER_PAUSE, f"is {provider} effective again?")

    async def _wait_for_evidence(self, result: RefundResult) -> None:
        """Nobody knows, or the gateway has not finished: check again, and never guess."""
        snapshot, now = self._snapshot, workflow.now()
        since = snapshot.unknown_since or now
        if result.outcome is RefundOutcome.UNKNOWN and now - since >= REVIEW_AFTER:
            self._waiter.ask_a_person("unknown_refund")
        pause = CHECK_INTERVALS[min(snapshot.checks, len(CHECK_INTERVALS) - 1)]
        self._snapshot = replace(snapshot, unknown_since=since, checks=snapshot.checks + 1)
        await self._waiter.wait(now + pause, f"check {snapshot.checks + 1} for what became of it")

    async def _watch(self, result: RefundResult) -> bool:
        """Wait for an event, but not beyond the moment from which it counts as final; True when that has come."""
        self._waiter.end_review()
        until = (result.executed_at or workflow.now()) + timedelta(days=result.watch_days)
        wake = await self._waiter.wait(until, "it counts as final then; until then it may come back")
        return wake.reason is WakeReason.TIMER

    async def _collect_again(self, result: RefundResult) -> None:
        """What a cancelled payment leaves open is collected at once where the rules say so, else with the next run."""
        if not result.collect_as or self._snapshot.is_collected_again:
            return
        self._snapshot = replace(self._snapshot, is_collected_again=True)
        request = CollectionRequest(result.account_id, result.collect_as, self._request.provider)
        try:
            _ = await workflow.start_child_workflow(
                Collection.run,
                request,
                id=workflow_ids.collection_id(result.account_id, result.collect_as),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **visibility.collection_label(request, f"{result.account_id}, opened again by {result.refund_id}"),
            )
        except WorkflowAlreadyStartedError:
            self._waiter.note("what it leaves open is being collected already")

    def _record_result(self, result: RefundResult) -> RefundResult:
        before, self._last = self._last, result
        if self._first is None and self._request.run_id:
            self._outgoing.begin(lambda: signal_refund_run(self._request.run_id), refund_id=result.refund_id)
        self._first = self._first or result
        if before is None or (before.outcome, before.attempt) != (result.outcome, result.attempt):
            self._waiter.note(f"attempt {result.attempt}: {result.outcome} {result.code}".strip())
            updates = [visibility.STAGE.value_set(result.outcome)]
            if result.gateway_reference:
                updates.append(visibility.GATEWAY_REFERENCE.value_set(result.gateway_reference))
            if result.account_id:
                updates.append(visibility.ACCOUNT.value_set(result.account_id))
                updates += visibility.amount_updates(result.amount_minor, result.currency)
            workflow.upsert_search_attributes(updates)
            self._notify(result)
        self._show()
        return result

    def _notify(self, result: RefundResult) -> None:
        """The outbox was written in the commit of the outcome: what is left is to send it, and to signal reductions."""
        if result.outcome in {RefundOutcome.REFUNDED, RefundOutcome.REVERSED}:
            self._outgoing.begin(lambda: send_pending(result.account_id), IN_OUTBOX, refund_id=result.refund_id)
        if result.award_id:
            self._outgoing.begin(lambda: self._signal_reduction(result, is_over=False), refund_id=result.refund_id)
        if result.kind is RequestKind.PAYMENT_CANCELLATION and result.outcome is RefundOutcome.REFUNDED:
            self._outgoing.begin(
                lambda: signal_reductions_of(result.payment_id, self._request.provider), refund_id=result.refund_id
            )

    async def _signal_reduction(self, result: RefundResult, *, is_over: bool) -> None:
        provider = self._request.provider
        await signal_or_restart_reduction(result.award_id, provider, "refund_moved", result, is_over)

    async def _finish(self, result: RefundResult) -> None:
        self._waiter.end_review()
        self._waiter.note(f"over: {result.outcome}")
        self._waiter.end_waiting()
        self._show()
        if result.award_id:
            await self._signal_reduction(result, is_over=True)
        if not await self._outgoing.finished():
            workflow.logger.warning("message_left", extra={"refund_id": result.refund_id})
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _continue_if_long(self) -> None:
        if self._waiter.is_history_long():
            resumed = replace(self._snapshot, first=self._first, last=self._last, waiter=self._waiter.snapshot())
            workflow.continue_as_new(replace(self._request, resumed=resumed))
