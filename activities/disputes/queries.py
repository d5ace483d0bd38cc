"""Disputes as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database

_COLUMNS = """
    select d.id, d.provider_id, d.account_id, duly.standing_payment(r.transaction_id) as payment_id, d.amount_minor,
        d.currency, d.reason, d.state, d.status, d.evidence_due_at, d.has_evidence, d.opened_at,
        d.closed_at, d.decisions
    from duly.disputes d join duly.gateway_requests r on r.id = d.request_id
"""


class DisputeQueries:
    """Reads disputes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, dispute_id: str) -> Row[Any] | None:
        """Return one dispute, or None."""
        rows = await self._database.rows(f"{_COLUMNS} where d.id = :id", id=dispute_id)
        return rows[0] if rows else None

    async def page(self, *, account_id: str, state: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next disputes behind an id; empty filters let all through."""
        return await self._database.rows(
            f"{_COLUMNS} where (:account = '' or d.account_id = :account) and (:state = '' or d.state = :state)"
            " and d.id > :after order by d.id limit :limit",
            account=account_id,
            state=state,
            after=after,
            limit=limit,
        )
