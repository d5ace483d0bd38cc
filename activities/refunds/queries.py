"""Refunds through the gateway as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import aliased

from activities.database import Database, matching
from models.tables.collecting import GatewayRequestRow

_REFUND = aliased(GatewayRequestRow, name="refund")
_PAYMENT = aliased(GatewayRequestRow, name="payment")

_REFUNDS = select(
    _REFUND.id,
    _REFUND.kind,
    _REFUND.provider_id,
    _REFUND.account_id,
    func.duly.standing_payment(_PAYMENT.transaction_id).label("payment_id"),
    _REFUND.transaction_id,
    _REFUND.amount_minor,
    _REFUND.currency,
    _REFUND.state,
    _REFUND.error_code.label("code"),
    _REFUND.asked_by,
    _REFUND.asked_because,
    _REFUND.created_at,
    _REFUND.executed_at,
    _REFUND.gateway_reference,
).join(_PAYMENT, _PAYMENT.id == _REFUND.of_request_id)


class RefundQueries:
    """Reads refunds and payment cancellations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, refund_id: str) -> Row[Any] | None:
        """Return one refund, or None."""
        return await self._database.read_first(_REFUNDS.where(_REFUND.id == refund_id))

    async def page(self, *, account_id: str, state: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next refunds behind an id; empty filters let all through."""
        filters = (*matching(_REFUND.account_id, account_id), *matching(_REFUND.state, state), _REFUND.id > after)
        return await self._database.read(_REFUNDS.where(*filters).order_by(_REFUND.id).limit(limit))
