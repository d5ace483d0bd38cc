"""Reductions as the command line shows them: read only."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.gateway.gateway_request import RequestState
from models.listing import ListPage
from models.reductions.reduction import PAID, ReductionState
from models.tables.collecting import GatewayRequestRow
from models.tables.returns import ReductionPartRow, ReductionRow

# What has reached the customer: parts whose refund was paid, or that are credited.
_PAID_MINOR = (
    select(func.coalesce(func.sum(ReductionPartRow.amount_minor), 0))
    .outerjoin(GatewayRequestRow, GatewayRequestRow.id == ReductionPartRow.request_id)
    .where(
        ReductionPartRow.award_id == ReductionRow.award_id,
        ReductionPartRow.undone_by.is_(None),
        or_(ReductionPartRow.request_id.is_(None), GatewayRequestRow.state == RequestState.POSTED),
    )
    .correlate(ReductionRow)
    .scalar_subquery()
)
# As the workflow shows it: `paid` while a bank may still send back what has reached the customer.
_STATE: ColumnElement[str] = case(
    (and_(ReductionRow.state == ReductionState.REFUNDING, ReductionRow.amount_minor == _PAID_MINOR), PAID),
    else_=ReductionRow.state,
)

_REDUCTIONS = select(
    ReductionRow.award_id.label("id"),
    ReductionRow.merchant_id,
    ReductionRow.account_id,
    ReductionRow.payment_id,
    ReductionRow.amount_minor,
    ReductionRow.currency,
    _STATE.label("state"),
    ReductionRow.reason,
    ReductionRow.awarded_at,
    ReductionRow.closed_at,
    ReductionRow.decisions,
)
_LIST = NewestFirst(
    _REDUCTIONS,
    moment=ReductionRow.awarded_at,
    key=ReductionRow.award_id,
    state=_STATE,
    amount=ReductionRow.amount_minor,
    currency=ReductionRow.currency,
)


class ReductionQueries:
    """Reads reductions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, page: ListPage, *, account_id: str, merchant_id: str, state: str) -> Listed:
        """Return a page of reductions, the newest first; empty filters let all through."""
        filters = (
            *matching(ReductionRow.account_id, account_id),
            *matching(ReductionRow.merchant_id, merchant_id),
            *((state == _STATE,) if state else ()),
        )
        return await _LIST.page(self._database, page, *filters)

    async def decisions(self, award_id: str) -> Sequence[str]:
        """Return what was decided about a reduction."""
        (found,) = await self._database.read(select(ReductionRow.decisions).where(ReductionRow.award_id == award_id))
        return list(found.decisions)
