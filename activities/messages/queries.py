"""The outbox as the command line reads it, and sending again what a person has decided about."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, matching
from models.tables.messages import MessageRow

_MESSAGES = select(
    MessageRow.id,
    MessageRow.audience,
    MessageRow.kind,
    MessageRow.account_id,
    MessageRow.period,
    MessageRow.run_id,
    MessageRow.state,
    MessageRow.reason,
    MessageRow.decisions,
    MessageRow.created_at,
    MessageRow.queued_at,
    MessageRow.claimed_at,
    MessageRow.sent_at,
    MessageRow.parameters,
)


class MessageQueries:
    """Reads messages; none of them holds anything personal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, message_id: str) -> Row[Any] | None:
        """Return one message, or None."""
        return await self._database.read_first(_MESSAGES.where(MessageRow.id == message_id))

    async def page(self, *, state: str, account_id: str, after: str, limit: int) -> Sequence[Row[Any]]:
        """Return the next messages behind an id; empty filters let all through."""
        filters = (*matching(MessageRow.state, state), *matching(MessageRow.account_id, account_id))
        page = _MESSAGES.where(*filters, MessageRow.id > after).order_by(MessageRow.id).limit(limit)
        return await self._database.read(page)

    async def resend(self, message_id: str, *, actor: str, reason: str) -> None:
        """Queue a message again. Raises RuleBrokenError: it is not there, was sent, or is being sent just now."""
        await self._database.call("resend_message", id=message_id, actor=actor, reason=reason)
