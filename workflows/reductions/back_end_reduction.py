"""A reward's discount that goes back to a customer who has paid the full price (F134 to F136, X65 to X70)."""

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from activities.reductions.reductions import ReductionActivities
from models import workflow_ids
from models.gateway.gateway_request import RequestKind
from models.reductions.reduction import (
    NO_REMEDY_LEFT,
    AcceptedDecision,
    Decision,
    Reduction,
    ReductionClosing,
    ReductionDecision,
    ReductionPart,
    ReductionRequest,
    ReductionSnapshot,
    ReductionState,
    Remedy,
)
from models.refunds.refund import RefundOrder, RefundRequest
from models.waiting import WakeReason
from workflows import visibility
from workflows.faults import Refusal, broken_rule, carried_state
from workflows.inputs.checks import checked_init
from workflows.options import DATABASE
from workflows.reductions.handlers import DECIDED_FIRST, ReductionHandlers
from workflows.refunds.reduction_signals import signal_refund_run
from workflows.refunds.refund import Refund
from workflows.waiting import Waiter


@workflow.defn(name="BackEndReduction")
class BackEndReduction(ReductionHandlers):
    """Owns one award: held, refunded part by part, remedied when a refund fails, clawed back with the sale."""

    @checked_init
    def __init__(self, request: ReductionRequest) -> None:
        snapshot = request.resumed or ReductionSnapshot()
        self._request = request
        self._waiter = Waiter(lambda: request.award_id, self._show, lambda: True, snapshot.waiter)
        self._reduction = None
        self._refused = None
        self._decision = (carried_state(AcceptedDecision) or snapshot).decision
        self._watched = set(snapshot.watched)
        self._remedies_used = snapshot.remedies_used
        self._is_run_signaled = snapshot.is_run_signaled

    @workflow.run
    async def run(self, request: ReductionRequest) -> Reduction:
        """See the award through. Fails when it may not be: then nothing was written."""
        self._show()
        reduction = await self._open_or_load(request)
        while True:
            reduction = await self._see_through(reduction)
            await self._finish(reduction)
            if not self._waiter.take_late():
                return reduction
            self._continue_if_long()
            reduction = await self._load()

    async def _see_through(self, reduction: Reduction) -> Reduction:
        while not self._is_over(reduction):
            await self._take_step(reduction)
            reduction = await self._load()
            await self._signal_refund_run()
            self._continue_if_long()
        if reduction.is_sale_returned:
            return await self._claw_back(reduction)
        if reduction.state not in {ReductionState.CLAWED_BACK, ReductionState.GIVEN_UP}:
            return await self._record(ReductionState.GRANTED, reduction.reason)
        return reduction

    async def _take_step(self, reduction: Reduction) -> None:
        """Refund what is planned, else wait for what holds the rest up, else grant it."""
        if self._decision is not None and not reduction.open_minor and workflow.patched(DECIDED_FIRST):
            # Nothing is left that it was about: what comes back later is another question.
            self._waiter.end_review()
            self._decision = None
        if reduction.under_way:
            await self._refund(reduction)
        elif not reduction.open_minor:
            await self._waiter.wait(None, "its refunds may still come back")
        elif reduction.is_disputed:
            await self._freeze()
        elif workflow.now() < (until := reduction.held_until):
            await self._waiter.wait(until, "its hold period is over")
        else:
            await self._grant(reduction)

    async def _signal_refund_run(self) -> None:
        if self._request.run_id and not self._is_run_signaled and self._has_outcome():
            self._is_run_signaled = True
            await signal_refund_run(self._request.run_id)

    async def _open_or_load(self, request: ReductionRequest) -> Reduction:
        if request.award is None:
            return await self._load()
        try:
            reduction = await workflow.execute_activity_method(
                ReductionActivities.open_reduction, request.award, summary=f"write {request.award_id} down", **DATABASE
            )
        except ActivityError as error:
            if (rule := broken_rule(error)) is None:
                raise
            # Whoever waits for the award gets the rule that was broken, and then the workflow fails.
            self._refused = rule
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise Refusal(error) from error
        return self._update_from(reduction)

    async def _grant(self, reduction: Reduction) -> None:
        """Do what a person has decided before a fault, else find payments; where there are none, take a remedy."""
        if self._decision is not None and workflow.patched(DECIDED_FIRST):
            self._waiter.end_review()
            await self._carry_out(self._decision)
            return
        if not reduction.parts:
            planned = await self._plan(is_remedy=False)
            if planned.under_way:
                return
            self._waiter.note("no refundable payment of the sale")
        remedies = (*reduction.settings.remedies, Remedy.PERSON)
        remedy = remedies[min(self._remedies_used, len(remedies) - 1)]
        self._remedies_used += 1
        self._waiter.note(f"remedy: {remedy}")
        match remedy:
            case Remedy.ANOTHER_PAYMENT:
                if (await self._plan(is_remedy=True)).under_way:
                    # The same remedy may help again: each payment is asked once.
                    self._remedies_used -= 1
            case Remedy.CREDIT:
                await self._credit()
            case Remedy.PERSON:
                await self._follow_a_person()

    async def _follow_a_person(self) -> None:
        decision = await self._decided()
        if decision is not None:
            await self._carry_out(decision)

    async def _carry_out(self, decision: ReductionDecision) -> None:
        decided = f"{decision.decision}, says {decision.actor}: {decision.reason}"
        match decision.decision:
            case Decision.CREDIT:
                await self._credit()
            case Decision.TRY_AGAIN:
                self._remedies_used = 0
            case Decision.GIVE_UP:
                await self._record(ReductionState.GIVEN_UP, "given_up", decided)
        self._decision = None

    async def _decided(self) -> ReductionDecision | None:
        """Wait for a person's decision; None when the sale was returned, or the history has grown long."""
        self._waiter.ask_a_person(NO_REMEDY_LEFT)
        while self._taken_decision() is None:
            wake = await self._waiter.wait(None, "a person decides what becomes of it")
            if wake.reason is WakeReason.LONG_HISTORY:
                # The next execution asks for the same decision: the remedy is taken up again there.
                self._remedies_used -= 1
                return None
            if self._taken_decision() is None and (await self._load()).is_sale_returned:
                break
        self._waiter.end_review()
        return self._decision

    async def _refund(self, reduction: Reduction) -> None:
        """Let each part's refund be seen through by its own workflow, and wait for what they say."""
        unwatched = [part for part in reduction.under_way if part.refund_id not in self._watched]
        providers = await self._providers() if unwatched else {}
        for part in unwatched:
            await self._start(reduction, part, providers.get(part.refund_id, self._request.provider))
        await self._waiter.wait(None, "the gateway pays its refunds")

    async def _providers(self) -> dict[str, str]:
        """Return the provider of each refund: a customer may have paid through several."""
        if not workflow.patched("parts-have-providers"):
            return {}
        return await workflow.execute_activity_method(
            ReductionActivities.providers_of_parts,
            self._request.award_id,
            summary="through which providers?",
            **DATABASE,
        )

    async def _start(self, reduction: Reduction, part: ReductionPart, provider: str) -> None:
        self._watched.add(part.refund_id)
        order = RefundOrder(
            part.refund_id,
            payment_id=part.payment_id,
            amount_minor=part.amount_minor,
            kind=RequestKind.REFUND,
            reason=f"Reward {reduction.award_id}",
            origin="system",
            is_acknowledged=True,
        )
        try:
            _ = await workflow.start_child_workflow(
                Refund.run,
                RefundRequest(part.refund_id, provider, order),
                id=workflow_ids.refund_id(part.refund_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **visibility.refund_label(
                    part.refund_id, payment=part.payment_id, account=reduction.account_id, provider=provider
                ),
            )
        except WorkflowAlreadyStartedError:
            self._waiter.note(f"{part.refund_id} is under way already")

    async def _freeze(self) -> None:
        workflow.upsert_search_attributes([visibility.STAGE.value_set("frozen")])
        self._waiter.note("frozen: a payment it hangs on is disputed")
        await self._waiter.wait(None, "the dispute is decided")
        if self._reduction is not None and workflow.patched("stage-after-a-dispute"):
            workflow.upsert_search_attributes([visibility.STAGE.value_set(self._reduction.stage)])

    async def _claw_back(self, reduction: Reduction) -> Reduction:
        if reduction.state is ReductionState.CLAWED_BACK:
            return reduction
        self._waiter.note("the sale was returned: what was granted is taken back")
        return await workflow.execute_activity_method(
            ReductionActivities.claw_back_reduction,
            self._request.award_id,
            summary="take back what was granted",
            **DATABASE,
        )

    async def _plan(self, *, is_remedy: bool) -> Reduction:
        return self._update_from(
            await workflow.execute_activity_method(
                ReductionActivities.plan_reduction,
                args=[self._request.award_id, is_remedy],
                summary="on another payment?" if is_remedy else "on which payments?",
                **DATABASE,
            )
        )

    async def _credit(self) -> None:
        credited = await workflow.execute_activity_method(
            ReductionActivities.credit_reduction,
            self._request.award_id,
            summary="credit what is open to the account",
            **DATABASE,
        )
        self._update_from(credited)

    async def _load(self) -> Reduction:
        return self._update_from(
            await workflow.execute_activity_method(
                ReductionActivities.load_reduction,
                self._request.award_id,
                summary=f"read {self._request.award_id}",
                **DATABASE,
            )
        )

    async def _record(self, state: ReductionState, reason: str, decision: str = "") -> Reduction:
        return self._update_from(
            await workflow.execute_activity_method(
                ReductionActivities.close_reduction,
                ReductionClosing(self._request.award_id, state, reason, decision),
                summary=f"{state}: {reason or 'all of it'}",
                **DATABASE,
            )
        )

    async def _finish(self, reduction: Reduction) -> None:
        await self._signal_refund_run()
        self._waiter.end_review()
        self._waiter.end_waiting()
        self._waiter.note(f"over: {reduction.state}")
        self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _continue_if_long(self) -> None:
        if self._waiter.is_history_long():
            watched = tuple(sorted(self._watched))
            resumed = ReductionSnapshot(
                watched, self._remedies_used, self._is_run_signaled, self._decision, self._waiter.snapshot()
            )
            workflow.continue_as_new(replace(self._request, award=None, resumed=resumed))

    def _update_from(self, reduction: Reduction) -> Reduction:
        before, self._reduction = self._reduction, reduction
        is_new = before is None or before.state is not reduction.state
        if is_new or (before and before.stage != reduction.stage and workflow.patched("reads-as-paid-while-watched")):
            self._waiter.note(reduction.stage)
            workflow.upsert_search_attributes(
                [
                    visibility.STAGE.value_set(reduction.stage),
                    visibility.ACCOUNT.value_set(reduction.account_id),
                    *visibility.amount_updates(reduction.amount_minor, reduction.currency),
                ]
            )
        self._show()
        return reduction
