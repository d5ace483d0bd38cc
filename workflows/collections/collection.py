"""A receivable that has to wait: declined, unknown, or in need of its customer. One owner to the end."""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.collections.collect import CollectActivities
from activities.collections.ownership import CollectionActivities
from models.collections.collection import (
    CollectionClosing,
    CollectionOpening,
    CollectionRequest,
    CollectionResult,
    CollectionSnapshot,
    CollectionTerms,
    GraceCommand,
    OpenPage,
    RetryCommand,
    Stage,
)
from models.collections.dunning import GiveUp, GiveUpAction, RetryAt, WaitForCustomer, after_decline
from models.gateway.decline import Decline, DeclineClass, classify, is_known
from models.gateway.gateway_request import AttemptCause, CollectOutcome, CollectResult
from models.messages.message import MessageKind
from models.moment import in_utc
from workflows import visibility
from workflows.collections.handlers import CollectionHandlers
from workflows.collections.notices import CollectionNotices
from workflows.collections.state import BETWEEN_ATTEMPTS_WAKES, EVIDENCE, Case, Wake, WakeReason
from workflows.options import COLLECT_WAITING, DATABASE, DUNNING
from workflows.signals import signal_if_running
from workflows.updates import async_update

# The cards that a decline of this class rules out: another of the account's cards may still work at once.
_RULES_OUT_CARD = frozenset({DeclineClass.HARD, DeclineClass.FRAUD})


