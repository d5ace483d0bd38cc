"""Collections as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, and_, cast, func, or_, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst, of_word
from models.collections.collection_start import Collectable
from models.gateway.gateway_request import RequestKind
from models.ledger.transaction import Side
from models.listing import ListPage
from models.operations.payment_states import COLLECTION
from models.tables.collecting import CollectionRow, GatewayAttemptRow, GatewayRequestRow, PaymentRequestRow
from models.tables.configuration import CardRow
from models.tables.console.lists import CollectionAssigneeRow
from models.tables.ledger import OpenItemRow
from models.tables.operations import UserRow

_ASSIGNED = CollectionAssigneeRow
# Who is disabled, may do nothing, or sees no list of collections looks after none, whatever was given to them before.
_CANNOT = or_(UserRow.state != "active", UserRow.role == "viewer", func.cardinality(UserRow.merchants) > 0)
_AWAY = select(UserRow.id).where(_CANNOT)
# Words of the filter that are no users' names (`users add` refuses them).
NOBODY, AWAY = "nobody", "away"

# What is open now of what a collection brings in, of an amount that was asked for at most that.
_OPEN = (
    select(func.coalesce(func.sum(OpenItemRow.amount_minor - OpenItemRow.allocated_minor), 0))
    .where(OpenItemRow.transaction_id == func.any(CollectionRow.invoices), OpenItemRow.side == Side.DEBIT)
    .correlate(CollectionRow)
    .scalar_subquery()
)
# What is asked for by a link has a claim like a collection, and is listed among payment requests. It is asked of each
# row, in the order of the list: of `not exists` PostgreSQL makes a join of both tables, all of which it would sort.
_REQUESTED = (
    select(func.count())
    .where(PaymentRequestRow.account_id == CollectionRow.account_id, PaymentRequestRow.period == CollectionRow.period)
    .correlate(CollectionRow)
    .scalar_subquery()
)
_COLLECTIONS = (
    select(
        CollectionRow.account_id,
        CollectionRow.period,
        CollectionRow.stage,
        CollectionRow.reason,
        CollectionRow.action,
        CollectionRow.provider_id,
        CollectionRow.run_id,
        CollectionRow.amount_minor,
        cast(func.least(CollectionRow.asked_minor, _OPEN), BigInteger).label("open_minor"),
        CollectionRow.currency,
        CollectionRow.invoices,
        CollectionRow.policy_id,
        CollectionRow.policy_version,
        CollectionRow.opened_at,
        CollectionRow.closed_at,
        GatewayRequestRow.id.label("request_id"),
        GatewayRequestRow.state.label("request_state"),
        func.coalesce(_ASSIGNED.user_id, "").label("assigned_to"),
        func.coalesce(_ASSIGNED.user_id.in_(_AWAY), False).label("assignee_is_away"),  # a value of SQL
        # The bank's reason where there is one, else the gateway's.
        func.coalesce(func.nullif(GatewayRequestRow.error_description, ""), GatewayRequestRow.error_code).label(
            "decline_code"
        ),
    )
    .outerjoin(
        GatewayRequestRow,
        and_(
            GatewayRequestRow.account_id == CollectionRow.account_id,
            GatewayRequestRow.period == CollectionRow.period,
            GatewayRequestRow.kind == RequestKind.PAYMENT,
        ),
    )
    .outerjoin(
        _ASSIGNED,
        and_(_ASSIGNED.account_id == CollectionRow.account_id, _ASSIGNED.period == CollectionRow.period),
    )
    .where(_REQUESTED == 0)
)


def _of_key(key: str) -> ColumnElement[bool]:
    """Find a collection by account and period, which no account's id has a slash behind."""
    account_id, _, period = key.rpartition("/")
    return and_(CollectionRow.account_id == account_id, CollectionRow.period == period)


_LIST = NewestFirst(
    _COLLECTIONS,
    moment=CollectionRow.opened_at,
    key=CollectionRow.account_id + "/" + CollectionRow.period,
    state=CollectionRow.stage,
    amount=CollectionRow.amount_minor,
    currency=CollectionRow.currency,
    of_key=_of_key,
)

_ATTEMPTS = (
    select(
        GatewayAttemptRow.attempt,
        GatewayAttemptRow.cause,
        GatewayAttemptRow.amount_minor,
        CardRow.brand,
        CardRow.last4,
        GatewayAttemptRow.outcome,
        GatewayAttemptRow.gateway_reference,
        GatewayAttemptRow.code,
        GatewayAttemptRow.decline_code,
        GatewayAttemptRow.advice_code,
        GatewayAttemptRow.started_at,
        GatewayAttemptRow.finished_at,
        GatewayAttemptRow.idempotency_key,
    )
    .join(CardRow, CardRow.id == GatewayAttemptRow.card_id)
    .order_by(GatewayAttemptRow.attempt)
)

