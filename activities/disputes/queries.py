"""Disputes as the command line shows them: read only."""

from typing import Any

from sqlalchemy import Row, case, exists, func, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.tables.collecting import GatewayRequestRow
from models.tables.returns import DisputeRow
from models.tables.transactions import FinancialTransactionRow

# Few payments were moved or undone: of the others nothing has to be followed.
_OF = GatewayRequestRow.transaction_id
_HAS_SUCCESSOR = exists().where(FinancialTransactionRow.counterpart_id == _OF)
_PAYMENT = case((_HAS_SUCCESSOR, func.duly.standing_payment(_OF)), else_=_OF)
_DISPUTES = select(
    DisputeRow.id,
    DisputeRow.provider_id,
    DisputeRow.account_id,
    _PAYMENT.label("payment_id"),
    DisputeRow.amount_minor,
    DisputeRow.currency,
    DisputeRow.reason,
    DisputeRow.state,
    DisputeRow.status,
    DisputeRow.evidence_due_at,
    DisputeRow.has_evidence,
    DisputeRow.opened_at,
    DisputeRow.closed_at,
    DisputeRow.decisions,
).join(GatewayRequestRow, GatewayRequestRow.id == DisputeRow.request_id)
_LIST = NewestFirst(
    _DISPUTES,
    moment=DisputeRow.opened_at,
    key=DisputeRow.id,
    state=DisputeRow.state,
    amount=DisputeRow.amount_minor,
    currency=DisputeRow.currency,
)


class DisputeQueries:
    """Reads disputes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, dispute_id: str) -> Row[Any] | None:
        """Return one dispute, or None."""
        return await self._database.read_first(_DISPUTES.where(DisputeRow.id == dispute_id))

    async def page(self, page: ListPage, *, account_id: str, state: str) -> Listed:
        """Return a page of disputes, the newest first; empty filters let all through."""
        filters = (*matching(DisputeRow.account_id, account_id), *matching(DisputeRow.state, state))
        return await _LIST.page(self._database, page, *filters)
