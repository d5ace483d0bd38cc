"""Money that went back in the past: refunds, cancelled payments, rewards, disputes."""

import asyncio
from typing import Any

from sqlalchemy import Row
from temporalio.client import Client, WorkflowHandle

from activities.database import Database
from activities.reductions.merchants import Merchants, MerchantsDocument
from models.disputes.dispute import DisputeRequest
from models.gateway.gateway_request import RequestKind
from models.reductions.reduction import Award, Reduction, ReductionRequest
from models.refunds.refund import RefundOrder, RefundRequest, RefundResult
from models.workflow_ids import WORKFLOW_QUEUE, dispute_id, reduction_id, refund_id
from sandbox.customers.merchant import PROVIDER
from sandbox.past.lives import Incident
from sandbox.servers.processes import ServiceError
from sandbox.stripe.control.client import SandboxControl
from workflows.disputes.dispute import Dispute
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.refund import Refund
from workflows.visibility import dispute_label, reduction_label, refund_label

MERCHANTS: dict[str, Any] = {
    "merchants": [
        {"id": f"shop_{currency.lower()}", "name": f"Shop ({currency})", "currency": currency, "reduction": {}}
        for currency in ("EUR", "JPY", "KWD")
    ]
}
# In steps that the gateway takes in every currency.
REWARD_MINOR = 100
PART = 10
SERVICE, TIMEOUT_SECONDS, POLL_SECONDS = "The past", 30.0, 0.02

_PAID = """
select t.id, t.account_id, t.currency, t.total_minor, a.charge_reference
from duly.financial_transactions t
join duly.gateway_attempts a on a.payment_id = t.id and a.outcome = 'succeeded'
join duly.gateway_requests r on r.id = a.request_id and r.period = :period and r.kind = 'payment'
where t.account_id = :account and t.state = 'posted' and t.total_minor > :least
order by t.id limit 1
"""


class PastReturns:
    """Gives money back through the product's own workflows."""

    def __init__(self, client: Client, database: Database, control: SandboxControl) -> None:
        self._client = client
        self._database = database
        self._control = control
        self._disputes: list[tuple[str, bool]] = []

    async def set_up(self) -> None:
        """Configure who grants rewards, in each currency."""
        await Merchants(self._database).apply(MerchantsDocument.model_validate(MERCHANTS))

    async def happen(self, account: str, incident: Incident, period: str) -> None:
        """Give back what the account has paid for the period, or part of it; nothing when it has not paid."""
        paid = await self._database.rows(_PAID, account=account, period=period, least=2 * REWARD_MINOR)
        if not paid:
            return
        match incident:
            case Incident.REFUND_IN_PART:
                tenth = paid[0].total_minor // PART
                await self._refund(paid[0], max(tenth - tenth % PART, REWARD_MINOR), RequestKind.REFUND)
            case Incident.REFUND_IN_FULL:
                await self._refund(paid[0], 0, RequestKind.REFUND)
            case Incident.CANCELLATION:
                await self._refund(paid[0], 0, RequestKind.PAYMENT_CANCELLATION)
            case Incident.REWARD:
                await self._reward(paid[0])
            case Incident.DISPUTE_WON | Incident.DISPUTE_LOST:
                await self._dispute(paid[0], is_won=incident is Incident.DISPUTE_WON)
            case _:
                raise ValueError(f"incident: {incident} gives no money back")

    async def decide_disputes(self) -> None:
        """Let the banks decide what is disputed."""
        for dispute, is_won in self._disputes:
            _ = self._control.close_dispute(dispute, won=is_won)
            handle = self._client.get_workflow_handle(dispute_id(dispute))
            await handle.signal("gateway_event")
            await self._end_of(handle)
        self._disputes.clear()

    async def _end_of(self, handle: WorkflowHandle[Any, Any]) -> None:
        began = asyncio.get_running_loop().time()
        while (await handle.describe()).close_time is None:
            if asyncio.get_running_loop().time() - began > TIMEOUT_SECONDS:
                raise ServiceError(SERVICE, f"{handle.id} has not ended; the worker's log says why", what="stalled")
            await asyncio.sleep(POLL_SECONDS)

    async def _refund(self, paid: Row[Any], amount_minor: int, kind: RequestKind) -> None:
        name = f"rf_{paid.id}"
        order = RefundOrder(name, paid.id, amount_minor, kind, "service", "a complaint", is_acknowledged=True)
        handle = await self._client.start_workflow(
            Refund.run,
            RefundRequest(name, PROVIDER, order),
            id=refund_id(name),
            task_queue=WORKFLOW_QUEUE,
            **refund_label(name, payment=paid.id, account=paid.account_id, provider=PROVIDER),
        )
        _ = await handle.execute_update("first_outcome", result_type=RefundResult)

    async def _reward(self, paid: Row[Any]) -> None:
        shop = f"shop_{paid.currency.lower()}"
        award = Award(f"reward_{paid.id}", shop, paid.account_id, REWARD_MINOR, paid.currency, paid.id)
        handle = await self._client.start_workflow(
            BackEndReduction.run,
            ReductionRequest(award.award_id, PROVIDER, award),
            id=reduction_id(award.award_id),
            task_queue=WORKFLOW_QUEUE,
            **reduction_label(award.award_id, merchant=shop, account=paid.account_id),
        )
        _ = await handle.execute_update("first_outcome", result_type=Reduction)

    async def _dispute(self, paid: Row[Any], *, is_won: bool) -> None:
        dispute = str(self._control.create_dispute(paid.charge_reference)["id"])
        handle = await self._client.start_workflow(
            Dispute.run,
            DisputeRequest(dispute, PROVIDER),
            id=dispute_id(dispute),
            task_queue=WORKFLOW_QUEUE,
            **dispute_label(dispute, provider=PROVIDER),
        )
        _ = await handle.execute_update("first_reading")
        self._disputes.append((dispute, is_won))
