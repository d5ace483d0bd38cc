"""Cards as the command line shows them. A token is nobody's business but the gateway's, so it is never shown."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, matching
from models.tables.configuration import CardRow, PaymentPreferenceRow

_CARDS = select(
    CardRow.id,
    CardRow.account_id,
    CardRow.provider_id,
    CardRow.state,
    CardRow.state_reason,
    CardRow.brand,
    CardRow.last4,
    CardRow.exp_month,
    CardRow.exp_year,
    CardRow.is_recurring,
    CardRow.fallback_order,
    CardRow.replaces_id,
    CardRow.created_at,
    CardRow.checked_at,
    CardRow.decisions,
    PaymentPreferenceRow.payment_method_id.label("method"),
    PaymentPreferenceRow.is_default.label("is_preferred"),
).join(PaymentPreferenceRow, PaymentPreferenceRow.id == CardRow.preference_id)


class CardQueries:
    """Reads cards."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, card_id: str) -> Row[Any] | None:
        """Return one card, or None."""
        return await self._database.read_first(_CARDS.where(CardRow.id == card_id))

    async def page(self, *, account_id: str, state: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next cards behind an id; empty filters let all through."""
        filters = (*matching(CardRow.account_id, account_id), *matching(CardRow.state, state), CardRow.id > after)
        return await self._database.read(_CARDS.where(*filters).order_by(CardRow.id).limit(limit))

    async def prefer(self, account_id: str, method: str) -> None:
        """Make a method the account's preferred one. Raises RuleBrokenError when it is none of its preferences."""
        await self._database.call("set_preferred_method", account_id=account_id, method=method)
