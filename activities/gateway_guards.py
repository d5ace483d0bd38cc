"""What a person may not do by hand while the gateway has a say in it (F69, Q4, Q8)."""

from typing import Any

from sqlalchemy import Row

from activities.database import Database
from models.fault import refusal

# A payment that was moved keeps its gateway reference; what the gateway returned was asked of the first one (Q10).
_RETURNED = """
    with recursive moved (id) as (
        select cast(:id as text) collate "C"
        union all
        select t.counterpart_id from moved join duly.financial_transactions t on t.id = moved.id
        where t.counterpart_id is not null
    )
    select exists (
        select from duly.gateway_requests r join moved on moved.id = r.transaction_id
        where r.kind = 'payment_cancellation' and r.state = 'posted'
        union all
        select from duly.gateway_bookings b join moved on moved.id = b.payment_id where b.kind = 'dispute_lost'
    )
"""


async def require_returned(database: Database, payment: Row[Any]) -> None:
    """Refuse to cancel a payment whose money a gateway still has: it must confirm the return first (F69)."""
    if payment.provider is None or payment.state != "posted":
        return
    if not (await database.rows(_RETURNED, id=payment.id))[0][0]:
        raise refusal(
            "transaction",
            "gateway_confirms_first",
            f"{payment.id} went through {payment.provider}, which has not returned the money:"
            " a payment is cancelled when the gateway confirms it",
        )


def refuse_draft_of_gateway(draft: Row[Any]) -> None:
    """Refuse to edit or reject a draft that a gateway may be working on: its answer posts or rejects it (Q8)."""
    if draft.provider is not None and draft.state == "draft":
        raise refusal(
            "transaction",
            "gateway_decides",
            f"{draft.id} is with {draft.provider}, whose answer posts or rejects it",
        )
