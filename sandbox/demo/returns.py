"""Money that goes back, at the end of the demo's month: rewards, one of them sent back by its bank, a lost dispute."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from activities.database import Database
from activities.reductions.merchants import Merchants, MerchantsDocument
from models.disputes.dispute import DisputeRequest, DisputeState
from models.reductions.reduction import Award, Reduction, ReductionRequest
from models.workflow_ids import WORKFLOW_QUEUE, dispute_id, reduction_id, refund_id
from sandbox.customers.merchant import PROVIDER
from sandbox.servers.processes import ServiceError
from sandbox.stripe.control.client import SandboxControl
from workflows.disputes.dispute import Dispute
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.visibility import dispute_label, reduction_label

SERVICE = "The demo"
REWARD_MINOR = 100
REWARDS = 4
TIMEOUT_SECONDS = 30.0
CAFE = {"merchants": [{"id": "cafe", "name": "Café", "currency": "EUR", "reduction": {}}]}

_PAID = """
select t.id, t.account_id, a.charge_reference
from duly.financial_transactions t join duly.gateway_attempts a on a.payment_id = t.id and a.outcome = 'succeeded'
join duly.gateway_requests r on r.id = a.request_id and r.period = :period
where t.classification = 'payment' and t.state = 'posted' and t.currency = 'EUR' and t.provider = :provider
  and t.total_minor > :least order by t.account_id limit :limit
"""


@dataclass(frozen=True)
class Returns:
    """What went back: rewards that customers have, how many of them after a refund had come back, and lost disputes."""

    rewards: int = 0
    came_back: int = 0
    disputes_lost: int = 0


async def give_back(client: Client, database: Database, control: SandboxControl, period: str) -> Returns:
    """Reward who has paid for a period, let one refund come back, and lose a dispute. Too few payments: less of it."""
    await Merchants(database).apply(MerchantsDocument.model_validate(CAFE))
    paid = await database.rows(_PAID, provider=PROVIDER, period=period, least=2 * REWARD_MINOR, limit=REWARDS + 1)
    if len(paid) < 2:
        return Returns()
    disputed, rewarded = paid[0], paid[1:]
    await asyncio.gather(*(_reward(client, row) for row in rewarded))
    await _send_back(client, database, control, rewarded)
    await _lose(client, control, str(disputed.charge_reference))
    return await _counted(database)


async def _reward(client: Client, row: Row[Any]) -> Reduction:
    award = Award(_award_of(row), "cafe", row.account_id, REWARD_MINOR, "EUR", row.id)
    start = WithStartWorkflowOperation[BackEndReduction, Reduction](
        BackEndReduction.run,
        ReductionRequest(award.award_id, PROVIDER, award),
        id=reduction_id(award.award_id),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        **reduction_label(award.award_id, merchant="cafe", account=row.account_id),
    )
    granted: Reduction = await client.execute_update_with_start_workflow(
        "first_outcome", start_workflow_operation=start, result_type=Reduction
    )
    return granted


async def _send_back(client: Client, database: Database, control: SandboxControl, rewarded: Sequence[Row[Any]]) -> None:
    """The bank sends a refund back; the customer gets the next remedy, a credit."""
    refund = f"{_award_of(rewarded[0])}.1"
    rows = await database.rows("select gateway_reference from duly.gateway_requests where id = :id", id=refund)
    control.fail_refund(rows[0].gateway_reference)
    began = time.monotonic()
    before = (await _counted(database)).came_back
    await client.get_workflow_handle(refund_id(refund)).signal("gateway_event")
    while (await _counted(database)).came_back == before:
        if time.monotonic() - began > TIMEOUT_SECONDS:
            raise ServiceError(SERVICE, f"{refund} came back, and no remedy was taken; the workers' logs say why")
        await asyncio.sleep(0.1)


async def _lose(client: Client, control: SandboxControl, charge: str) -> None:
    dispute = str(control.create_dispute(charge)["id"])
    handle = await client.start_workflow(
        Dispute.run,
        DisputeRequest(dispute, PROVIDER),
        id=dispute_id(dispute),
        task_queue=WORKFLOW_QUEUE,
        **dispute_label(dispute, provider=PROVIDER),
    )
    await handle.execute_update("first_reading")
    control.close_dispute(dispute, won=False)
    await handle.signal("gateway_event")
    decided = await handle.result()
    if decided.state is not DisputeState.LOST:
        raise ServiceError(SERVICE, f"{dispute} is {decided.state}, though the bank has decided")


async def _counted(database: Database) -> Returns:
    rows = await database.rows(
        "select (select count(distinct award_id) from duly.reduction_parts where undone_by is null"
        " and credit_id is not null) as rewards, (select count(distinct p.award_id) from duly.reduction_parts p"
        " join duly.reduction_parts n on n.award_id = p.award_id and n.undone_by is null and n.credit_id is not null"
        " where p.undone_by is not null) as came_back,"
        " (select count(*) from duly.disputes where state = 'lost') as disputes_lost"
    )
    return Returns(**rows[0]._asdict())


def _award_of(row: Row[Any]) -> str:
    return f"reward_{row.id}"
