"""The block list: what is never charged, in whose name and why, and until when."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.tables.fraud.charges import ChargeBlockRow

_B = ChargeBlockRow
# The end counts although nobody has taken it off, and a taking off although the end has come since.
_STATE = case((_B.lifted_at.is_not(None), "lifted"), (_B.ends_at <= func.now(), "ended"), else_="in_force")
_LIST = NewestFirst(
    select(
        _B.id,
        _B.kind,
        _B.value,
        _STATE.label("state"),
        _B.blocked_at,
        _B.blocked_by,
        _B.blocked_because,
        _B.ends_at,
        _B.lifted_at,
        _B.lifted_by,
        _B.lifted_because,
    ),
    moment=_B.blocked_at,
    key=_B.id,
    state=_STATE,
)


class ChargeBlocks:
    """Keeps the block list, and reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def block(
        self, kind: str, value: str, *, ends_at: datetime | None, actor: str, reason: str
    ) -> dict[str, Any]:
        """Put something on the list; `is_new` is false where it is there already. Raises RuleBrokenError."""
        added: dict[str, Any] = await self._database.call(
            "block_charges", kind=kind, value=value, ends_at=ends_at, actor=actor, reason=reason
        )
        return added

    async def unblock(self, kind: str, value: str, *, actor: str, reason: str) -> dict[str, Any]:
        """Take something off the list; `was_blocked` is false where it was not there. Raises RuleBrokenError."""
        lifted: dict[str, Any] = await self._database.call(
            "unblock_charges", kind=kind, value=value, actor=actor, reason=reason
        )
        return lifted

    async def page(self, page: ListPage, *, state: str) -> Listed:
        """Return a page of the list and of what was on it, the newest first; an empty state lets all through."""
        return await _LIST.page(self._database, page, *matching(_STATE, state))
