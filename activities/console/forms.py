"""Forms of the console that were sent: each is carried out once, by its key."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database
from models.tables.operations import ConsoleFormRow


@dataclass(frozen=True)
class SentForm:
    """What became of a form that was sent before: begun, done or failed, and what was answered."""

    outcome: str
    answer: str


class ConsoleForms:
    """Keeps forms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str, *, user_id: str, action: str, subject: str) -> SentForm | None:
        """Keep a form before its work; return what became of it if it was sent before. Raises RuleBrokenError."""
        found = await self._database.call("begin_form", key=key, user_id=user_id, action=action, subject=subject)
        return SentForm(**found) if found else None

    async def find(self, key: str, user_id: str) -> Row[Any] | None:
        """Return a form that somebody sent, or None."""
        row = ConsoleFormRow
        found = select(row.action, row.subject, row.outcome, row.answer, row.sent_at)
        return await self._database.read_first(found.where(row.key == key, row.user_id == user_id))

    async def end(self, key: str, outcome: str, answer: str) -> None:
        """Keep what became of a form; one that was refused may be sent again."""
        await self._database.call("end_form", key=key, outcome=outcome, answer=answer)
