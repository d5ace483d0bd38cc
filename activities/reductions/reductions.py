"""Reductions: awards written down, planned on refundable payments, credited, clawed back, and closed."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from temporalio import activity

from activities.database import Database
from models.reductions.reduction import Award, Reduction, ReductionClosing
from models.tables.base import whole_row
from models.tables.collecting import GatewayRequestRow
from models.tables.returns import ReductionPartRow, ReductionRow

_REDUCTIONS = select(func.duly.reduction_view(whole_row(ReductionRow)))

REDUCTION = TypeAdapter(Reduction)


class ReductionActivities:
    """Activities of a reduction's workflow in the ledger. Each is one commit, and safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [
            self.open_reduction,
            self.load_reduction,
            self.plan_reduction,
            self.credit_reduction,
            self.claw_back_reduction,
            self.close_reduction,
            self.reductions_of_payment,
            self.providers_of_parts,
        ]

    @activity.defn
    async def open_reduction(self, award: Award) -> Reduction:
        """Write an award down. Raises RuleBrokenError naming what the merchant, the account or the limits lack."""
        return await open_reduction(self._database, award)

    @activity.defn
    async def load_reduction(self, award_id: str) -> Reduction:
        """Read a reduction as it is now."""
        (stored,) = await self._database.read(_REDUCTIONS.where(ReductionRow.award_id == award_id))
        return REDUCTION.validate_python(stored[0])

    @activity.defn
    async def plan_reduction(self, award_id: str, is_remedy: bool) -> Reduction:
        """Reserve what is open on refundable payments: on the sale's own where it is known, as a remedy on any."""
        return await self._call("plan_reduction", award_id=award_id, is_remedy=is_remedy)

    @activity.defn
    async def credit_reduction(self, award_id: str) -> Reduction:
        """Credit what is open to the account."""
        return await self._call("credit_reduction", award_id=award_id)

    @activity.defn
    async def claw_back_reduction(self, award_id: str) -> Reduction:
        """Take back what was granted, as the sale was returned. Raises RuleBrokenError while a refund is uncertain."""
        return await self._call("claw_back_reduction", award_id=award_id)

    @activity.defn
    async def close_reduction(self, closing: ReductionClosing) -> Reduction:
        """Record how a reduction ended, once."""
        return await self._call(
            "close_reduction",
            award_id=closing.award_id,
            state=closing.state,
            reason=closing.reason,
            decision=closing.decision,
        )

    @activity.defn
    async def reductions_of_payment(self, payment_id: str) -> list[str]:
        """Return the awards that hang on a payment."""
        rows = await self._database.rows("select duly.reductions_of_payment(:id) as award order by 1", id=payment_id)
        return [row.award for row in rows]

    @activity.defn
    async def providers_of_parts(self, award_id: str) -> dict[str, str]:
        """Return the provider of each refund of a reduction, by its id: that of the payment it is a refund of."""
        parts = select(GatewayRequestRow.id, GatewayRequestRow.provider_id).join(
            ReductionPartRow, ReductionPartRow.request_id == GatewayRequestRow.id
        )
        rows = await self._database.read(parts.where(ReductionPartRow.award_id == award_id))
        return {row.id: row.provider_id for row in rows}

    async def _call(self, function: str, **arguments: Any) -> Reduction:
        return REDUCTION.validate_python(await self._database.call(function, **arguments))


async def open_reduction(database: Database, award: Award) -> Reduction:
    """Write an award down, or return it as it is when it was written before."""
    opened = await database.call(
        "open_reduction",
        award_id=award.award_id,
        merchant_id=award.merchant_id,
        account_id=award.account_id,
        amount_minor=award.amount_minor,
        currency=award.currency,
        payment_id=award.payment_id,
    )
    return REDUCTION.validate_python(opened)
