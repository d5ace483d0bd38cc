"""A receivable that has to wait: declined, unknown, or in need of its customer. One owner to the end."""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.collections.collect import CollectActivities
from activities.collections.ownership import CollectionActivities
from models import workflow_ids
from models.collections.collection import (
    CANCELLED,
    AmountOpening,
    CollectionClosing,
    CollectionRequest,
    CollectionResult,
    CollectionTerms,
    OpenPage,
    Stage,
    WaitingFor,
    action_at_end,
    opening_of,
)
from models.collections.dunning import DunningDecision, GiveUp, RetryAt, WaitForCustomer
from models.gateway.decline import DeclineClass, classify
from models.gateway.gateway_request import AttemptCause, CollectOutcome, CollectResult
from models.messages.message import MessageKind
from models.moment import in_utc
from models.waiting import Wake, WakeReason
from workflows.collections.handlers import CollectionHandlers
from workflows.collections.notices import CollectionNotices
from workflows.collections.policy import RULES_OUT_CARD, count_try, decide, decline_of
from workflows.collections.state import CollectionState
from workflows.collections.steps import GAVE_UP, GO_ON, GivenUp, GoOn, Settled, Step
from workflows.collections.waits import LAST_MOMENT, CollectionWaits
from workflows.faults import Refusal, broken_rule
from workflows.inputs.checks import checked_init
from workflows.options import COLLECT_WAITING, DATABASE, DUNNING
from workflows.signals import signal_if_running
from workflows.waiting import BETWEEN_ATTEMPTS_WAKES, EVIDENCE


