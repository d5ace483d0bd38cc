"""Refund runs as the console sees them: read only, by key or page by page (X67, F120)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, case, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.runs.process_run import RunState
from models.tables.returns import RefundRunRow

_R = RefundRunRow
_STATE = case((_R.completed_at.is_(None), RunState.RUNNING.value), else_=RunState.COMPLETED.value)
_RUNS = select(
    _R.id,
    _R.provider_id,
    _R.day,
    _R.members,
    _R.certificate,
    _R.started_at,
    _R.completed_at,
    _STATE.label("state"),
)
_LIST = NewestFirst(_RUNS, moment=_R.started_at, key=_R.id, state=_STATE)
_MEMBERS = "select * from duly.refund_run_members(:run, :after, :limit)"


class RefundRunQueries:
    """Reads refund runs and their members."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, run_id: str) -> Row[Any] | None:
        """Return one run, or None."""
        return await self._database.read_first(_RUNS.where(_R.id == run_id))

    async def page(self, page: ListPage, *, provider_id: str, state: str) -> Listed:
        """Return a page of runs, the newest first; an empty filter lets everything through."""
        narrowed = (state == _STATE,) if state else ()
        return await _LIST.page(self._database, page, *matching(_R.provider_id, provider_id), *narrowed)

    async def totals(self, run_id: str) -> Sequence[Row[Any]]:
        """Return members and money by kind, outcome and currency, as they are now; `settled_minor` went back."""
        return await self._database.rows("select * from duly.refund_run_totals(:run)", run=run_id)

    async def members(self, run_id: str, page: ListPage) -> Listed:
        """Return a page of a run's members in the order of their ids, with what has become of each."""
        rows = await self._database.rows(_MEMBERS, run=run_id, after=page.after, limit=page.limit)
        return Listed(rows, rows[-1].member_id if len(rows) == page.limit else None, is_totalled=False)
