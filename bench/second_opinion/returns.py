"""Money that goes back after a month: refunds in part, whole payments cancelled, rewards."""

from typing import Any

from sqlalchemy import Row
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database
from models.gateway.amounts import charge_step
from models.gateway.gateway_request import RequestKind
from models.reductions.reduction import Award, ReductionRequest
from models.refunds.refund import RefundOrder, RefundRequest
from models.workflow_ids import WORKFLOW_QUEUE, reduction_id, refund_id
from sandbox.customers.merchant import PROVIDER
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.refund import Refund
from workflows.visibility import reduction_label, refund_label

_PAID = """
select t.id, t.account_id, t.total_minor, t.currency
from duly.gateway_requests r join duly.financial_transactions t on t.id = r.transaction_id
where r.kind = 'payment' and r.period = :period and r.state = 'posted' and t.state = 'posted' order by t.account_id
"""

# Refunds that no outcome is certain of yet.
_UNDER_WAY = """
select id from duly.gateway_requests
where of_request_id is not null and state in ('pending', 'under_processing', 'unknown')
"""


async def give_back(client: Client, database: Database, period: str) -> int:
    """Of every four payments of a period, refund one in part, cancel one and reward one; return how many."""
    paid = await database.rows(_PAID, period=period)
    refunded, cancelled, rewarded = paid[0::4], paid[1::4], paid[2::4]
    for row in refunded:
        await _start_refund(client, row, RequestKind.REFUND)
    for row in cancelled:
        await _start_refund(client, row, RequestKind.PAYMENT_CANCELLATION)
    for row in rewarded:
        await _start_reward(client, row)
    return len(refunded) + len(cancelled) + len(rewarded)


async def check_refunds(client: Client, database: Database) -> None:
    """Send every refund under way the event that Stripe has for one: localstripe has none for refunds."""
    for row in await database.rows(_UNDER_WAY):
        try:
            await client.get_workflow_handle(refund_id(row.id)).signal("gateway_event")
        except RPCError as error:
            # A reward's refund is reserved before its workflow begins.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def _start_refund(client: Client, row: Row[Any], kind: RequestKind) -> None:
    name = f"back.{row.id}"
    amount = _third(row) if kind is RequestKind.REFUND else 0
    order = RefundOrder(name, row.id, amount, kind, reason="as agreed", is_acknowledged=True)
    await client.start_workflow(
        Refund.run,
        RefundRequest(name, PROVIDER, order),
        id=refund_id(name),
        task_queue=WORKFLOW_QUEUE,
        **refund_label(name, payment=row.id, account=row.account_id, provider=PROVIDER),
    )


async def _start_reward(client: Client, row: Row[Any]) -> None:
    shop = row.currency.lower()
    award = Award(f"reward_{row.id}", shop, row.account_id, _third(row), row.currency, row.id)
    await client.start_workflow(
        BackEndReduction.run,
        ReductionRequest(award.award_id, PROVIDER, award),
        id=reduction_id(award.award_id),
        task_queue=WORKFLOW_QUEUE,
        **reduction_label(award.award_id, merchant=shop, account=row.account_id),
    )


def _third(row: Row[Any]) -> int:
    """Return a third of a payment, in steps that the gateway takes."""
    step, total = charge_step(row.currency), int(row.total_minor)
    return total // (3 * step) * step
