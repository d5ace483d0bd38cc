"""The daily run that sends rewards and credit balances back through the gateway (X67, F120)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from activities.runs.refund_runs import RefundRunActivities
from models import workflow_ids
from models.money import Money
from models.reductions.reduction import ReductionRequest
from models.refunds.refund import RefundOrder, RefundRequest
from models.runs.refund_run import (
    RefundCertificate,
    RefundMember,
    RefundPart,
    RefundRunOrders,
    RefundRunRequest,
    RefundRunSnapshot,
    RefundRunStart,
    RefundRunTotals,
)
from workflows import visibility
from workflows.faults import Refusal, broken_rule, carried_state
from workflows.inputs.checks import checked_init
from workflows.markdown import aligned, paragraphs
from workflows.options import DATABASE, DATABASE_SWEEP
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.refund import Refund
from workflows.runs.refund_run_steering import RefundRunSteering

# So many members are under way at a time. When none of them is answered for so long, as when the gateway is away, they
# are handed over: their own workflows see them through, and the run goes on with the next.
WINDOW = 50
ANSWER_TIMEOUT = timedelta(minutes=2)

# How long is waited for the last of them: what is not certain by then is under way, says the certificate.
LAST_ANSWERS = timedelta(hours=1)

# A day's run that was begun by somebody else is looked at again after so long.
RUN_POLL = timedelta(minutes=1)


@workflow.defn(name="RefundRun")
class RefundRun(RefundRunSteering):
    """Sends what is due, each member by a workflow of its own, and certifies what had become of them."""

    @checked_init
    def __init__(self, request: RefundRunRequest) -> None:
        resumed = request.resumed or RefundRunSnapshot()
        self._members = resumed.members
        self._after = resumed.after
        self._waiting = set(resumed.waiting)
        self._sent = resumed.sent
        self._answered = resumed.answered
        self._handed_over = resumed.handed_over
        orders = carried_state(RefundRunOrders) or RefundRunOrders(resumed.is_paused, resumed.decisions)
        self._is_paused = orders.is_paused
        self._decisions = orders.decisions
        self._hands_over = False

    @workflow.run
    async def run(self, request: RefundRunRequest) -> RefundCertificate:
        """Run to the certificate."""
        # Runs that were started before 0.2.0 wait an hour for room, and keep all of their members in one execution.
        hands_over = self._hands_over = workflow.patched("hands-refunds-over")
        day = request.day or workflow.now().date()
        if hands_over and request.day is None:
            return await self._run_of_day(replace(request, day=day), day)
        run_id = workflow_ids.refund_run_id(request.provider, f"{day}")
        if request.resumed is None:
            start = RefundRunStart(run_id, request.provider, day)
            # Runs that were started before 0.2.0 close a day without anybody whoever asks for it.
            if workflow.patched("asks-before-a-day-over-nobody"):
                start = replace(start, over_nobody=request.over_nobody or _is_scheduled(request.provider))
            self._members = await self._freeze(start)
            if hands_over and (certificate := await self._certificate_of(run_id)):
                return self._show_certificate(certificate)
        while page := await self._next_page(request, run_id):
            for member in page:
                await self._wait_for_room(ANSWER_TIMEOUT if hands_over else LAST_ANSWERS)
                self._go_on_if_long(request)
                await self._send(request.provider, member)
                self._after = member.member_id
            if hands_over:
                self._show_progress(day)
                self._go_on_as_new(request)
        self._is_ending = True
        await self._wait_for_answers()
        self._go_on_if_long(request)
        return self._show_certificate(
            await workflow.execute_activity_method(
                RefundRunActivities.certify_refund_run, run_id, summary="certify", **DATABASE_SWEEP
            )
        )

    @workflow.signal(description="A member of the run has an outcome.")
    def member_answered(self, name: str) -> None:
        """Count it, and let the next one go."""
        if name in self._waiting:
            self._waiting.discard(name)
            self._answered += 1

    @workflow.query(description="How far the run is.")
    def totals(self) -> RefundRunTotals:
        """Return how many members there are, were sent, have an outcome, and were handed over without one."""
        return RefundRunTotals(self._members, self._sent, self._answered, self._handed_over)

    async def _run_of_day(self, request: RefundRunRequest, day: date) -> RefundCertificate:
        """What a schedule starts has its moment for an id: the day's run has the day's, so that there is one."""
        run_id = workflow_ids.refund_run_id(request.provider, f"{day}")
        workflow.set_current_details(f"Waits for `{run_id}`, the run of the day.")
        while True:
            try:
                return await workflow.execute_child_workflow(
                    RefundRun.run, request, id=run_id, **visibility.refund_run_label(request.provider, f"{day}")
                )
            except WorkflowAlreadyStartedError:
                await workflow.sleep(RUN_POLL, summary=f"{run_id} was started by somebody else")

    async def _freeze(self, start: RefundRunStart) -> int:
        try:
            return await workflow.execute_activity_method(
                RefundRunActivities.freeze_refund_run,
                start,
                summary=f"who gets money back on {start.day}?",
                **DATABASE_SWEEP,
            )
        except ActivityError as error:
            if broken_rule(error) is None:
                raise
            raise Refusal(error) from error

    async def _certificate_of(self, run_id: str) -> RefundCertificate | None:
        return await workflow.execute_activity_method(
            RefundRunActivities.refund_certificate, run_id, summary="is it over already?", **DATABASE
        )

    async def _next_page(self, request: RefundRunRequest, run_id: str) -> list[RefundMember]:
        """Return the next members once nobody lets the run wait. They are reserved by it: from then on they go back."""
        while self._is_paused:
            self._show_progress(request.day)
            await workflow.wait_condition(lambda: not self._is_paused or self._is_history_long())
            if self._is_history_long():
                self._go_on_as_new(request)
        return await self._page(run_id, self._after)

    async def _page(self, run_id: str, after: str) -> list[RefundMember]:
        return await workflow.execute_activity_method(
            RefundRunActivities.refund_page,
            args=[run_id, after],
            summary=f"the next members{f' behind {after}' if after else ''}",
            **DATABASE,
        )

    async def _wait_for_room(self, at_most: timedelta) -> None:
        """Wait until fewer are under way, or nobody has been answered for long: then all of them are handed over."""
        while len(self._waiting) >= WINDOW and not self._is_history_long():
            answered = self._answered
            try:
                await workflow.wait_condition(
                    lambda: len(self._waiting) < WINDOW or self._is_history_long(), timeout=at_most
                )
            except TimeoutError:
                if self._answered == answered:
                    self._hand_over()

    def _hand_over(self) -> None:
        self._handed_over += len(self._waiting)
        workflow.logger.info("refunds_handed_over", extra={"handed_over": len(self._waiting)})
        self._waiting.clear()

    async def _send(self, provider: str, member: RefundMember) -> None:
        self._sent += 1
        if member.award_id:
            await self._start(
                BackEndReduction.run,
                ReductionRequest(member.award_id, provider, run_id=workflow.info().workflow_id),
                workflow_ids.reduction_id(member.award_id),
                visibility.reduction_label(member.award_id, account=member.account_id),
            )
        for part in member.refunds:
            through = part.provider or provider
            await self._start(
                Refund.run,
                RefundRequest(part.refund_id, through, _order(part), run_id=workflow.info().workflow_id),
                workflow_ids.refund_id(part.refund_id),
                visibility.refund_label(
                    part.refund_id, payment=part.payment_id, account=member.account_id, provider=through
                ),
            )

    async def _start(self, run: Any, request: object, workflow_id: str, label: visibility.Label) -> None:
        self._waiting.add(workflow_id)
        try:
            _ = await workflow.start_child_workflow(
                run,
                request,
                id=workflow_id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **label,
            )
        except WorkflowAlreadyStartedError:
            self._waiting.discard(workflow_id)

    def _is_history_long(self) -> bool:
        """Say whether signals without end have made the history long; a page of members alone does not."""
        return self._hands_over and workflow.info().is_continue_as_new_suggested()

    def _go_on_if_long(self, request: RefundRunRequest) -> None:
        if self._waiting and self._is_history_long():
            self._go_on_as_new(request)

    def _go_on_as_new(self, request: RefundRunRequest) -> NoReturn:
        """Go on with the next member: a history has one page of members at most, however many there are."""
        resumed = RefundRunSnapshot(
            self._members,
            self._after,
            self._sent,
            self._answered,
            self._handed_over,
            tuple(sorted(self._waiting)),
            self._is_paused,
            self._decisions,
        )
        workflow.continue_as_new(
            replace(request, resumed=resumed),
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
        )

    async def _wait_for_answers(self) -> None:
        try:
            await workflow.wait_condition(
                lambda: not self._waiting or self._is_history_long(),
                timeout=LAST_ANSWERS,
                timeout_summary="what is left goes on by itself",
            )
        except TimeoutError:
            workflow.logger.info("refunds_under_way", extra={"left": len(self._waiting)})

    def _show_progress(self, day: date | None) -> None:
        handed_over = f", {self._handed_over} handed over without one" if self._handed_over else ""
        workflow.set_current_details(
            f"### Refunds of {day}\n\n{self._sent} of {self._members} members were sent; {self._answered} refunds and"
            f" rewards have an outcome{handed_over}."
            + ("\n\nPaused: `resume` goes on with the next." if self._is_paused else "")
        )

    def _show_certificate(self, certificate: RefundCertificate) -> RefundCertificate:
        workflow.set_current_details(_details(certificate))
        return certificate


def _is_scheduled(provider: str) -> bool:
    """Say whether a schedule has asked for the day: most days nobody is due anything, and the next is another run."""
    parent, scheduled = workflow.info().parent, workflow_ids.refund_run_id(provider, "scheduled")
    is_itself = workflow.info().workflow_id.startswith(scheduled)
    return is_itself or (parent is not None and parent.workflow_id.startswith(scheduled))


def _order(part: RefundPart) -> RefundOrder:
    return RefundOrder(
        part.refund_id,
        part.payment_id,
        part.amount_minor,
        reason="Negative balance",
        origin="system",
        is_acknowledged=True,
    )


def _details(certificate: RefundCertificate) -> str:
    rows = [("Kind", "Outcome", "Members", "Asked", "Refunded")]
    rows += [
        (
            total.kind,
            total.outcome,
            str(total.members),
            str(Money(total.amount_minor, total.currency)),
            str(Money(total.refunded_minor, total.currency)),
        )
        for total in certificate.totals
    ]
    return paragraphs(
        f"### Refunds of {certificate.day}: {certificate.members} members",
        aligned(rows, right=frozenset({2, 3, 4})),
        f"Seal `{certificate.sha256}`",
    )
