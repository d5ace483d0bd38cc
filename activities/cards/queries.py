"""Cards as the command line shows them. A token is nobody's business but the gateway's, so it is never shown."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database

_COLUMNS = """
    select c.id, c.account_id, c.provider_id, c.state, c.state_reason, c.brand, c.last4, c.exp_month, c.exp_year,
        c.is_recurring, c.fallback_order, c.replaces_id, c.created_at, c.checked_at, c.decisions,
        p.payment_method_id as method, p.is_default as is_preferred
    from duly.cards c join duly.payment_preferences p on p.id = c.preference_id
"""


class CardQueries:
    """Reads cards."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, card_id: str) -> Row[Any] | None:
        """Return one card, or None."""
        rows = await self._database.rows(f"{_COLUMNS} where c.id = :id", id=card_id)
        return rows[0] if rows else None

    async def page(self, *, account_id: str, state: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next cards behind an id; empty filters let all through."""
        return await self._database.rows(
            f"{_COLUMNS} where (:account = '' or c.account_id = :account) and (:state = '' or c.state = :state)"
            " and c.id > :after order by c.id limit :limit",
            account=account_id,
            state=state,
            after=after,
            limit=limit,
        )

    async def prefer(self, account_id: str, method: str) -> None:
        """Make a method the account's preferred one. Raises RuleBrokenError when it is none of its preferences."""
        await self._database.call("set_preferred_method", account_id=account_id, method=method)
