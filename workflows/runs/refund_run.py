"""The daily run that sends rewards and credit balances back through the gateway (X67, F120)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.runs.refund_runs import RefundRunActivities
from models import workflow_ids
from models.money import Money
from models.reductions.reduction import ReductionRequest
from models.refunds.refund import RefundOrder, RefundRequest
from models.runs.refund_run import RefundCertificate, RefundMember, RefundPart, RefundRunRequest, RefundRunStart
from workflows import visibility
from workflows.inputs.checks import checked_init
from workflows.markdown import aligned, paragraphs
from workflows.options import DATABASE, DATABASE_SWEEP
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.refund import Refund

# So many members are under way at a time, and so long is waited for the last of them: what is not certain by then is
# under way, says the certificate, and its own workflow sees it through.
WINDOW = 50
WINDOW_TIMEOUT = timedelta(hours=1)


@dataclass(frozen=True)
class RefundRunTotals:
    """How far a run is."""

    members: int
    sent: int
    answered: int


@workflow.defn(name="RefundRun")
class RefundRun:
    """Sends what is due, each member by a workflow of its own, and certifies what had become of them."""

    @checked_init
    def __init__(self, request: RefundRunRequest) -> None:
        self._members = 0
        self._waiting: set[str] = set()
        self._sent = 0
        self._answered = 0

    @workflow.run
    async def run(self, request: RefundRunRequest) -> RefundCertificate:
        """Run to the certificate."""
        day = request.day or workflow.now().date()
        run_id = workflow_ids.refund_run_id(request.provider, f"{day}")
        self._members = await workflow.execute_activity_method(
            RefundRunActivities.freeze_refund_run,
            RefundRunStart(run_id, request.provider, day),
            summary=f"who gets money back on {day}?",
            **DATABASE_SWEEP,
        )
        after = ""
        while page := await self._page(run_id, after):
            for member in page:
                await workflow.wait_condition(lambda: len(self._waiting) < WINDOW, timeout=WINDOW_TIMEOUT)
                await self._send(request.provider, member)
            after = page[-1].member_id
        await self._wait_for_answers()
        certificate = await workflow.execute_activity_method(
            RefundRunActivities.certify_refund_run, run_id, summary="certify", **DATABASE_SWEEP
        )
        workflow.set_current_details(_details(certificate))
        return certificate

    @workflow.signal(description="A member of the run has an outcome.")
    def member_answered(self, name: str) -> None:
        """Count it, and let the next one go."""
        if name in self._waiting:
            self._waiting.discard(name)
            self._answered += 1

    @workflow.query(description="How far the run is.")
    def totals(self) -> RefundRunTotals:
        """Return how many members there are, were sent and have an outcome."""
        return RefundRunTotals(self._members, self._sent, self._answered)

    async def _page(self, run_id: str, after: str) -> list[RefundMember]:
        return await workflow.execute_activity_method(
            RefundRunActivities.refund_page,
            args=[run_id, after],
            summary=f"the next members{f' behind {after}' if after else ''}",
            **DATABASE,
        )

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
            await self._start(
                Refund.run,
                RefundRequest(part.refund_id, provider, _order(part), run_id=workflow.info().workflow_id),
                workflow_ids.refund_id(part.refund_id),
                visibility.refund_label(
                    part.refund_id, payment=part.payment_id, account=member.account_id, provider=provider
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

    async def _wait_for_answers(self) -> None:
        try:
            await workflow.wait_condition(
                lambda: not self._waiting, timeout=WINDOW_TIMEOUT, timeout_summary="what is left goes on by itself"
            )
        except TimeoutError:
            workflow.logger.info("refunds_under_way", extra={"left": len(self._waiting)})


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
