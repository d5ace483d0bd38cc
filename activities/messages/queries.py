"""The outbox as the command line reads it, and sending again what a person has decided about."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.database import Database

_COLUMNS = """
    select id, audience, kind, account_id, period, run_id, state, reason, decisions, created_at, queued_at, claimed_at,
        sent_at, parameters
    from duly.messages
"""


class MessageQueries:
    """Reads messages; none of them holds anything personal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, message_id: str) -> Row[Any] | None:
        """Return one message, or None."""
        rows = await self._database.rows(f"{_COLUMNS} where id = :id", id=message_id)
        return rows[0] if rows else None

    async def page(self, *, state: str, account_id: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next messages behind an id; empty filters let all through."""
        return await self._database.rows(
            f"{_COLUMNS} where (:state = '' or state = :state) and (:account = '' or account_id = :account)"
            " and id > :after order by id limit :limit",
            state=state,
            account=account_id,
            after=after,
            limit=limit,
        )

    async def resend(self, message_id: str, *, actor: str, reason: str) -> None:
        """Queue a message again. Raises RuleBrokenError: it is not there, was sent, or is being sent just now."""
        await self._database.call("resend_message", id=message_id, actor=actor, reason=reason)
