"""Which providers there are: what a start that names one is held against."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from temporalio import activity

from activities.database import Database
from models.tables.configuration import ProviderRow


class ProviderActivities:
    """Reads the configured providers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.configured_providers]

    @activity.defn
    async def configured_providers(self) -> list[str]:
        """Return the id of every provider, effective or not."""
        rows = await self._database.read(select(ProviderRow.id).order_by(ProviderRow.id))
        return [row.id for row in rows]
