"""Reductions as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database

_COLUMNS = """
    select d.award_id as id, d.merchant_id, d.account_id, d.payment_id, d.amount_minor, d.currency, d.state, d.reason,
        d.awarded_at, d.closed_at, d.decisions
    from duly.reductions d
"""


class ReductionQueries:
    """Reads reductions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, account_id: str, merchant_id: str, state: str, after: str, limit: int
    ) -> Sequence[Row[Any]]:
        """Return the next reductions behind an award; empty filters let all through."""
        return await self._database.rows(
            f"{_COLUMNS} where (:account = '' or d.account_id = :account) and (:state = '' or d.state = :state)"
            " and (:merchant = '' or d.merchant_id = :merchant) and d.award_id > :after"
            " order by d.award_id limit :limit",
            account=account_id,
            merchant=merchant_id,
            state=state,
            after=after,
            limit=limit,
        )

    async def decisions(self, award_id: str) -> Sequence[str]:
        """Return what was decided about a reduction."""
        rows = await self._database.rows("select decisions from duly.reductions where award_id = :id", id=award_id)
        return list(rows[0].decisions)
