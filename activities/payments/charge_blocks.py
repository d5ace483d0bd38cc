"""The block list: what is never charged, in whose name and why, and until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select

from activities.database import Database
from models.tables.fraud.charges import ChargeBlockRow

# More than these are the newest of many.
LISTED_AT_MOST = 1000

_B = ChargeBlockRow


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

    async def listed(self, *, with_ended: bool) -> Sequence[Row[Any]]:
        """Return what is on the list, the newest first, and on demand what was."""
        found = select(
            _B.kind,
            _B.value,
            _B.blocked_at,
            _B.blocked_by,
            _B.blocked_because,
            _B.ends_at,
            _B.lifted_at,
            _B.lifted_by,
            _B.lifted_because,
        )
        if not with_ended:
            found = found.where(_B.lifted_at.is_(None), or_(_B.ends_at.is_(None), _B.ends_at > func.now()))
        return await self._database.read(found.order_by(_B.id.desc()).limit(LISTED_AT_MOST))
