"""A receivable that has to wait: declined, unknown, or in need of its customer. One owner to the end."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.collect import CollectActivities
from activities.collections import CollectionActivities
from models.collection import (
    CollectionClosing,
    CollectionOpening,
    CollectionRequest,
    CollectionResult,
    CollectionState,
    CollectionStatus,
    CollectionTerms,
    Stage,
)
from models.decline import Decline, DeclineClass, classify
from models.dunning import GiveUp, RetryAt, WaitForCustomer, after_decline
from models.gateway_request import AttemptCause, CollectOutcome, CollectRequest, CollectResult
from workflows import visibility
from workflows.collection_details import details_of
from workflows.options import COLLECT_WAITING, DATABASE, DUNNING


class Wake(StrEnum):
    """What ended a wait."""

    TIMER = "timer"
    CARD_CHANGED = "card_changed"
    NO_LONGER_OWED = "no_longer_owed"
    GATEWAY_EVENT = "gateway_event"
    RETRY_NOW = "retry_now"


# A wait for the customer or for a better day ends with a chance to charge; a wait for evidence only with news of it.
# What one wait does not listen to is kept for the next.
_CHANCES = frozenset({Wake.CARD_CHANGED, Wake.RETRY_NOW})
_EVIDENCE = frozenset({Wake.GATEWAY_EVENT})


@workflow.defn(name="Collection")
class Collection:
    """Owns one receivable. Every channel that could charge it goes through here, so it is charged once."""

    @workflow.init
    def __init__(self, request: CollectionRequest) -> None:
        self._request = request
        self._state: CollectionState | None = request.resumed
        self._stage = Stage.COLLECTING
        self._first: CollectResult | None = None
        self._last: CollectResult | None = None
        self._next_action_at: datetime | None = None
        self._wakes: list[Wake] = []
        self._receivable_changed = False

    @workflow.run
    async def run(self, request: CollectionRequest) -> CollectionResult:
        """Collect until the receivable is settled or knowingly given up. Fails when somebody else owns it."""
        if self._state is None:
            self._state = CollectionState(await self._open())
        while True:
            result = await self._collect()
            if result.outcome in {CollectOutcome.SETTLED, CollectOutcome.NOTHING_OWED}:
                return await self._close(Stage.SETTLED, result.outcome)
            reason = await self._after(result)
            if reason:
                return await self._close(Stage.GIVEN_UP, reason)
            self._continue_if_long()

    async def _after(self, result: CollectResult) -> str:
        """Wait for what the outcome calls for; return why collection gives up, or nothing when it goes on."""
        match result.outcome:
            case CollectOutcome.DECLINED:
                return await self._follow_policy(result)
            case CollectOutcome.NO_CARD:
                return await self._wait_for_customer(self._deadline(), "a card")
            case CollectOutcome.DID_NOT_HAPPEN:
                return self._try_anew(self._case.cause, "proved that nothing was charged")
            case CollectOutcome.PROCESSING | CollectOutcome.UNKNOWN:
                return await self._wait_for_evidence(result)
            case _:
                return result.code or result.outcome

    @workflow.signal(description="The account has a new, changed or replaced card.")
    def card_changed(self) -> None:
        """Try at once: the new card may work."""
        self._wakes.append(Wake.CARD_CHANGED)

    @workflow.signal(description="A payment, credit or cancellation changed what is owed.")
    def receivable_changed(self) -> None:
        """Look again at what is owed, and charge nothing for it."""
        self._receivable_changed = True

    @workflow.signal(description="The gateway has news of this receivable's payment.")
    def gateway_event(self) -> None:
        """Look at the gateway, if that is what we wait for: an event is a hint, never a fact."""
        if self._stage in {Stage.UNKNOWN, Stage.PROCESSING}:
            self._wakes.append(Wake.GATEWAY_EVENT)

    @workflow.update(description="Wait for the first attempt and return its outcome.")
    async def first_outcome(self) -> CollectResult:
        """Return what the first attempt came to; unknown when nobody knows yet."""
        await workflow.wait_condition(lambda: self._first is not None)
        assert self._first is not None
        return self._first

    @workflow.query(description="Where the receivable stands, and what comes next.")
    def status(self) -> CollectionStatus:
        """Return stage, attempts, the last outcome, the next moment and the decisions so far."""
        terms = self._state.terms if self._state else None
        return CollectionStatus(
            stage=self._stage,
            attempt=self._state.attempt if self._state else 0,
            amount_minor=terms.amount_minor if terms else 0,
            currency=terms.currency if terms else "",
            next_action_at=self._next_action_at,
            last=self._last,
            decisions=tuple(self._state.decisions) if self._state else (),
        )

    @property
    def _case(self) -> CollectionState:
        assert self._state is not None
        return self._state

    async def _open(self) -> CollectionTerms:
        request = self._request
        return await workflow.execute_activity_method(
            CollectionActivities.open_collection,
            CollectionOpening(
                account_id=request.account_id,
                period=request.period,
                provider=request.provider,
                run_id=request.run_id,
                invoices=request.invoices,
                owner=workflow.info().first_execution_run_id,
            ),
            summary=f"take ownership of what {request.account_id} owes for {request.period}",
            **DATABASE,
        )

    async def _collect(self) -> CollectResult:
        self._enter(Stage.COLLECTING)
        case = self._case
        try:
            result = await workflow.execute_activity_method(
                CollectActivities.collect,
                CollectRequest(
                    self._request.account_id,
                    self._request.period,
                    self._request.provider,
                    self._request.run_id,
                    case.attempt,
                    case.cause,
                    case.card_id,
                ),
                task_queue=visibility.gateway_queue(self._request.provider),
                activity_id=visibility.collect_activity_id(self._request.account_id, case.attempt),
                summary=f"attempt {case.attempt}, {case.cause}",
                priority=DUNNING,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            result = CollectResult(CollectOutcome.UNKNOWN, attempt=case.attempt)
        self._first = self._first or result
        self._last = result
        return result

    async def _follow_policy(self, result: CollectResult) -> str:
        """Do what the policy says about a decline; return why collection gives up, or nothing."""
        case = self._case
        kind = classify(Decline(result.code, result.decline_code, result.advice_code))
        tries = self._count_try(kind)
        if kind in {DeclineClass.HARD, DeclineClass.FRAUD} and result.next_card_id:
            return self._try_anew(AttemptCause.SCHEDULED, f"{kind} decline: on to the next card", result.next_card_id)
        decision = after_decline(
            kind,
            policy=case.terms.policy,
            tries=tries,
            declined_at=workflow.now(),
            time_zone=case.terms.time_zone,
        )
        match decision:
            case GiveUp(reason):
                return reason
            case WaitForCustomer(until):
                return await self._wait_for_customer(
                    until, "an authentication" if kind is DeclineClass.ACTION_REQUIRED else "another card"
                )
            case RetryAt(at):
                self._note(f"{kind} decline {result.decline_code or result.code}: try again at {at:%Y-%m-%d %H:%M}Z")
                self._enter(Stage.DUNNING, result)
                wake = await self._wait(at, f"retry {tries} after {result.decline_code or result.code}")
                return self._try_anew(_CAUSE_OF_WAKE[wake], f"woken by {wake}")

    def _count_try(self, kind: DeclineClass) -> int:
        case = self._case
        if case.cause is not AttemptCause.SCHEDULED:
            return max(1, case.technical_declines if kind is DeclineClass.TECHNICAL else case.soft_declines)
        if kind is DeclineClass.TECHNICAL:
            case.technical_declines += 1
            return case.technical_declines
        case.soft_declines += 1
        return case.soft_declines

    async def _wait_for_customer(self, until: datetime, wanted: str) -> str:
        self._note(f"waiting for the customer: {wanted}")
        self._enter(Stage.WAITING_FOR_CUSTOMER, self._last)
        wake = await self._wait(until, f"deadline for {wanted}")
        if wake is Wake.TIMER:
            return "customer_deadline_passed"
        return self._try_anew(_CAUSE_OF_WAKE[wake], f"woken by {wake}")

    async def _wait_for_evidence(self, result: CollectResult) -> str:
        """Wait, then ask for the same attempt again: only evidence ends this stage, never a timer."""
        case = self._case
        case.unknown_since = case.unknown_since or workflow.now()
        needs_review = workflow.now() - case.unknown_since >= case.terms.policy.review_after
        self._enter(Stage.PROCESSING if result.outcome is CollectOutcome.PROCESSING else Stage.UNKNOWN, result)
        if needs_review:
            self._ask_a_person("unknown_outcome")
        waits = case.terms.policy.evidence_after
        wait = waits[min(case.looks, len(waits) - 1)]
        case.looks += 1
        look = f"look {case.looks} for evidence of attempt {case.attempt}"
        await self._wait(workflow.now() + wait, look, listen_to=_EVIDENCE)
        return ""

    async def _wait(self, until: datetime, summary: str, *, listen_to: frozenset[Wake] = _CHANCES) -> Wake:
        self._next_action_at = until
        workflow.upsert_search_attributes([visibility.NEXT_ACTION_AT.value_set(until)])
        self._show()
        while True:
            try:
                await workflow.wait_condition(
                    lambda: self._next_wake(listen_to) is not None or self._receivable_changed,
                    timeout=max(until - workflow.now(), timedelta(0)),
                    timeout_summary=summary,
                )
            except TimeoutError:
                return Wake.TIMER
            if wake := self._next_wake(listen_to):
                self._wakes.remove(wake)
                return wake
            if not await self._is_still_owed():
                return Wake.NO_LONGER_OWED

    def _next_wake(self, listen_to: frozenset[Wake]) -> Wake | None:
        return next((wake for wake in self._wakes if wake in listen_to), None)

    async def _is_still_owed(self) -> bool:
        self._receivable_changed = False
        return await workflow.execute_activity_method(
            CollectionActivities.is_owed,
            args=[self._request.account_id, self._request.period],
            summary="is anything still owed?",
            **DATABASE,
        )

    def _try_anew(self, cause: AttemptCause, why: str, card_id: str = "") -> str:
        case = self._case
        case.attempt += 1
        case.cause, case.card_id = cause, card_id
        case.unknown_since, case.looks = None, 0
        self._note(f"attempt {case.attempt}: {why}")
        return ""

    async def _close(self, stage: Stage, reason: str) -> CollectionResult:
        case = self._case
        await workflow.execute_activity_method(
            CollectionActivities.close_collection,
            CollectionClosing(self._request.account_id, self._request.period, stage, reason),
            summary=f"{stage}: {reason}",
            **DATABASE,
        )
        self._note(f"{stage}: {reason}")
        self._next_action_at = None
        self._enter(stage, self._last)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CollectionResult(stage, reason, case.attempt, case.terms.amount_minor, case.terms.currency)

    def _deadline(self) -> datetime:
        return workflow.now() + self._case.terms.policy.customer_deadline

    def _note(self, decision: str) -> None:
        self._case.decisions.append(f"{workflow.now():%Y-%m-%d %H:%M}Z {decision}")

    def _enter(self, stage: Stage, result: CollectResult | None = None) -> None:
        if stage is self._stage and result is None:
            return
        self._stage = stage
        terms = self._case.terms
        updates: list[SearchAttributeUpdate[Any]] = [
            visibility.STAGE.value_set(stage),
            visibility.ACCOUNT.value_set(self._request.account_id),
            visibility.AMOUNT_MINOR.value_set(terms.amount_minor),
            visibility.CURRENCY.value_set(terms.currency),
        ]
        if result is not None and result.code:
            updates.append(visibility.DECLINE_CODE.value_set(result.decline_code or result.code))
        if result is not None and result.gateway_reference:
            updates.append(visibility.GATEWAY_REFERENCE.value_set(result.gateway_reference))
        workflow.upsert_search_attributes(updates)
        self._show()

    def _ask_a_person(self, reason: str) -> None:
        workflow.upsert_search_attributes(
            [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
        )

    def _show(self) -> None:
        workflow.set_current_details(details_of(self._request, self.status()))

    def _continue_if_long(self) -> None:
        if workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished():
            workflow.continue_as_new(self._request.resumed_as(self._case))


_CAUSE_OF_WAKE = {
    Wake.TIMER: AttemptCause.SCHEDULED,
    Wake.CARD_CHANGED: AttemptCause.CARD_CHANGED,
    Wake.NO_LONGER_OWED: AttemptCause.SCHEDULED,
    Wake.GATEWAY_EVENT: AttemptCause.SCHEDULED,
    Wake.RETRY_NOW: AttemptCause.MANUAL,
}
