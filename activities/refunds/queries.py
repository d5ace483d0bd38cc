"""Refunds through the gateway as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, case, exists, func, select
from sqlalchemy.orm import aliased

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst, of_word
from models.listing import ListPage
from models.operations.payment_states import REFUND
from models.tables.collecting import GatewayRequestRow
from models.tables.transactions import FinancialTransactionRow

_REFUND = aliased(GatewayRequestRow, name="refund")
_PAYMENT = aliased(GatewayRequestRow, name="payment")

# Few payments were moved or undone: of the others nothing has to be followed.
_HAS_SUCCESSOR = exists().where(FinancialTransactionRow.counterpart_id == _PAYMENT.transaction_id)
_STANDING = case((_HAS_SUCCESSOR, func.duly.standing_payment(_PAYMENT.transaction_id)), else_=_PAYMENT.transaction_id)
_REFUNDS = (
    select(
        _REFUND.id,
        _REFUND.kind,
        _REFUND.provider_id,
        _REFUND.account_id,
        _STANDING.label("payment_id"),
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
    )
    # By the index of requests that are of another one.
    .where(_REFUND.of_request_id.is_not(None))
    .join(_PAYMENT, _PAYMENT.id == _REFUND.of_request_id)
)
_LIST = NewestFirst(
    _REFUNDS,
    moment=_REFUND.created_at,
    key=_REFUND.id,
    state=_REFUND.state,
    amount=_REFUND.amount_minor,
    currency=_REFUND.currency,
)


class RefundQueries:
    """Reads refunds and payment cancellations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, refund_id: str) -> Row[Any] | None:
        """Return one refund, or None."""
        return await self._database.read_first(_REFUNDS.where(_REFUND.id == refund_id))

    async def chosen(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        """Return the refunds that somebody has chosen, the newest first."""
        return await _LIST.chosen(self._database, ids)

    async def page(self, page: ListPage, *, account_id: str, state: str) -> Listed:
        """Return a page of refunds, the newest first; empty filters let all through."""
        filters = (*matching(_REFUND.account_id, account_id), *of_word(_REFUND.state, REFUND, state))
        return await _LIST.page(self._database, page, *filters)
