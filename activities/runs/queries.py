"""Runs as the command line and the reports see them: read only, by key or page by page."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, matching
from models.problem import RefusedError
from models.runs.process_run import RunKind, RunState
from models.runs.run_start import DefinitionState, not_due, refusal_to_start
from models.runs.schedule import MonthlySchedule
from models.tables.collecting import ProcessRunRow, RunItemRow
from models.tables.configuration import EFFECTIVE, ProviderRow, RunDefinitionRow

_RUNS = select(
    ProcessRunRow.id,
    ProcessRunRow.definition_id,
    ProcessRunRow.kind,
    ProcessRunRow.period,
    ProcessRunRow.state,
    ProcessRunRow.is_aborted,
    ProcessRunRow.members,
    ProcessRunRow.started_at,
    ProcessRunRow.completed_at,
    ProcessRunRow.decisions,
    ProcessRunRow.certificate,
)

_MEMBERS = select(
    RunItemRow.member_id,
    RunItemRow.account_id,
    RunItemRow.currency,
    RunItemRow.amount_minor,
    RunItemRow.settled_minor,
    RunItemRow.outcome,
    RunItemRow.reason,
    RunItemRow.transaction_id,
    RunItemRow.card_label,
    RunItemRow.finished_at,
).order_by(RunItemRow.member_id)

_MEMBER_OF_ACCOUNT = (
    select(
        RunItemRow.member_id,
        RunItemRow.account_id,
        RunItemRow.shard,
        RunItemRow.outcome,
        RunItemRow.reason,
        RunItemRow.finished_at,
        RunItemRow.receivable,
    )
    .order_by(RunItemRow.member_id)
    .limit(1)
)

_DEFINITIONS = select(
    RunDefinitionRow.id,
    RunDefinitionRow.kind,
    RunDefinitionRow.state,
    RunDefinitionRow.provider_id,
    RunDefinitionRow.schedule,
    ProviderRow.state.label("provider_state"),
).outerjoin(ProviderRow, ProviderRow.id == RunDefinitionRow.provider_id)


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
        return await self._database.read_first(_RUNS.where(ProcessRunRow.id == run_id))

    async def latest(self, *, kind: str, definition_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return the latest runs, newest first; an empty filter lets everything through."""
        filters = (*matching(ProcessRunRow.kind, kind), *matching(ProcessRunRow.definition_id, definition_id))
        newest_first = (ProcessRunRow.period.desc(), ProcessRunRow.started_at.desc())
        return await self._database.read(_RUNS.where(*filters).order_by(*newest_first).limit(limit))

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
        return await self._database.read_first(
            _MEMBER_OF_ACCOUNT.where(RunItemRow.run_id == run_id, RunItemRow.account_id == account_id)
        )

    async def _page(self, run_id: str, after: str, limit: int) -> Sequence[Row[Any]]:
        page = _MEMBERS.where(RunItemRow.run_id == run_id, RunItemRow.member_id > after).limit(limit)
        return await self._database.read(page)

    async def _definition(self, definition_id: str) -> DefinitionState | None:
        found = await self._database.read_first(_DEFINITIONS.where(RunDefinitionRow.id == definition_id))
        if found is None:
            return None
        return DefinitionState(
            found.id,
            RunKind(found.kind),
            is_effective=found.state == EFFECTIVE,
            provider_id=found.provider_id or "",
            is_provider_effective=found.provider_state in {None, EFFECTIVE},
            monthly=MonthlySchedule(**found.schedule) if found.schedule else None,
        )

    async def _earlier(self, definition_id: str, period: str) -> RunState | None:
        found = await self._database.read_first(
            select(ProcessRunRow.state).where(
                ProcessRunRow.definition_id == definition_id,
                ProcessRunRow.period == period,
                ProcessRunRow.kind != "shadow",
            )
        )
        return RunState(found.state) if found else None