@workflow.defn(name="Collection")
class Collection(CollectionHandlers, CollectionWaits):
    """Owns one receivable. Every channel that could charge it goes through here, so it is charged once."""

    @checked_init
    def __init__(self, request: CollectionRequest) -> None:
        self._state = CollectionState(request, lambda: self._notices.may_be_cut_off)
        self._refused = None
        self._notices = CollectionNotices(self._state, request.resumed.notices if request.resumed else ())

    @workflow.run
    async def run(self, request: CollectionRequest) -> CollectionResult:
        """Collect until the receivable is settled or knowingly given up. Fails when somebody else owns it."""
        self._state.show()
        self._notices.send_kept()
        is_resumed = self._state.is_open
        if not is_resumed:
            self._state.open(await self._take_over())
        step = await self._resume() if is_resumed else self._as_it_stands()
        while True:
            match step:
                case Settled(outcome):
                    return await self._close(Stage.SETTLED, outcome)
                case GivenUp(reason):
                    return await self._close(Stage.GIVEN_UP, reason)
                case GoOn() if reason := self._state.reason_to_end:
                    step = GivenUp(reason)
                case GoOn():
                    self._continue_if_long()
                    step = await self._attempt()

    async def _take_over(self) -> CollectionTerms:
        request = self._state.request
        opening = opening_of(request, workflow.info().first_execution_run_id)
        summary = f"take over what {request.account_id} owes for {request.period}"
        try:
            if isinstance(opening, AmountOpening):
                return await workflow.execute_activity_method(
                    CollectionActivities.open_amount, opening, summary=summary, **DATABASE
                )
            return await workflow.execute_activity_method(
                CollectionActivities.open_collection, opening, summary=summary, **DATABASE
            )
        except ActivityError as error:
            if (rule := broken_rule(error)) is None:
                raise
            await self._refuse(rule)
            raise Refusal(error) from error

    async def _resume(self) -> Step:
        """Go on with the wait that a continue-as-new cut short."""
        snapshot = self._state.snapshot
        match snapshot.waiting_for:
            case WaitingFor.NOTHING:
                return GO_ON
            case WaitingFor.RETRY:
                assert snapshot.declined is not None
                return await self._follow_policy(snapshot.declined, planned_at=snapshot.planned_at)
            case WaitingFor.CUSTOMER:
                return await self._wait_for_customer(self._state.customer_deadline(), "the customer")

    async def _attempt(self) -> Step:
        """Make the attempt, or ask what became of it, and wait for what its outcome calls for."""
        state, result = self._state, await self._collect()
        match result.outcome:
            case CollectOutcome.SETTLED | CollectOutcome.NOTHING_OWED:
                return Settled(result.outcome)
            case CollectOutcome.DECLINED:
                return await self._follow_decline(result)
            case CollectOutcome.NO_CARD:
                return await self._go_on_without_card(result)
            case CollectOutcome.PROVIDER_NOT_EFFECTIVE:
                return await self._wait_for_provider(result)
            case CollectOutcome.DID_NOT_HAPPEN if state.snapshot.cause is AttemptCause.CUSTOMER:
                return await self._go_on_as_planned("the customer's page ended unpaid")
            case CollectOutcome.PROCESSING if state.snapshot.page is not None:
                return await self._wait_for_page(state.snapshot.page)
            case CollectOutcome.DID_NOT_HAPPEN if state.is_held:
                # The next attempt is due at once: what was accepted moves it, counts it as used, or ends this.
                at = workflow.now() + LAST_MOMENT
                return await self._follow_policy(state.declined_for_good(result), planned_at=at)
            case CollectOutcome.DID_NOT_HAPPEN:
                state.begin_attempt(state.snapshot.cause, "nothing was charged, and that is certain")
                return GO_ON
            case CollectOutcome.PROCESSING | CollectOutcome.UNKNOWN:
                return await self._wait_for_evidence(result)
            case _:
                return GivenUp(result.code or result.outcome)

    async def _collect(self) -> CollectResult:
        state, request, snapshot = self._state, self._state.request, self._state.snapshot
        state.enter(Stage.COLLECTING)
        try:
            result = await workflow.execute_activity_method(
                CollectActivities.collect,
                state.attempt_request(snapshot.attempt),
                task_queue=workflow_ids.gateway_queue(request.provider),
                activity_id=workflow_ids.collect_activity_id(request.account_id, snapshot.attempt),
                summary=f"{state.subject}: attempt {snapshot.attempt}, {snapshot.cause}",
                priority=DUNNING,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            result = CollectResult(CollectOutcome.UNKNOWN, attempt=snapshot.attempt)
            if (rule := broken_rule(error)) is not None:
                # A broken rule will not mend itself: a person has to look, and nothing is lost meanwhile.
                self._ask_a_person(rule.type or "refused")
            state.waiter.note_unsent(error)
        state.record_result(result)
        return result

    async def _go_on_without_card(self, result: CollectResult) -> Step:
        if self._state.is_on_named_card and workflow.patched("named-card-keeps-the-plan"):
            return await self._go_on_as_planned("the card that was named cannot be charged")
        if self._state.snapshot.terms.policy.once:
            return GivenUp(result.outcome)
        return await self._wait_for_customer(self._state.customer_deadline(), "a card", result)

    async def _go_on_as_planned(self, why: str) -> Step:
        """What was tried for a person came to nothing: what was planned before it is still planned."""
        snapshot = self._state.snapshot
        self._state.waiter.note(why)
        if snapshot.declined is not None and snapshot.planned_at is not None:
            return await self._follow_policy(snapshot.declined, planned_at=snapshot.planned_at)
        return await self._wait_for_customer(self._state.customer_deadline(), "a payment")

    async def _follow_decline(self, result: CollectResult) -> Step:
        """Go on to another card where the decline rules this one out, else do what the policy says."""
        if self._state.is_decided(result.attempt):
            return await self._follow_decision(result)
        kind = classify(decline_of(result))
        if kind in RULES_OUT_CARD and result.card_id:
            for card_id in (result.card_id, *result.same_card_ids):
                await signal_if_running(workflow_ids.card_id(card_id), "card_touched")
        if self._state.try_other_card(result):
            return GO_ON
        result = self._state.declined_for_good(result)
        return await self._follow_policy(result)

    async def _follow_decision(self, result: CollectResult) -> Step:
        """Go on with what the policy has decided before a fault; its decline is counted already."""
        snapshot = self._state.snapshot
        if snapshot.waiting_for is not WaitingFor.NOTHING:
            return await self._resume()
        return await self._follow_policy(snapshot.declined or result, planned_at=snapshot.planned_at)

    async def _follow_policy(self, result: CollectResult, *, planned_at: datetime | None = None) -> Step:
        """Do what the policy says about a decline, as often as operators leave out what it says."""
        snapshot, kind = self._state.snapshot, classify(decline_of(result))
        is_new = planned_at is None and not self._state.is_decided(snapshot.attempt)
        tries = count_try(snapshot, kind, one=int(is_new and snapshot.cause is AttemptCause.SCHEDULED))
        self._state.decide()
        while True:
            decision: DunningDecision = (
                RetryAt(planned_at) if planned_at else decide(snapshot, result, now=workflow.now(), tries=tries)
            )
            if isinstance(decision, GiveUp):
                return GivenUp(decision.reason)
            if isinstance(decision, WaitForCustomer):
                wanted = "an authentication" if kind is DeclineClass.ACTION_REQUIRED else "another card"
                return await self._wait_for_customer(decision.until, wanted, result)
            wake = await self._wait_for_retry(result, decision.at, tries, is_new=planned_at is None)
            if wake.reason is not WakeReason.SKIP:
                return await self._take_chance(wake)
            tries, planned_at = count_try(snapshot, kind, one=1), None

    async def _wait_for_retry(self, result: CollectResult, at: datetime, tries: int, *, is_new: bool) -> Wake:
        """Wait for the planned attempt; the customer is notified when it is planned, and not once more."""
        state, kind = self._state, classify(decline_of(result))
        code = result.decline_code or result.code or result.outcome
        if is_new:
            # That something failed between us and the issuer, or never reached it, is nothing a customer can change.
            is_declined = result.outcome is CollectOutcome.DECLINED and kind is not DeclineClass.TECHNICAL
            self._notices.notify(MessageKind.DECLINED if is_declined else None, result, at=at)
        state.snapshot.planned_at, state.snapshot.waiting_for = at, WaitingFor.RETRY
        state.waiter.note(f"{code} is {kind}: again at {in_utc(at)}")
        state.enter(Stage.DUNNING, result)
        return await self._wait_for_chance(at, f"retry {tries}, after {code}")

    async def _wait_for_page(self, page: OpenPage) -> Step:
        """The page is the attempt: wait for its end, or close it for whatever comes first."""
        state = self._state
        state.enter(Stage.WAITING_FOR_CUSTOMER, state.last)
        listen_to = BETWEEN_ATTEMPTS_WAKES | EVIDENCE
        wake = await state.waiter.wait(page.expires_at, "the customer's page is open until then", listen_to=listen_to)
        if wake.reason in BETWEEN_ATTEMPTS_WAKES:
            # It is taken up once the page is over, however that comes about.
            state.waiter.wake(wake.reason, card_id=wake.card_id, until=wake.until)
            await self._end_page()
        return GO_ON

    async def _wait_for_customer(self, until: datetime, wanted: str, result: CollectResult | None = None) -> Step:
        """Wait until a deadline; the customer is notified of a result, and of nothing they have done themselves."""
        state, snapshot = self._state, self._state.snapshot
        snapshot.planned_at = None
        until = snapshot.customer_deadline = snapshot.customer_deadline or until
        snapshot.waiting_for = WaitingFor.CUSTOMER
        if result is not None and not self._is_over(until):
            kind = MessageKind.ACTION_REQUIRED if wanted == "an authentication" else MessageKind.CARD_NEEDED
            self._notices.notify(kind, result, at=until)
        state.waiter.note(f"waiting for the customer: {wanted}")
        state.enter(Stage.WAITING_FOR_CUSTOMER, state.last)
        wake = await self._overtaken_by_update(await self._wait_for_chance(until, f"deadline for {wanted}"))
        return GivenUp("customer_deadline_passed") if wake.reason is WakeReason.TIMER else await self._take_chance(wake)

    async def _take_chance(self, wake: Wake) -> Step:
        state = self._state
        if wake.reason is WakeReason.LONG_HISTORY:
            return GO_ON
        state.snapshot.waiting_for = WaitingFor.NOTHING
        match wake.reason:
            case WakeReason.GIVE_UP:
                return GivenUp(GAVE_UP)
            case WakeReason.CANCELLED:
                return GivenUp(CANCELLED)
            case WakeReason.PAGE_OPENED if state.snapshot.page is not None:
                return await self._wait_for_page(state.snapshot.page)
            case WakeReason.RETRY_NOW:
                state.begin_attempt(AttemptCause.MANUAL, "an operator asks for it", wake.card_id)
            case WakeReason.CARD_CHANGED:
                state.begin_attempt(AttemptCause.CARD_CHANGED, "the account has another card")
            case WakeReason.TIMER:
                state.begin_attempt(AttemptCause.SCHEDULED, "it is time")
            case _:
                state.begin_attempt(AttemptCause.SCHEDULED, wake.reason)
        return GO_ON

    async def _wait_for_provider(self, result: CollectResult) -> Step:
        """Nothing new is asked of a provider that is not effective, nor while something holds it: let people decide."""
        wake = await self._wait_until_sendable(result)
        is_as_before = wake.reason in {WakeReason.TIMER, WakeReason.HOLD_RELEASED}
        return GO_ON if is_as_before else await self._take_chance(wake)

    async def _close(self, stage: Stage, reason: str) -> CollectionResult:
        state, request, snapshot = self._state, self._state.request, self._state.snapshot
        action = action_at_end(snapshot.terms.policy, stage, reason)
        await workflow.execute_activity_method(
            CollectionActivities.close_collection,
            CollectionClosing(request.account_id, request.period, stage, reason, action),
            summary=f"{stage}: {reason}",
            **DATABASE,
        )
        await self._go_on_with_rest(stage)
        state.waiter.note(stage if reason == stage else f"{stage}: {reason}")
        state.waiter.end_review()
        state.waiter.end_waiting()
        state.enter(stage, state.last)
        self._notices.notify()
        await self._notices.finish()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CollectionResult(stage, reason, snapshot.attempt, snapshot.terms.amount_minor, snapshot.terms.currency)

    def _continue_if_long(self) -> None:
        if self._state.waiter.is_history_long():
            workflow.continue_as_new(self._state.resumed_request(self._notices.kept))
