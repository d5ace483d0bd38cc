"""Collections as the command line shows them: read only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database
from models.collections.collection_start import Collectable

_COLLECTION = """
    select c.account_id, c.period, c.stage, c.reason, c.action, c.provider_id, c.run_id, c.amount_minor, c.currency,
        c.invoices, c.policy_id, c.policy_version, c.opened_at, c.closed_at, r.id as request_id,
        r.state as request_state
    from duly.collections c
    left join duly.gateway_requests r
        on r.account_id = c.account_id and r.period = c.period and r.kind = 'payment'
"""

_COLLECTABLE = """
    select a.id as account_id, a.state, a.currency,
        coalesce((select sum(o.amount_minor - o.allocated_minor) from duly.open_items o
            where o.account_id = a.id and o.side = 'debit' and o.allocated_minor < o.amount_minor
              and not exists (select from duly.owned_invoices w where w.invoice_id = o.transaction_id)), 0)::bigint
            as free_minor,
        (duly.chargeable_card(a.id, :provider)).id is not null as has_card,
        exists (select from duly.gateway_customers g where g.account_id = a.id and g.provider_id = :provider)
            as has_customer,
        (select c.minimum_minor from duly.provider_currencies c
            where c.provider_id = :provider and c.currency = a.currency) as minimum_minor,
        exists (select from duly.providers p where p.id = :provider and p.state = 'effective') as is_provider_effective,
        exists (select from duly.collections c where c.account_id = a.id and c.period = :period) as is_collected,
        (select r.state from duly.gateway_requests r
            where r.account_id = a.id and r.period = :period and r.kind = 'payment') as request_state
    from duly.accounts a where a.id = :account
"""


class CollectionQueries:
    """Reads collections and their attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account_id: str, period: str) -> Row[Any] | None:
        """Return one collection, or None."""
        rows = await self._database.rows(
            f"{_COLLECTION} where c.account_id = :account and c.period = :period", account=account_id, period=period
        )
        return rows[0] if rows else None

    async def page(self, *, stage: str, run_id: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next collections behind `account/period`, in that order; empty filters let all through."""
        return await self._database.rows(
            f"{_COLLECTION} where (:stage = '' or c.stage = :stage) and (:run = '' or c.run_id = :run)"
            " and (c.account_id, c.period) > (:account, :period) order by c.account_id, c.period limit :limit",
            stage=stage,
            run=run_id,
            account=after.rpartition("/")[0],
            period=after.rpartition("/")[2],
            limit=limit,
        )

    async def attempts(self, request_id: str) -> Sequence[Row[Any]]:
        """Return the attempts of a gateway request in order."""
        return await self._database.rows(
            "select a.attempt, a.cause, a.amount_minor, c.brand, c.last4, a.outcome, a.gateway_reference, a.code,"
            " a.decline_code, a.advice_code, a.started_at, a.finished_at, a.idempotency_key"
            " from duly.gateway_attempts a join duly.cards c on c.id = a.card_id"
            " where a.request_id = :id order by a.attempt",
            id=request_id,
        )

    async def collectable(self, account_id: str, period: str, provider: str) -> Collectable | None:
        """Return what is known of an account before collecting from it, or None when there is no such account."""
        rows = await self._database.rows(_COLLECTABLE, account=account_id, period=period, provider=provider)
        return Collectable(**dict(rows[0]._mapping)) if rows else None  # noqa: SLF001  # SQLAlchemy's public name
