"""A reward's discount that goes back to a customer who has paid the full price (F134 to F136, X65 to X70)."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError

from activities.reductions.reductions import ReductionActivities
from models.gateway.gateway_request import RequestKind
from models.reductions.reduction import (
    Decision,
    Reduction,
    ReductionClosing,
    ReductionDecision,
    ReductionPart,
    ReductionRequest,
    ReductionState,
    Remedy,
)
from models.refunds.refund import RefundOrder, RefundRequest
from workflows import visibility
from workflows.options import DATABASE
from workflows.reductions.handlers import ReductionHandlers
from workflows.refunds.reduction_signals import signal_refund_run
from workflows.refunds.refund import Refund
from workflows.waiting import Waiter


@workflow.defn(name="BackEndReduction")
class BackEndReduction(ReductionHandlers):
    """Owns one award: held, refunded part by part, remedied when a refund fails, clawed back with the sale."""

    @workflow.init
    def __init__(self, request: ReductionRequest) -> None:
        self._request = request
        self._waiter = Waiter(request.award_id, self._show)
        self._reduction = None
        self._refused = None
        self._decision = None
        self._watched = set()
        self._remedies_used = 0
        self._has_told = False

    @workflow.run
    async def run(self, request: ReductionRequest) -> Reduction:
        """See the award through. Fails when it may not be: then nothing was written."""
        self._show()
        reduction = await self._take_up(request)
        while True:
            if reduction.is_sale_returned and not reduction.under_way:
                return await self._claw_back(reduction)
            if reduction.state in {ReductionState.CLAWED_BACK, ReductionState.GIVEN_UP}:
                return await self._leave(reduction)
            if reduction.under_way:
                await self._refund(reduction)
            elif reduction.is_disputed and reduction.open_minor:
                await self._freeze()
            elif reduction.open_minor and workflow.now() < (until := _held_until(reduction)):
                await self._waiter.wait(until, "its hold period is over")
            elif reduction.open_minor:
                await self._grant(reduction)
            elif self._watched:
                await self._waiter.wait(None, "its refunds may still come back")
            else:
                return await self._close(ReductionState.GRANTED, reduction.reason)
            reduction = await self._load()
            await self._signal_refund_run()

    async def _signal_refund_run(self) -> None:
        if self._request.run_id and not self._has_told and self._has_outcome():
            self._has_told = True
            await signal_refund_run(self._request.run_id)

    async def _take_up(self, request: ReductionRequest) -> Reduction:
        if request.award is None:
            return await self._load()
        try:
            reduction = await workflow.execute_activity_method(
                ReductionActivities.open_reduction, request.award, summary=f"write {request.award_id} down", **DATABASE
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                # Whoever waits for the award hears the rule that was broken, and then the workflow fails.
                self._refused = error.cause
                await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        return self._take(reduction)

    async def _grant(self, reduction: Reduction) -> None:
        """Find payments for what is open; where there are none, take the next remedy."""
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
        if decision is None:
            return
        said = f"{decision.decision}, says {decision.actor}: {decision.reason}"
        match decision.decision:
            case Decision.CREDIT:
                await self._credit()
            case Decision.TRY_AGAIN:
                self._remedies_used = 0
            case Decision.GIVE_UP:
                await self._record(ReductionState.GIVEN_UP, "given_up", said)

    async def _decided(self) -> ReductionDecision | None:
        """Wait for a person's decision; None when the sale was returned, so that there is nothing to decide."""
        self._decision = None
        self._waiter.ask_a_person("no_remedy_left")
        while True:
            await self._waiter.wait(None, "a person decides what becomes of it")
            decision = self._last_decision()
            if decision is not None or (await self._load()).is_sale_returned:
                self._waiter.end_review()
                return decision

    def _last_decision(self) -> ReductionDecision | None:
        return self._decision

    async def _refund(self, reduction: Reduction) -> None:
        """Let each part's refund be seen through by its own workflow, and wait for what they say."""
        for part in reduction.under_way:
            if part.refund_id not in self._watched:
                await self._start(reduction, part)
        await self._waiter.wait(None, "the gateway pays its refunds")

    async def _start(self, reduction: Reduction, part: ReductionPart) -> None:
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
                RefundRequest(part.refund_id, self._request.provider, order),
                id=visibility.refund_id(part.refund_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **visibility.refund_label(
                    part.refund_id,
                    payment=part.payment_id,
                    account=reduction.account_id,
                    provider=self._request.provider,
                ),
            )
        except WorkflowAlreadyStartedError:
            self._waiter.note(f"{part.refund_id} is under way already")

    async def _freeze(self) -> None:
        workflow.upsert_search_attributes([visibility.STAGE.value_set("frozen")])
        self._waiter.note("frozen: a payment it hangs on is disputed")
        await self._waiter.wait(None, "the dispute is decided")

    async def _claw_back(self, reduction: Reduction) -> Reduction:
        if reduction.state is not ReductionState.CLAWED_BACK:
            self._waiter.note("the sale was returned: what was granted is taken back")
            reduction = await workflow.execute_activity_method(
                ReductionActivities.claw_back_reduction,
                self._request.award_id,
                summary="take back what was granted",
                **DATABASE,
            )
        return await self._leave(reduction)

    async def _plan(self, *, is_remedy: bool) -> Reduction:
        return self._take(
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
        self._take(credited)

    async def _load(self) -> Reduction:
        return self._take(
            await workflow.execute_activity_method(
                ReductionActivities.load_reduction,
                self._request.award_id,
                summary=f"read {self._request.award_id}",
                **DATABASE,
            )
        )

    async def _record(self, state: ReductionState, reason: str, decision: str = "") -> Reduction:
        return self._take(
            await workflow.execute_activity_method(
                ReductionActivities.close_reduction,
                ReductionClosing(self._request.award_id, state, reason, decision),
                summary=f"{state}: {reason or 'all of it'}",
                **DATABASE,
            )
        )

    async def _close(self, state: ReductionState, reason: str) -> Reduction:
        return await self._leave(await self._record(state, reason))

    async def _leave(self, reduction: Reduction) -> Reduction:
        await self._signal_refund_run()
        self._waiter.end_review()
        self._waiter.next_action, self._waiter.next_action_at = "", None
        self._waiter.note(f"over: {reduction.state}")
        self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return reduction

    def _take(self, reduction: Reduction) -> Reduction:
        before, self._reduction = self._reduction, reduction
        if before is None or before.state is not reduction.state:
            self._waiter.note(reduction.state)
            workflow.upsert_search_attributes(
                [
                    visibility.STAGE.value_set(reduction.state),
                    visibility.ACCOUNT.value_set(reduction.account_id),
                    visibility.AMOUNT_MINOR.value_set(reduction.amount_minor),
                    visibility.CURRENCY.value_set(reduction.currency),
                ]
            )
        self._show()
        return reduction


def _held_until(reduction: Reduction) -> datetime:
    return reduction.awarded_at + timedelta(days=reduction.settings.hold_days)
