"""Accounts as the command line shows them: read only, by key or page by page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database

_ACCOUNT = """
    select a.id, a.kind, a.owner_name, a.currency, a.state, a.time_zone, a.locale, a.email, a.owner_reference,
        a.credit_limit_minor, a.credit_period_days, a.due_date_rule_id, a.region, a.segment, a.created_at,
        b.balance_minor
    from duly.accounts a join duly.account_balances b on b.account_id = a.id
"""


class AccountQueries:
    """Reads accounts and what belongs to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account_id: str) -> Row[Any] | None:
        """Return one account, or None."""
        rows = await self._database.rows(f"{_ACCOUNT} where a.id = :id", id=account_id)
        return rows[0] if rows else None

    async def page(self, *, after: str, limit: int, state: str) -> Sequence[Row[Any]]:
        """Return the next accounts behind an id, in order of their ids; an empty state means every state."""
        return await self._database.rows(
            f"{_ACCOUNT} where a.id > :after and (:state = '' or a.state = :state) and a.kind = 'customer'"
            " order by a.id limit :limit",
            after=after,
            state=state,
            limit=limit,
        )

    async def subscriptions(self, account_id: str) -> Sequence[Row[Any]]:
        """Return what an account buys."""
        return await self._database.rows(
            "select s.id, s.product_id, p.name, s.price_minor, s.currency, s.quantity, s.billing_day, s.starts_on,"
            " s.ends_on from duly.subscriptions s join duly.products p on p.id = s.product_id"
            " where s.account_id = :id order by s.id",
            id=account_id,
        )

    async def cards(self, account_id: str) -> Sequence[Row[Any]]:
        """Return an account's cards in the order in which they are charged."""
        return await self._database.rows(
            "select id, provider_id, brand, last4, exp_month, exp_year, is_recurring, fallback_order, state,"
            " state_reason from duly.cards where account_id = :id order by fallback_order, id",
            id=account_id,
        )

    async def customers(self, account_id: str) -> Sequence[Row[Any]]:
        """Return the gateways' customers of an account (G7, G8)."""
        return await self._database.rows(
            "select provider_id, customer_reference from duly.gateway_customers where account_id = :id", id=account_id
        )

    async def unsettled(self, account_id: str) -> Sequence[Row[Any]]:
        """Return the invoices that somebody still has to pay, earliest due first."""
        return await self._database.rows("select * from duly.unsettled_invoices(:id)", id=account_id)

    async def payments(self, account_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return the latest payment requests to a gateway, newest first."""
        return await self._database.rows(
            "select id, period, state, amount_minor, currency, gateway_reference, error_code, error_description,"
            " created_at from duly.gateway_requests where account_id = :id and kind = 'payment'"
            " order by created_at desc limit :limit",
            id=account_id,
            limit=limit,
        )
