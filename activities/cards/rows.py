"""Stored cards: read and changed without the gateway."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from temporalio import activity

from activities.database import Database, RuleBrokenError
from models.cards.card import Card, CardChange
from models.tables.collecting import CollectionRow
from models.tables.configuration import ProviderRow

_CARD = TypeAdapter(Card)


class CardRowActivities:
    """Activities of a card's workflow that need the database alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.load_card, self.change_card, self.require_effective_provider, self.waiting_periods]

    @activity.defn
    async def load_card(self, card_id: str) -> Card:
        """Read a stored card. Raises RuleBrokenError when there is none."""
        return await change_card(self._database, CardChange(card_id))

    @activity.defn
    async def change_card(self, change: CardChange) -> Card:
        """Change a stored card. Raises RuleBrokenError when it is not in use any more."""
        return await change_card(self._database, change)

    @activity.defn
    async def require_effective_provider(self, provider: str) -> None:
        """Raise RuleBrokenError (provider_effective) when nothing new may be asked of a provider."""
        is_effective = select(ProviderRow.id).where(ProviderRow.id == provider, ProviderRow.state == "effective")
        if not await self._database.read(is_effective):
            problem = f"provider: {provider} is not effective, nothing new is asked of it"
            raise RuleBrokenError("provider_effective", problem)

    @activity.defn
    async def waiting_periods(self, account_id: str) -> list[str]:
        """Return the periods whose collections are open: they are signalled when a card changes."""
        row = CollectionRow
        waiting = select(row.period).where(row.account_id == account_id, row.closed_at.is_(None)).order_by(row.period)
        return [found.period for found in await self._database.read(waiting)]


async def change_card(database: Database, change: CardChange) -> Card:
    """Change a stored card, or only read it when nothing is to change."""
    return _CARD.validate_python(
        await database.call(
            "change_card",
            card_id=change.card_id,
            state=change.state,
            reason=change.reason,
            is_recurring=change.is_recurring,
            is_default=change.is_default,
            actor=change.actor,
        )
    )
