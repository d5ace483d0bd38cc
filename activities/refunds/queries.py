"""Refunds through the gateway as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import aliased

from activities.database import Database, matching
from models.tables.collecting import GatewayRequestRow

Refund = aliased(GatewayRequestRow, name="refund")
Payment = aliased(GatewayRequestRow, name="payment")

_REFUNDS = select(
    Refund.id,
    Refund.kind,
    Refund.provider_id,
    Refund.account_id,
    func.duly.standing_payment(Payment.transaction_id).label("payment_id"),
    Refund.transaction_id,
    Refund.amount_minor,
    Refund.currency,
    Refund.state,
    Refund.error_code.label("code"),
    Refund.asked_by,
    Refund.asked_because,
    Refund.created_at,
    Refund.executed_at,
    Refund.gateway_reference,
).join(Payment, Payment.id == Refund.of_request_id)


class RefundQueries:
    """Reads refunds and payment cancellations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, refund_id: str) -> Row[Any] | None:
        """Return one refund, or None."""
        return await self._database.read_first(_REFUNDS.where(Refund.id == refund_id))

    async def page(self, *, account_id: str, state: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next refunds behind an id; empty filters let all through."""
        filters = (*matching(Refund.account_id, account_id), *matching(Refund.state, state), Refund.id > after)
        return await self._database.read(_REFUNDS.where(*filters).order_by(Refund.id).limit(limit))
