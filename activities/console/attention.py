"""What needs a person, counted in one statement by indices of what is open; and what moved through gateways."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, literal, select, union_all

from activities.collections.queries import assigned_to_nobody_here
from activities.console.mass_actions import NEEDS_PERSON
from activities.database import Database
from activities.expectations import IS_OVERDUE
from models.gateway.events import EventState
from models.gateway.gateway_request import RequestKind, RequestState
from models.ledger.account import AccountKind
from models.ledger.transaction import Side
from models.messages.message import MessageState
from models.recovery.recovery import SendingState
from models.tables.accounts import AccountRow
from models.tables.collecting import GatewayEventRow, GatewayRequestRow
from models.tables.console.lists import CollectionAssigneeRow, MassActionRow
from models.tables.ledger import OpenItemRow
from models.tables.messages import MessageRow
from models.tables.movements import GatewayExpectationRow
from models.tables.operations import ApprovalRow, SendingRow
from models.tables.reconciliation import DiscrepancyRow
from models.tables.returns import DisputeRow

# More are "more than 1,000": whoever has so many needs no number.
COUNTED_AT_MOST = 1001
_SOON = func.now() + func.make_interval(0, 0, 0, 3)


def _waiting(what: str, moment: Any, *filters: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    inner = select(moment.label("since")).where(*filters).limit(COUNTED_AT_MOST).subquery()
    return select(literal(what).label("what"), func.count().label("waiting"), func.min(inner.c.since).label("since"))


def _suspense() -> Select[*tuple[Any, ...]]:
    inner = (
        select(OpenItemRow.transaction_id)
        .join(AccountRow, AccountRow.id == OpenItemRow.account_id)
        .where(
            AccountRow.kind == AccountKind.SUSPENSE,
            OpenItemRow.side == Side.CREDIT,
            OpenItemRow.allocated_minor < OpenItemRow.amount_minor,
        )
        .limit(COUNTED_AT_MOST)
        .subquery()
    )
    none = literal(None, DiscrepancyRow.first_seen_at.type)
    return select(literal("suspense").label("what"), func.count().label("waiting"), none.label("since")).select_from(
        inner
    )


_Q, _X, _E, _M = GatewayRequestRow, GatewayExpectationRow, GatewayEventRow, MessageRow
_IS_PAYMENT = _Q.kind == RequestKind.PAYMENT
_GIVES_BACK = _Q.kind.in_((RequestKind.REFUND, RequestKind.PAYMENT_CANCELLATION))
_ATTENTION = union_all(
    _waiting("unknown_payments", _Q.created_at, _Q.state == RequestState.UNKNOWN, _IS_PAYMENT),
    _waiting("unknown_refunds", _Q.created_at, _Q.state == RequestState.UNKNOWN, _GIVES_BACK),
    _waiting("discrepancies", DiscrepancyRow.first_seen_at, DiscrepancyRow.state == "open"),
    _waiting(
        "disputes",
        DisputeRow.opened_at,
        DisputeRow.closed_at.is_(None),
        DisputeRow.has_evidence.is_(False),
        DisputeRow.evidence_due_at < _SOON,
    ),
    _waiting("approvals", ApprovalRow.asked_at, ApprovalRow.state == "waiting", ApprovalRow.expires_at > func.now()),
    _suspense(),
    _waiting("failed_messages", _M.created_at, _M.state == MessageState.FAILED),
    _waiting("events", _E.created_at, _E.state == EventState.NEEDS_REVIEW),
    _waiting("movements", _X.overdue_at, IS_OVERDUE),
    _waiting("assigned_away", CollectionAssigneeRow.assigned_at, *assigned_to_nobody_here()),
    _waiting("mass_actions", MassActionRow.begun_at, *NEEDS_PERSON),
    _waiting("sending", literal(None, _Q.created_at.type), SendingRow.state != SendingState.OPEN),
)

_HAS_MOVED = _Q.state.in_((RequestState.POSTED, RequestState.REVERSED))
_DIRECTION = case((_IS_PAYMENT, "in"), else_="out")


class Attention:
    """Reads what the first page shows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self) -> Sequence[Row[Any]]:
        """Return what waits for a person: `what`, how many are `waiting`, and since when the oldest does."""
        async with self._database.connection() as connection:
            return (await connection.execute(_ATTENTION)).all()

    async def moved(self, since: datetime, until: datetime) -> Sequence[Row[Any]]:
        """Return what gateways took in and gave back of what was asked of them in a stretch of time, by currency."""
        return await self._database.read(
            select(
                _DIRECTION.label("direction"),
                _Q.currency,
                func.count().label("count"),
                func.sum(_Q.amount_minor).label("amount_minor"),
            )
            .where(_Q.created_at >= since, _Q.created_at < until, _HAS_MOVED, _IS_PAYMENT | _GIVES_BACK)
            .group_by(_DIRECTION, _Q.currency)
            .order_by(_Q.currency, _DIRECTION)
        )
