"""Charges that a rule holds for a person: what waits, and releasing it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, exists, select

from activities.database import Database
from models.tables.collecting import CollectionRow, GatewayRequestRow
from models.tables.fraud.charges import ChargeHoldRow

# More than these are the newest of many.
LISTED_AT_MOST = 1000

_H = ChargeHoldRow


class ChargeHolds:
    """Reads what is held, and releases it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def release(
        self, account_id: str, period: str, amount_minor: int | None, *, actor: str, reason: str
    ) -> dict[str, Any]:
        """Release a receivable for the amount that is held, in minor units; None: the one there is.

        `was_so`: somebody has before. Raises RuleBrokenError: nothing is held, or several amounts are.
        """
        released: dict[str, Any] = await self._database.call(
            "release_hold", account_id=account_id, period=period, amount=amount_minor, actor=actor, reason=reason
        )
        return released

    async def listed(self, *, with_ended: bool) -> Sequence[Row[Any]]:
        """Return what waits, the newest first, amounts in minor units; on demand what was released or is over too."""
        found = select(
            _H.account_id,
            _H.period,
            _H.amount_minor,
            _H.currency,
            _H.provider_id,
            _H.run_id,
            _H.rule_id,
            _H.because,
            _H.held_at,
            _H.released_at,
            _H.released_by,
            _H.released_because,
        )
        if not with_ended:
            closed = exists().where(
                CollectionRow.account_id == _H.account_id,
                CollectionRow.period == _H.period,
                CollectionRow.closed_at.is_not(None),
            )
            paid = exists().where(
                and_(GatewayRequestRow.account_id == _H.account_id, GatewayRequestRow.period == _H.period),
                GatewayRequestRow.kind == "payment",
                GatewayRequestRow.state == "posted",
            )
            found = found.where(_H.released_at.is_(None), ~closed, ~paid)
        return await self._database.read(found.order_by(_H.id.desc()).limit(LISTED_AT_MOST))
