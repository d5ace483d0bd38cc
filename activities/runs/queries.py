"""Runs as the command line and the reports see them: read only, by key or page by page."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from activities.database import Database
from models.problem import RefusedError
from models.runs.process_run import RunKind, RunState
from models.runs.run_start import DefinitionState, not_due, refusal_to_start
from models.runs.schedule import MonthlySchedule

_RUN = """
    select r.id, r.definition_id, r.kind, r.period, r.state, r.is_aborted, r.members, r.started_at, r.completed_at,
        r.decisions, r.certificate
    from duly.process_runs r
"""


class RunQueries:
    """Reads process runs and their members."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require_startable(
        self, definition_id: str, kind: RunKind, period: str, *, due_by: datetime | None = None
    ) -> None:
        """Raise RefusedError, with its rule, when the definition may not run for the period, or is not due by then."""
        definition = await self._definition(definition_id)
        refused = refusal_to_start(definition_id, kind, period, definition, await self._earlier(definition_id, period))
        if refused is not None:
            raise refused
        monthly = definition.monthly if definition is not None else None
        early = not_due(period, monthly, due_by) if due_by is not None else None
        if early is not None:
            raise RefusedError((replace(early, message=f"{early.message}; with --not-due-yet it runs all the same"),))

    async def find(self, run_id: str) -> Row[Any] | None:
        """Return one run, or None."""
        rows = await self._database.rows(f"{_RUN} where r.id = :id", id=run_id)
        return rows[0] if rows else None

    async def latest(self, *, kind: str, definition_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return the latest runs, newest first; an empty filter lets everything through."""
        return await self._database.rows(
            f"{_RUN} where (:kind = '' or r.kind = :kind) and (:definition = '' or r.definition_id = :definition)"
            " order by r.period desc, r.started_at desc limit :limit",
            kind=kind,
            definition=definition_id,
            limit=limit,
        )

    async def totals(self, run_id: str) -> Sequence[Row[Any]]:
        """Return members and money by outcome, reason and currency."""
        return await self._database.rows("select * from duly.run_totals(:id)", id=run_id)

    async def items(self, run_id: str, *, page: int = 500) -> AsyncIterator[Sequence[Row[Any]]]:
        """Yield all members of a run in order of their ids, a page at a time."""
        after = ""
        while rows := await self._page(run_id, after, page):
            yield rows
            after = rows[-1].member_id

    async def item_of_account(self, run_id: str, account_id: str) -> Row[Any] | None:
        """Return an account's member of a run, or None when it was not in it."""
        rows = await self._database.rows(
            "select member_id, account_id, shard, outcome, reason, finished_at from duly.run_items"
            " where run_id = :run and account_id = :account order by member_id limit 1",
            run=run_id,
            account=account_id,
        )
        return rows[0] if rows else None

    async def _page(self, run_id: str, after: str, limit: int) -> Sequence[Row[Any]]:
        return await self._database.rows(
            "select member_id, account_id, currency, amount_minor, settled_minor, outcome, reason, transaction_id,"
            " card_label, finished_at from duly.run_items where run_id = :run and member_id > :after"
            " order by member_id limit :limit",
            run=run_id,
            after=after,
            limit=limit,
        )

    async def _definition(self, definition_id: str) -> DefinitionState | None:
        rows = await self._database.rows(
            "select d.id, d.kind, d.state = 'effective' as is_effective, coalesce(d.provider_id, '') as provider_id,"
            " coalesce(p.state, 'effective') = 'effective' as is_provider_effective, d.schedule"
            " from duly.run_definitions d left join duly.providers p on p.id = d.provider_id where d.id = :id",
            id=definition_id,
        )
        if not rows:
            return None
        found = rows[0]
        return DefinitionState(
            found.id,
            RunKind(found.kind),
            found.is_effective,
            found.provider_id,
            found.is_provider_effective,
            MonthlySchedule(**found.schedule) if found.schedule else None,
        )

    async def _earlier(self, definition_id: str, period: str) -> RunState | None:
        rows = await self._database.rows(
            "select state from duly.process_runs"
            " where definition_id = :definition and period = :period and kind <> 'shadow'",
            definition=definition_id,
            period=period,
        )
        return RunState(rows[0].state) if rows else None
