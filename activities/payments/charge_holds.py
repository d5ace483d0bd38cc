"""Charges that a rule holds for a person: what waits, and releasing it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, case, exists, func, or_, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.tables.collecting import CollectionRow, GatewayRequestRow, PaymentRequestRow
from models.tables.fraud.charges import ChargeHoldRow

SHOWN_AT_MOST = 12

_H = ChargeHoldRow
_IS_COLLECTED = exists().where(CollectionRow.account_id == _H.account_id, CollectionRow.period == _H.period)
_IS_CLOSED = _IS_COLLECTED.where(CollectionRow.closed_at.is_not(None))
_IS_PAID = exists().where(
    and_(GatewayRequestRow.account_id == _H.account_id, GatewayRequestRow.period == _H.period),
    GatewayRequestRow.kind == "payment",
    GatewayRequestRow.state == "posted",
)
_IS_ASKED_NO_MORE = exists().where(
    and_(PaymentRequestRow.account_id == _H.account_id, PaymentRequestRow.period == _H.period),
    PaymentRequestRow.closed_at.is_not(None),
)
# Its time is over, or another amount is owed: the next look judges it anew, so that it waits for nobody.
_IS_ENDED = _H.ends_at <= func.now()
_IS_OVER = or_(_IS_ENDED, _IS_CLOSED, _IS_PAID, _IS_ASKED_NO_MORE)
_STATE = case((_H.released_at.is_not(None), "released"), (_IS_OVER, "over"), else_="waiting")
_LIST = NewestFirst(
    select(
        _H.id,
        _H.account_id,
        _H.period,
        _H.amount_minor,
        _H.currency,
        _STATE.label("state"),
        _H.provider_id,
        _H.run_id,
        _H.rule_id,
        _H.because,
        _H.figures,
        _H.held_at,
        _H.ends_at,
        _H.released_at,
        _H.released_by,
        _H.released_because,
    ),
    moment=_H.held_at,
    key=_H.id,
    state=_STATE,
    amount=_H.amount_minor,
    currency=_H.currency,
)


class ChargeHolds:
    """Reads what is held, and releases it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def release(
        self, account_id: str, period: str, amount_minor: int | None, *, actor: str, reason: str
    ) -> dict[str, Any]:
        """Release a receivable for the amount that is held, in minor units; None: the one there is.

        `was_so`: somebody has before. `over_because`: nothing was held any more. Raises RuleBrokenError: nothing was
        ever held, or several amounts are.
        """
        released: dict[str, Any] = await self._database.call(
            "release_hold", account_id=account_id, period=period, amount=amount_minor, actor=actor, reason=reason
        )
        return released

    async def of_account(self, account_id: str, period: str = "") -> Sequence[Row[Any]]:
        """Return what is, or was, held of an account, the newest first, or of one receivable; a page's worth."""
        found = select(
            _H.period,
            _IS_COLLECTED.label("is_collected"),
            _STATE.label("state"),
            _H.amount_minor,
            _H.currency,
            _H.rule_id,
            _H.because,
            _H.figures,
            _H.held_at,
            _H.ends_at,
            _H.released_at,
            _H.released_by,
            _H.released_because,
        ).where(_H.account_id == account_id, *([_H.period == period] if period else []))
        return await self._database.read(found.order_by(_H.id.desc()).limit(SHOWN_AT_MOST))

    async def page(self, page: ListPage, *, state: str) -> Listed:
        """Return a page of what is or was held, the newest first, amounts in minor units; an empty state lets all."""
        # Few of many wait: they are found by the index of what nobody has released.
        unreleased = [_H.released_at.is_(None)] if state in ("waiting", "over") else []
        return await _LIST.page(self._database, page, *unreleased, *matching(_STATE, state))
