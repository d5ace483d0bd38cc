"""Mass actions of the console: what is to be done to each object, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, case, exists, func, select, true

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.tables.console.lists import MassActionItemRow, MassActionRow

_M, _I = MassActionRow, MassActionItemRow
# Nobody carries out what has not moved for so long: its process has ended.
_CUT_OFF = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 2)
_IS_STOPPED = _M.ended_at.is_(None) & ((_M.stopped_because != "") | (_M.active_at < _CUT_OFF))
_STATE = case((_M.ended_at.is_not(None), "over"), (_IS_STOPPED, "stopped"), else_="under_way")
_HAS_FAILED = exists().where(_I.key == _M.key, _I.outcome == "failed")
# What somebody has to look at: it has stopped, or nobody knows what became of one; and nobody has closed it.
NEEDS_PERSON = (_M.closed_at.is_(None), _IS_STOPPED | _HAS_FAILED)
OUTCOMES = ("left", "done", "waiting", "refused", "failed", "dropped")
_COUNTS = (
    select(
        func.count().label("chosen"),
        *(func.count().filter(_I.outcome == one).label(f"is_{one}") for one in OUTCOMES),
    )
    .where(_I.key == _M.key)
    .correlate(_M)
    .lateral("counts")
)
_ROW = (
    *(_M.key, _M.user_id, _M.action, _M.reason, _M.fields, _M.begun_at, _M.active_at, _M.ended_at),
    *(_M.stopped_because, _M.carried_by, _M.turn, _M.closed_at, _M.closed_by, _STATE.label("state")),
)
_LIST = NewestFirst(
    select(*_ROW, *_COUNTS.c).select_from(_M).join(_COUNTS, true()), moment=_M.begun_at, key=_M.key, state=_STATE
)


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

    async def take_over(self, key: str, user_id: str) -> bool:
        """Go on with what has stopped, or what nobody has carried on with for two minutes; False: it is none such."""
        return bool(await self._database.call("take_over_mass_action", key=key, user_id=user_id))

    async def close(self, key: str, user_id: str) -> bool:
        """Drop what is left of one that nobody carries out; False: somebody does, or it is closed already."""
        return bool(await self._database.call("close_mass_action", key=key, user_id=user_id))

    async def find(self, key: str) -> Row[Any] | None:
        """Return a mass action, with its state: under_way, stopped (also: its process has ended), or over; or None."""
        return await self._database.read_first(select(*_ROW).where(_M.key == key))

    async def page(self, page: ListPage, *, state: str, user_id: str, needs_person: bool) -> Listed:
        """Return a page of mass actions, the newest first, with how many objects each has of each outcome."""
        wanted = (
            *((state == _STATE,) if state else ()),
            *matching(_M.user_id, user_id),
            *(NEEDS_PERSON if needs_person else ()),
        )
        return await _LIST.page(self._database, page, *wanted, with_totals=False)

    async def items(self, key: str) -> Sequence[Row[Any]]:
        """Return its objects in their order, with what became of each."""
        columns = (_I.position, _I.subject, _I.outcome, _I.answer, _I.ended_at)
        return await self._database.read(select(*columns).where(_I.key == key).order_by(_I.position))

    async def end_item(self, key: str, position: int, outcome: str, answer: str) -> None:
        """Keep what became of an object: done, waiting (for another person), refused, failed (nobody knows)."""
        await self._database.call("end_mass_item", key=key, position=position, outcome=outcome, answer=answer)

    async def stop(self, key: str, because: str) -> None:
        """Leave the rest, and say why."""
        await self._database.call("stop_mass_action", key=key, because=because)
