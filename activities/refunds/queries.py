"""Refunds through the gateway as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database

_COLUMNS = """
    select r.id, r.kind, r.provider_id, r.account_id, duly.standing_payment(p.transaction_id) as payment_id,
        r.transaction_id, r.amount_minor, r.currency, r.state, r.error_code as code, r.asked_by, r.asked_because,
        r.created_at, r.executed_at, r.gateway_reference
    from duly.gateway_requests r join duly.gateway_requests p on p.id = r.of_request_id
"""


class RefundQueries:
    """Reads refunds and payment cancellations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, refund_id: str) -> Row[Any] | None:
        """Return one refund, or None."""
        rows = await self._database.rows(f"{_COLUMNS} where r.id = :id", id=refund_id)
        return rows[0] if rows else None

    async def page(self, *, account_id: str, state: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next refunds behind an id; empty filters let all through."""
        return await self._database.rows(
            f"{_COLUMNS} where (:account = '' or r.account_id = :account) and (:state = '' or r.state = :state)"
            " and r.id > :after order by r.id limit :limit",
            account=account_id,
            state=state,
            after=after,
            limit=limit,
        )
