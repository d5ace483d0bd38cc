"""Runs as the command line and the reports see them: read only, by key or page by page."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Row, Select, case, cast, func, or_, select

from activities.database import Database, matching, one_of
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.problem import Problem, RefusedError
from models.runs.process_run import ItemOutcome, RunKind, RunState
from models.runs.run_start import DefinitionState, not_due, refusal_to_start, refusal_to_supplement
from models.runs.schedule import calendar_of
from models.tables.collecting import ProcessRunRow, RunItemRow
from models.tables.configuration import EFFECTIVE, ProviderRow, RunDefinitionRow
from models.tables.transactions import TransactionLineRow

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
    ProcessRunRow.supplement,
    ProcessRunRow.criteria,
    ProcessRunRow.left_out,
)
_IS_REAL = ProcessRunRow.kind != "shadow"
_LIST = NewestFirst(_RUNS, moment=ProcessRunRow.started_at, key=ProcessRunRow.id, state=ProcessRunRow.state)

_MEMBERS = select(
    RunItemRow.member_id,
    RunItemRow.account_id,
    RunItemRow.currency,
    RunItemRow.amount_minor,
    RunItemRow.settled_minor,
    RunItemRow.outcome,
    RunItemRow.reason,
    RunItemRow.transaction_id,
    RunItemRow.credit_note_id,
    RunItemRow.card_label,
    RunItemRow.finished_at,
).order_by(RunItemRow.member_id)

# An invoice's lines, less its credit note's. Of what was not billed there is the net price alone.
_OF_INVOICE = TransactionLineRow.transaction_id == RunItemRow.transaction_id
_TAX = (
    select(
        cast(
            func.sum(case((_OF_INVOICE, TransactionLineRow.tax_minor), else_=-TransactionLineRow.tax_minor)), BigInteger
        )
    )
    .where(or_(_OF_INVOICE, TransactionLineRow.transaction_id == RunItemRow.credit_note_id))
    .scalar_subquery()
)
_IS_BILLED = RunItemRow.outcome == ItemOutcome.BILLED
_BILLED_MEMBERS = _MEMBERS.add_columns(
    case((_IS_BILLED, RunItemRow.settled_minor - _TAX), else_=RunItemRow.amount_minor).label("net_minor"),
    _TAX.label("tax_minor"),
    case((_IS_BILLED, RunItemRow.settled_minor)).label("total_minor"),
)

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
        refused = refusal_to_start(definition_id, kind, period, definition, await self.run_of(definition_id, period))
        if refused is not None:
            raise refused
        early = await self.early(definition_id, period, due_by) if due_by is not None else None
        if early is not None:
            raise RefusedError((replace(early, message=f"{early.message}; with --not-due-yet it runs all the same"),))

    async def next_supplement(self, definition_id: str, kind: RunKind, period: str) -> int:
        """Return the number of the next supplement of a period.

        Raises RefusedError when the definition may not run, or its last run of the period has no certificate.
        """
        refused = refusal_to_start(definition_id, kind, period, await self._definition(definition_id), None)
        if refused is not None:
            raise refused
        last = await self._database.read_first(
            _RUNS.where(ProcessRunRow.definition_id == definition_id, ProcessRunRow.period == period, _IS_REAL)
            .order_by(ProcessRunRow.supplement.desc())
            .limit(1)
        )
        refused = refusal_to_supplement(definition_id, period, last and (last.id, RunState(last.state)))
        if refused is not None:
            raise refused
        return int(last.supplement) + 1 if last is not None else 1

    async def early(self, definition_id: str, period: str, now: datetime) -> Problem | None:
        """Return why a definition's month is not due, or None."""
        definition = await self._definition(definition_id)
        return not_due(period, definition.calendar if definition is not None else None, now)

    async def supplements(self, run: Row[Any]) -> Sequence[Row[Any]]:
        """Return the runs that supplement a period's own run, in order."""
        same = (ProcessRunRow.definition_id == run.definition_id, ProcessRunRow.period == run.period, _IS_REAL)
        return await self._database.read(
            _RUNS.where(*same, ProcessRunRow.supplement > run.supplement).order_by(ProcessRunRow.supplement)
        )

    async def find(self, run_id: str) -> Row[Any] | None:
        """Return one run, or None."""
        return await self._database.read_first(_RUNS.where(ProcessRunRow.id == run_id))

    async def page(
        self, page: ListPage, *, kind: str, definition_id: str, state: str, ids: Sequence[str] | None = None
    ) -> Listed:
        """Return a page of runs, the newest first, of those ids if given; an empty filter lets everything through."""
        filters = (
            *((one_of(ProcessRunRow.id, ids),) if ids is not None else ()),
            *matching(ProcessRunRow.kind, kind),
            *matching(ProcessRunRow.definition_id, definition_id),
            *matching(ProcessRunRow.state, state),
        )
        return await _LIST.page(self._database, page, *filters)

    async def totals(self, run_id: str, *, of_month: bool = False) -> Sequence[Row[Any]]:
        """Return members and money by outcome, reason and currency: of a run, or of its month with all supplements."""
        if of_month:
            return await self._database.rows("select * from duly.month_totals(:id)", id=run_id)
        return await self._database.rows("select * from duly.run_totals(:id)", id=run_id)

    async def billed_totals(self, run_id: str, *, of_month: bool = False) -> Sequence[Row[Any]]:
        """Return members, net, tax and total by outcome, reason and currency of a billing run, or of its month."""
        return await self._database.rows(
            "select * from duly.billed_totals(:id, :of_month)", id=run_id, of_month=of_month
        )

    async def items(
        self, run_id: str, *, is_billing: bool = False, page: int = 500
    ) -> AsyncIterator[Sequence[Row[Any]]]:
        """Yield all members of a run in order of their ids, a page at a time; of billing with net, tax and total."""
        after, columns = "", _BILLED_MEMBERS if is_billing else _MEMBERS
        while rows := await self._page(columns, run_id, after, page):
            yield rows
            after = rows[-1].member_id

    async def members(self, run_id: str, page: ListPage, *, outcome: str) -> Listed:
        """Return a page of a run's members in the order of their ids; an empty outcome lets everything through."""
        wanted = _MEMBERS.where(
            RunItemRow.run_id == run_id, RunItemRow.member_id > page.after, *matching(RunItemRow.outcome, outcome)
        )
        rows = await self._database.read(wanted.limit(page.limit))
        return Listed(rows, rows[-1].member_id if len(rows) == page.limit else None, is_totalled=False)

    async def item_of_account(self, run_id: str, account_id: str) -> Row[Any] | None:
        """Return an account's member of a run, or None when it was not in it."""
        return await self._database.read_first(
            _MEMBER_OF_ACCOUNT.where(RunItemRow.run_id == run_id, RunItemRow.account_id == account_id)
        )

    async def _page(self, columns: Select[*tuple[Any, ...]], run_id: str, after: str, limit: int) -> Sequence[Row[Any]]:
        page = columns.where(RunItemRow.run_id == run_id, RunItemRow.member_id > after).limit(limit)
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
            calendar=calendar_of(found.schedule),
        )

    async def run_of(self, definition_id: str, period: str) -> RunState | None:
        """Return the state of a period's own run, or None where it has none."""
        found = await self._database.read_first(
            select(ProcessRunRow.state).where(
                ProcessRunRow.definition_id == definition_id,
                ProcessRunRow.period == period,
                ProcessRunRow.supplement == 0,
                _IS_REAL,
            )
        )
        return RunState(found.state) if found else None
