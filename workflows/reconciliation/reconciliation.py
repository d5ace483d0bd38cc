"""Compares a provider's day with the ledger, both ways: what is safe is mended, and the rest is listed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow

from activities.messages.mailing import MailingActivities
from activities.reconciliation.balances import BalanceActivities
from activities.reconciliation.confirming import CandidateActivities
from activities.reconciliation.matching import ReconciliationActivities
from activities.reconciliation.reading import GatewayBookActivities
from models import workflow_ids
from models.messages.message import MailingStart
from models.reconciliation.reconciliation import (
    ConfirmedCandidates,
    ListWindow,
    PlanRequest,
    ReconciliationCertificate,
    ReconciliationPlan,
    ReconciliationRequest,
    WindowRead,
    WindowReading,
)
from workflows import visibility
from workflows.inputs.checks import checked_init
from workflows.options import DATABASE, DATABASE_SWEEP, GATEWAY_BOOKS
from workflows.reconciliation.details import details_of
from workflows.reconciliation.waking import wake

# So many windows are read at a time: the gateway's answers come while others are being stored.
WINDOWS_AT_ONCE = 2


@workflow.defn(name="Reconciliation")
class Reconciliation:
    """One round of one day. Asked for again, the next round reads it anew, and finds nothing new when nothing is."""

    @checked_init
    def __init__(self, request: ReconciliationRequest) -> None:
        self._reading = asyncio.Semaphore(WINDOWS_AT_ONCE)

    @workflow.run
    async def run(self, request: ReconciliationRequest) -> ReconciliationCertificate:
        """Read, match, confirm, certify."""
        plan = await self._plan(request)
        read = await asyncio.gather(*(self._read(plan, window) for window in plan.windows))
        await workflow.execute_activity_method(
            ReconciliationActivities.match_movements,
            plan,
            summary="match the movements with the ledger",
            **DATABASE_SWEEP,
        )
        confirmed = await self._confirm(plan)
        await self._wake(plan.provider, *(one.wake for one in read), confirmed.wake)
        certificate = await self._certify(plan)
        self._show(certificate, confirmed)
        if certificate.discrepancies:
            await self._start_mailing(plan)
        return certificate

    async def _plan(self, request: ReconciliationRequest) -> ReconciliationPlan:
        day = request.day or workflow.now().date() - timedelta(days=1)
        return await workflow.execute_activity_method(
            GatewayBookActivities.plan_reconciliation,
            PlanRequest(
                workflow_ids.reconciliation_id(request.provider, f"{day}"), request.provider, day, request.young_minutes
            ),
            task_queue=workflow_ids.gateway_queue(request.provider),
            summary=f"what is there to read for {day}?",
            **GATEWAY_BOOKS,
        )

    async def _read(self, plan: ReconciliationPlan, window: ListWindow) -> WindowRead:
        async with self._reading:
            return await workflow.execute_activity_method(
                GatewayBookActivities.read_window,
                WindowReading(plan.reconciliation_id, plan.provider, plan.round, plan.old_before, window),
                task_queue=workflow_ids.gateway_queue(plan.provider),
                summary=f"{window.list} from {window.read_from:%Y-%m-%d}",
                **GATEWAY_BOOKS,
            )

    async def _confirm(self, plan: ReconciliationPlan) -> ConfirmedCandidates:
        return await workflow.execute_activity_method(
            CandidateActivities.confirm_candidates,
            plan,
            task_queue=workflow_ids.gateway_queue(plan.provider),
            summary="look once more at what is not matched",
            **GATEWAY_BOOKS,
        )

    async def _wake(self, provider: str, *found: Sequence[str]) -> None:
        """Hint whoever waits for what was found: each asks the gateway itself."""
        for workflow_id in dict.fromkeys(one for ids in found for one in ids):
            await wake(workflow_id, provider)

    async def _certify(self, plan: ReconciliationPlan) -> ReconciliationCertificate:
        balances = await workflow.execute_activity_method(
            BalanceActivities.compare_balances,
            plan,
            task_queue=workflow_ids.gateway_queue(plan.provider),
            summary="is the balance what the ledger says?",
            **GATEWAY_BOOKS,
        )
        return await workflow.execute_activity_method(
            ReconciliationActivities.certify_reconciliation,
            args=[plan, balances],
            summary="certify",
            **DATABASE_SWEEP,
        )

    def _show(self, certificate: ReconciliationCertificate, confirmed: ConfirmedCandidates) -> None:
        workflow.set_current_details(details_of(certificate, confirmed))
        is_open = certificate.open_discrepancies > 0
        workflow.upsert_search_attributes(
            [
                visibility.STAGE.value_set("differs" if is_open else "agrees"),
                visibility.NEEDS_REVIEW.value_set(is_open),
            ]
        )

    async def _start_mailing(self, plan: ReconciliationPlan) -> None:
        await workflow.execute_activity_method(
            MailingActivities.start_mailing,
            MailingStart(
                "",
                workflow_ids.mailing_id(f"{plan.reconciliation_id}/{plan.round}"),
                workflow_ids.WORKFLOW_QUEUE,
            ),
            summary="notify operators of what differs",
            **DATABASE,
        )
