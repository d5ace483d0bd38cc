"""What runs by itself: the run definitions that have a calendar, and the providers whose events are swept."""

from dataclasses import dataclass

from sqlalchemy import select

from activities.database import Database
from models.runs.process_run import RunKind
from models.runs.schedule import RunCalendar, calendar_of
from models.tables.configuration import EFFECTIVE, ProviderRow, RunDefinitionRow
from models.tables.returns import RefundRulesRow


@dataclass(frozen=True)
class DefinitionSchedule:
    """A run definition as schedules see it; without a calendar, or not effective, it has none."""

    id: str
    kind: RunKind
    is_effective: bool
    calendar: RunCalendar | None


async def read_schedules(database: Database) -> list[DefinitionSchedule]:
    """Read every run definition, in order of their ids."""
    row = RunDefinitionRow
    rows = await database.read(select(row.id, row.kind, row.state, row.schedule).order_by(row.id))
    return [
        DefinitionSchedule(
            found.id,
            RunKind(found.kind),
            found.state == EFFECTIVE,
            calendar_of(found.schedule),
        )
        for found in rows
    ]


async def read_swept_providers(database: Database) -> list[str]:
    """Read the providers whose events are swept: every effective one."""
    rows = await database.read(select(ProviderRow.id).where(ProviderRow.state == EFFECTIVE).order_by(ProviderRow.id))
    return [row.id for row in rows]


async def read_bank_refund_day(database: Database) -> int:
    """Read on which day of the month refunds by bank transfer are drafted; 0 is never."""
    row = await database.read_first(select(RefundRulesRow.bank_day))
    return int(row.bank_day) if row else 0
