"""Reductions as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, matching
from models.tables.returns import ReductionRow

_REDUCTIONS = select(
    ReductionRow.award_id.label("id"),
    ReductionRow.merchant_id,
    ReductionRow.account_id,
    ReductionRow.payment_id,
    ReductionRow.amount_minor,
    ReductionRow.currency,
    ReductionRow.state,
    ReductionRow.reason,
    ReductionRow.awarded_at,
    ReductionRow.closed_at,
    ReductionRow.decisions,
)


class ReductionQueries:
    """Reads reductions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, account_id: str, merchant_id: str, state: str, after: str, limit: int
    ) -> Sequence[Row[Any]]:
        """Return the next reductions behind an award; empty filters let all through."""
        filters = (
            *matching(ReductionRow.account_id, account_id),
            *matching(ReductionRow.merchant_id, merchant_id),
            *matching(ReductionRow.state, state),
            ReductionRow.award_id > after,
        )
        return await self._database.read(_REDUCTIONS.where(*filters).order_by(ReductionRow.award_id).limit(limit))

    async def decisions(self, award_id: str) -> Sequence[str]:
        """Return what was decided about a reduction."""
        (found,) = await self._database.read(select(ReductionRow.decisions).where(ReductionRow.award_id == award_id))
        return list(found.decisions)
