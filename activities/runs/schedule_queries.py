"""What runs by itself: the run definitions that have a calendar, and the providers whose events are swept."""

from dataclasses import dataclass

from activities.database import Database
from models.runs.process_run import RunKind
from models.runs.schedule import MonthlySchedule


@dataclass(frozen=True)
class DefinitionSchedule:
    """A run definition as schedules see it; without a calendar, or not effective, it has none."""

    id: str
    kind: RunKind
    is_effective: bool
    monthly: MonthlySchedule | None


async def read_schedules(database: Database) -> list[DefinitionSchedule]:
    """Read every run definition, in order of their ids."""
    rows = await database.rows("select id, kind, state, schedule from duly.run_definitions order by id")
    return [
        DefinitionSchedule(
            row.id,
            RunKind(row.kind),
            row.state == "effective",
            MonthlySchedule(**row.schedule) if row.schedule else None,
        )
        for row in rows
    ]


async def read_swept_providers(database: Database) -> list[str]:
    """Read the providers whose events are swept: every effective one."""
    rows = await database.rows("select id from duly.providers where state = 'effective' order by id")
    return [row.id for row in rows]