@workflow.defn(name="Collection")
class Collection(CollectionHandlers):
    """Owns one receivable. Every channel that could charge it goes through here, so it is charged once."""

    @workflow.init
    def __init__(self, request: CollectionRequest) -> None:
        self._case = Case(request)
        self._refused: ApplicationError | None = None
        self._outgoing = CollectionNotices(self._case)

    @workflow.run
    async def run(self, request: CollectionRequest) -> CollectionResult:
        """Collect until the receivable is settled or knowingly given up. Fails when somebody else owns it."""
        self._case.show()
        if not self._case.is_open:
            self._case.open(CollectionSnapshot(await self._take_over()))
        while True:
            result = await self._collect()
            if result.outcome in {CollectOutcome.SETTLED, CollectOutcome.NOTHING_OWED}:
                return await self._close(Stage.SETTLED, result.outcome)
            reason = await self._after(result)
            if reason:
                return await self._close(Stage.GIVEN_UP, reason)
            self._continue_if_long()

    @async_update("Wait for the first attempt and return its outcome.")
    async def first_outcome(self) -> CollectResult:
        """Return what the first attempt came to; unknown when nobody knows yet. Fails when somebody else owns it."""
        await workflow.wait_condition(lambda: self._case.first is not None or self._refused is not None)
        if self._refused is not None:
            raise ApplicationError(self._refused.message, type=self._refused.type, non_retryable=True)
        assert self._case.first is not None
        return self._case.first

    async def _after(self, result: CollectResult) -> str:
        """Wait for what the outcome calls for; return why collection gives up, or nothing when it goes on."""
        match result.outcome:
            case CollectOutcome.DECLINED:
                return await self._follow_policy(result)
            case CollectOutcome.NO_CARD:
                return await self._wait_for_customer(self._customer_deadline(), "a card", result)
            case CollectOutcome.DID_NOT_HAPPEN if self._case.state.cause is AttemptCause.CUSTOMER:
                return await self._go_on_without_page()
            case CollectOutcome.PROCESSING if self._case.state.page is not None:
                return await self._wait_for_page(self._case.state.page)
            case CollectOutcome.DID_NOT_HAPPEN:
                self._case.try_anew(self._case.state.cause, "nothing was charged, and that is certain")
                return ""
            case CollectOutcome.PROCESSING | CollectOutcome.UNKNOWN:
                return await self._wait_for_evidence(result)
            case _:
                return result.code or result.outcome

    async def _take_over(self) -> CollectionTerms:
        request = self._case.request
        try:
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
                summary=f"take over what {request.account_id} owes for {request.period}",
                **DATABASE,
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                # Whoever waits for the first outcome hears the rule that was broken, and then the workflow fails.
                self._refused = error.cause
                await workflow.wait_condition(workflow.all_handlers_finished)
            raise

    async def _collect(self) -> CollectResult:
        case, request, state = self._case, self._case.request, self._case.state
        case.enter(Stage.COLLECTING)
        try:
            result = await workflow.execute_activity_method(
                CollectActivities.collect,
                case.attempt_request(state.attempt),
                task_queue=visibility.gateway_queue(request.provider),
                activity_id=visibility.collect_activity_id(request.account_id, state.attempt),
                summary=f"{case.subject}: attempt {state.attempt}, {state.cause}",
                priority=DUNNING,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            result = CollectResult(CollectOutcome.UNKNOWN, attempt=state.attempt)
            if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
                # A broken rule will not mend itself: a person has to look, and nothing is lost meanwhile.
                self._ask_a_person(error.cause.type or "refused")
        case.heard(result)
        return result

    async def _go_on_without_page(self) -> str:
        """The customer's page ended unpaid: what was planned before it was opened is still planned."""
        state = self._case.state
        self._case.note("the customer's page ended unpaid")
        if state.declined is not None and state.planned_at is not None:
            return await self._follow_policy(state.declined, planned_at=state.planned_at)
        return await self._wait_for_customer(self._customer_deadline(), "a payment")

    async def _follow_policy(self, result: CollectResult, *, planned_at: datetime | None = None) -> str:
        """Do what the policy says about a decline, as often as operators leave out what it says."""
        case, state = self._case, self._case.state
        state.declined = result
        decline = Decline(result.code, result.decline_code, result.advice_code)
        kind = classify(decline)
        code = result.decline_code or result.code
        if kind in _RULES_OUT_CARD and result.card_id and workflow.patched("card_hears_of_its_block"):
            await signal_if_running(visibility.card_id(result.card_id), "card_touched")
        if kind in _RULES_OUT_CARD and result.next_card_id:
            case.try_anew(AttemptCause.SCHEDULED, f"{code} is {kind}: on to the next card", result.next_card_id)
            return ""
        tries = self._count_try(kind, one=0 if planned_at or state.cause is not AttemptCause.SCHEDULED else 1)
        while True:
            decision = RetryAt(planned_at) if planned_at else self._decide(decline, tries)
            if isinstance(decision, GiveUp):
                return decision.reason
            if isinstance(decision, WaitForCustomer):
                wanted = "an authentication" if kind is DeclineClass.ACTION_REQUIRED else "another card"
                return await self._wait_for_customer(decision.until, wanted, result)
            if planned_at is None:
                # That something failed between us and the issuer is no news for a customer.
                self._outgoing.tell(
                    None if kind is DeclineClass.TECHNICAL else MessageKind.DECLINED, result, at=decision.at
                )
            state.planned_at = decision.at
            case.note(f"{code} is {kind}: again at {in_utc(decision.at)}")
            case.enter(Stage.DUNNING, result)
            wake = await self._wait_for_chance(decision.at, f"retry {tries}, after {code}")
            if wake.kind is not WakeReason.SKIP:
                return await self._take_chance(wake)
            tries, planned_at = self._count_try(kind, one=1), None

    def _decide(self, decline: Decline, tries: int) -> GiveUp | WaitForCustomer | RetryAt:
        terms = self._case.state.terms
        return after_decline(
            classify(decline),
            policy=terms.policy,
            tries=tries,
            declined_at=workflow.now(),
            time_zone=terms.time_zone,
            is_known=is_known(decline),
        )

    def _count_try(self, kind: DeclineClass, *, one: int) -> int:
        """Count a scheduled attempt of a class, or none: what people and new cards caused uses nothing up."""
        state = self._case.state
        if kind is DeclineClass.TECHNICAL:
            state.technical_declines += one
            return max(1, state.technical_declines)
        state.soft_declines += one
        return max(1, state.soft_declines)

    async def _wait_for_page(self, page: OpenPage) -> str:
        """The page is the attempt: wait for its end, or close it for whatever comes first."""
        case = self._case
        case.enter(Stage.WAITING_FOR_CUSTOMER, case.last)
        wake = await case.wait(
            page.expires_at, "the customer's page is open until then", listen_to=BETWEEN_ATTEMPTS_WAKES | EVIDENCE
        )
        if wake.kind is WakeReason.TIMER or wake.kind in EVIDENCE:
            return ""
        await self._close_page()
        case.wake(wake.kind, wake.command)
        return ""

    async def _wait_for_customer(self, until: datetime, wanted: str, result: CollectResult | None = None) -> str:
        """Wait until a deadline; the customer is told of a result, and of nothing they have done themselves."""
        case = self._case
        case.state.planned_at = None
        until = case.state.customer_deadline = case.state.customer_deadline or until
        if result is not None:
            asked = MessageKind.ACTION_REQUIRED if wanted == "an authentication" else MessageKind.CARD_NEEDED
            self._outgoing.tell(asked, result, at=until)
        case.note(f"waiting for the customer: {wanted}")
        case.enter(Stage.WAITING_FOR_CUSTOMER, case.last)
        wake = await self._wait_for_chance(until, f"deadline for {wanted}")
        return "customer_deadline_passed" if wake.kind is WakeReason.TIMER else await self._take_chance(wake)

    async def _wait_for_chance(self, until: datetime, summary: str) -> Wake:
        """Wait for a moment or for what makes an attempt worth while before it; grace moves the moment."""
        while True:
            wake = await self._case.wait(until, summary, listen_to=BETWEEN_ATTEMPTS_WAKES)
            match wake.kind, wake.command:
                case WakeReason.EXTEND_GRACE, GraceCommand() as grace:
                    until = grace.until
                    self._case.state.customer_deadline = until
                case WakeReason.RECEIVABLE_CHANGED, _ if await self._is_still_owed():
                    continue
                case _:
                    return wake

    async def _take_chance(self, wake: Wake) -> str:
        case = self._case
        match wake.kind, wake.command:
            case WakeReason.GIVE_UP, _:
                return "operator_gave_up"
            case WakeReason.PAGE_OPENED, _ if case.state.page is not None:
                return await self._wait_for_page(case.state.page)
            case WakeReason.RETRY_NOW, RetryCommand() as retry:
                case.try_anew(AttemptCause.MANUAL, "an operator asks for it", retry.card_id)
            case WakeReason.CARD_CHANGED, _:
                case.try_anew(AttemptCause.CARD_CHANGED, "the account has another card")
            case _:
                case.try_anew(AttemptCause.SCHEDULED, "it is time" if wake.kind is WakeReason.TIMER else wake.kind)
        return ""

    async def _wait_for_evidence(self, result: CollectResult) -> str:
        """Wait, then ask for the same attempt again: evidence ends this stage, a timer never does."""
        case, state = self._case, self._case.state
        policy = state.terms.policy
        state.unknown_since = state.unknown_since or workflow.now()
        case.enter(Stage.PROCESSING if result.outcome is CollectOutcome.PROCESSING else Stage.UNKNOWN, result)
        if workflow.now() - state.unknown_since >= policy.review_after:
            self._ask_a_person("unknown_outcome")
        wait = policy.evidence_after[min(state.checks, len(policy.evidence_after) - 1)]
        state.checks += 1
        summary = f"look {state.checks} for evidence of attempt {state.attempt}"
        await case.wait(workflow.now() + wait, summary, listen_to=EVIDENCE)
        return ""

    async def _is_still_owed(self) -> bool:
        request = self._case.request
        return await workflow.execute_activity_method(
            CollectionActivities.is_owed,
            args=[request.account_id, request.period],
            summary="is anything still owed?",
            **DATABASE,
        )

    async def _close(self, stage: Stage, reason: str) -> CollectionResult:
        case, request, state = self._case, self._case.request, self._case.state
        action = state.terms.policy.on_giving_up if stage is Stage.GIVEN_UP else GiveUpAction.NOTHING
        await workflow.execute_activity_method(
            CollectionActivities.close_collection,
            CollectionClosing(request.account_id, request.period, stage, reason, action),
            summary=f"{stage}: {reason}",
            **DATABASE,
        )
        case.note(stage if reason == stage else f"{stage}: {reason}")
        case.end_review()
        case.enter(stage, case.last)
        self._outgoing.tell()
        await self._outgoing.finish()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CollectionResult(stage, reason, state.attempt, state.terms.amount_minor, state.terms.currency)

    def _ask_a_person(self, reason: str) -> None:
        if self._case.ask_a_person(reason):
            self._outgoing.tell(MessageKind.NEEDS_REVIEW, code=reason)

    def _customer_deadline(self) -> datetime:
        return workflow.now() + self._case.state.terms.policy.customer_deadline

    def _continue_if_long(self) -> None:
        if (
            workflow.info().is_continue_as_new_suggested()
            and workflow.all_handlers_finished()
            and self._outgoing.is_idle
        ):
            workflow.continue_as_new(self._case.request.resumed_as(self._case.state))
