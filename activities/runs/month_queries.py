"""Which months have had their runs: read only, for whoever looks for those that have not."""

from datetime import datetime

from sqlalchemy import func, select

from activities.database import Database
from models.runs.missed_months import DefinitionMonths, MissedMonth, missed_months
from models.runs.process_run import ItemOutcome, RunKind, RunState
from models.runs.schedule import calendar_of
from models.tables.collecting import ProcessRunRow, RunItemRow
from models.tables.configuration import EFFECTIVE, RunDefinitionRow

_DEFINITIONS = (
    select(RunDefinitionRow.id, RunDefinitionRow.kind, RunDefinitionRow.created_at, RunDefinitionRow.schedule)
    .where(RunDefinitionRow.state == EFFECTIVE)
    .order_by(RunDefinitionRow.id)
)
_OWN_RUNS = (ProcessRunRow.kind != "shadow", ProcessRunRow.supplement == 0)
# A run every few minutes makes a hundred thousand periods a year: of those the newest is enough.
_OF_MINUTES = func.length(ProcessRunRow.period) > len("2026-11-27")
_RUNS = select(ProcessRunRow.definition_id, ProcessRunRow.period).where(*_OWN_RUNS, ~_OF_MINUTES)
_NEWEST_RUNS = (
    select(ProcessRunRow.definition_id, func.max(ProcessRunRow.period).label("period"))
    .where(*_OWN_RUNS, _OF_MINUTES)
    .group_by(ProcessRunRow.definition_id)
)
_HAS_BILLED = (
    select(RunItemRow.member_id)
    .where(RunItemRow.run_id == ProcessRunRow.id, RunItemRow.outcome == ItemOutcome.BILLED)
    .exists()
)
_BILLED = (
    select(ProcessRunRow.period, func.max(ProcessRunRow.completed_at).label("billed_at"))
    .where(ProcessRunRow.kind == RunKind.BILLING, ProcessRunRow.state == RunState.COMPLETED, _HAS_BILLED)
    .group_by(ProcessRunRow.period)
)


async def read_missed_months(database: Database, now: datetime) -> list[MissedMonth]:
    """Return the months that should have had their run by now and have none."""
    months: dict[str, set[str]] = {}
    for run in (*await database.read(_RUNS), *await database.read(_NEWEST_RUNS)):
        months.setdefault(run.definition_id, set()).add(run.period)
    definitions = [
        DefinitionMonths(
            row.id,
            RunKind(row.kind),
            row.created_at,
            calendar_of(row.schedule),
            frozenset(months.get(row.id, ())),
        )
        for row in await database.read(_DEFINITIONS)
    ]
    billed = {row.period: row.billed_at for row in await database.read(_BILLED)}
    return missed_months(definitions, billed, now)
