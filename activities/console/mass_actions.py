"""Mass actions of the console: what is to be done to each object, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database
from models.tables.console.lists import MassActionItemRow, MassActionRow


class MassActions:
    """Keeps mass actions, and reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, key: str, *, user_id: str, action: str, reason: str, fields: Mapping[str, str], subjects: Sequence[str]
    ) -> bool:
        """Keep a mass action before its work; False: it was sent before. Raises RuleBrokenError (form_is_one)."""
        return bool(
            await self._database.call(
                "begin_mass_action",
                key=key,
                user_id=user_id,
                action=action,
                reason=reason,
                fields=dict(fields),
                subjects=list(subjects),
            )
        )

    async def take(self, key: str, user_id: str) -> bool:
        """Take over what has stopped, or what nobody has carried on with for two minutes; False: it is none such."""
        return bool(await self._database.call("take_mass_action", key=key, user_id=user_id))

    async def find(self, key: str, user_id: str) -> Row[Any] | None:
        """Return a mass action that somebody began, or None."""
        row = MassActionRow
        return await self._database.read_first(
            select(
                *(row.key, row.action, row.reason, row.fields, row.begun_at, row.active_at, row.ended_at),
                row.stopped_because,
            ).where(row.key == key, row.user_id == user_id)
        )

    async def items(self, key: str) -> Sequence[Row[Any]]:
        """Return its objects in their order, with what became of each."""
        row = MassActionItemRow
        return await self._database.read(
            select(row.position, row.subject, row.outcome, row.answer, row.ended_at)
            .where(row.key == key)
            .order_by(row.position)
        )

    async def end_item(self, key: str, position: int, outcome: str, answer: str) -> None:
        """Keep what became of an object: done, waiting (for another person), refused, or failed (nobody knows)."""
        await self._database.call("end_mass_item", key=key, position=position, outcome=outcome, answer=answer)

    async def stop(self, key: str, because: str) -> None:
        """Leave the rest, and say why."""
        await self._database.call("stop_mass_action", key=key, because=because)