# Text, for it calls the function that chooses the card as a charge does.
_COLLECTABLE = """
    select a.id as account_id, a.state, a.currency,
        coalesce((select sum(greatest(o.amount_minor - o.allocated_minor - coalesce(w.claimed_minor, 0), 0))
            from duly.open_items o
            left join (select invoice_id, sum(amount_minor) as claimed_minor, bool_or(amount_minor is null) as has_owner
                from duly.owned_invoices where account_id = :account group by invoice_id) w
                on w.invoice_id = o.transaction_id
            where o.account_id = a.id and o.side = 'debit' and o.allocated_minor < o.amount_minor
              and w.has_owner is not true), 0)::bigint as free_minor,
        (duly.chargeable_card(a.id, :provider)).id is not null as has_card,
        exists (select from duly.gateway_customers g where g.account_id = a.id and g.provider_id = :provider)
            as has_customer,
        (select c.minimum_minor from duly.provider_currencies c
            where c.provider_id = :provider and c.currency = a.currency) as minimum_minor,
        exists (select from duly.providers p where p.id = :provider and p.state = 'effective') as is_provider_effective,
        exists (select from duly.collections c where c.account_id = a.id and c.period = :period
            and (c.closed_at is null or c.reason <> 'cancelled')) as is_collected,
        (select r.state from duly.gateway_requests r
            where r.account_id = a.id and r.period = :period and r.kind = 'payment'
              and not (r.state = 'rejected' and r.error_code = 'cancelled')) as request_state,
        duly.free_name(a.id, :period) as free_name
    from duly.accounts a where a.id = :account
"""


def _assigned(to: str) -> tuple[ColumnElement[bool], ...]:
    """Return the filter of who looks after a collection; "" lets everything through."""
    if to == NOBODY:
        return (_ASSIGNED.user_id.is_(None),)
    return (_ASSIGNED.user_id.in_(_AWAY),) if to == AWAY else matching(_ASSIGNED.user_id, to)


def assigned_to_nobody_here() -> tuple[ColumnElement[bool], ...]:
    """Return the filters of open collections whose user cannot look after them any more, for a query of collections."""
    is_its = (_ASSIGNED.account_id == CollectionRow.account_id) & (_ASSIGNED.period == CollectionRow.period)
    return (is_its, _ASSIGNED.user_id.in_(_AWAY), CollectionRow.closed_at.is_(None))


class CollectionQueries:
    """Reads collections and their attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account_id: str, period: str) -> Row[Any] | None:
        """Return one collection, or None."""
        return await self._database.read_first(
            _COLLECTIONS.where(CollectionRow.account_id == account_id, CollectionRow.period == period)
        )

    async def chosen(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        """Return the collections that somebody has chosen, the newest first."""
        return await _LIST.chosen(self._database, ids)

    async def page(
        self, page: ListPage, *, state: str, run_id: str, account_id: str = "", assigned_to: str = ""
    ) -> Listed:
        """Return a page of collections, the newest first; empty filters let all through.

        `assigned_to` is a user, `nobody`, or `away`: somebody who cannot look after it any more.
        """
        filters = (
            *of_word(CollectionRow.stage, COLLECTION, state),
            *matching(CollectionRow.run_id, run_id),
            *matching(CollectionRow.account_id, account_id),
            *_assigned(assigned_to),
        )
        return await _LIST.page(self._database, page, *filters)

    async def assign(self, account_id: str, period: str, user_id: str, *, actor: str, seen: str = "") -> None:
        """Let a user look after a collection; "" nobody any more. RuleBrokenError: also unless it is as `seen`."""
        await self._database.call(
            "assign_collection", account_id=account_id, period=period, user_id=user_id, actor=actor, seen=seen
        )

    async def attempts(self, request_id: str) -> Sequence[Row[Any]]:
        """Return the attempts of a gateway request in order."""
        return await self._database.read(_ATTEMPTS.where(GatewayAttemptRow.request_id == request_id))

    async def collectable(self, account_id: str, period: str, provider: str) -> Collectable | None:
        """Return what is known of an account before collecting from it, or None when there is no such account."""
        rows = await self._database.rows(_COLLECTABLE, account=account_id, period=period, provider=provider)
        return Collectable(**dict(rows[0]._mapping)) if rows else None  # noqa: SLF001  # SQLAlchemy's public name
