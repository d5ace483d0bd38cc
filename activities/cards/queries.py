"""Cards as the command line shows them. A token is nobody's business but the gateway's, so it is never shown."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.cards.card import CardState
from models.listing import ListPage
from models.payments.preference import preference_number
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
    PaymentPreferenceRow.number.label("preference"),
).join(PaymentPreferenceRow, PaymentPreferenceRow.id == CardRow.preference_id)
_LIST = NewestFirst(_CARDS, moment=CardRow.created_at, key=CardRow.id, state=CardRow.state)


class CardQueries:
    """Reads cards."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, card_id: str) -> Row[Any] | None:
        """Return one card, or None."""
        return await self._database.read_first(_CARDS.where(CardRow.id == card_id))

    async def page(self, page: ListPage, *, account_id: str, state: str) -> Listed:
        """Return a page of cards, the newest first; empty filters let all through."""
        filters = (*matching(CardRow.account_id, account_id), *matching(CardRow.state, state))
        return await _LIST.page(self._database, page, *filters)

    async def behind(self, card_id: str, *, account_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next active cards behind an id, in the order of their ids."""
        active = CardRow.state == CardState.ACTIVE
        filters = (*matching(CardRow.account_id, account_id), active, CardRow.id > card_id)
        return await self._database.read(_CARDS.where(*filters).order_by(CardRow.id).limit(limit))

    async def prefer(self, account_id: str, method: str, *, actor: str, reason: str) -> str:
        """Let an account pay by a method from now on; return the number of its preference. Raises RuleBrokenError."""
        await self._database.call(
            "set_preferred_method", account_id=account_id, method=method, actor=actor, reason=reason
        )
        row = PaymentPreferenceRow
        found = await self._database.read_first(select(row.number).where(row.account_id == account_id, row.is_default))
        return preference_number(found.number) if found else ""
