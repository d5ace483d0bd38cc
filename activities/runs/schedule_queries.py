"""What runs by itself: the run definitions that have a calendar, and the providers whose events are swept."""

from dataclasses import dataclass

from sqlalchemy import select

from activities.database import Database
from models.runs.process_run import RunKind
from models.runs.schedule import RunCalendar, calendar_of
from models.tables.configuration import BANK_DEBITS, EFFECTIVE, ProviderRow, RunDefinitionRow
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


@dataclass(frozen=True)
class EffectiveProviders:
    """The effective providers, and which of them are called: a bank has no events and no books to ask for."""

    all: tuple[str, ...]
    called: tuple[str, ...]


async def read_effective_providers(database: Database) -> EffectiveProviders:
    """Read the effective providers, in order of their ids."""
    row = ProviderRow
    rows = await database.read(select(row.id, row.gateway).where(row.state == EFFECTIVE).order_by(row.id))
    return EffectiveProviders(
        tuple(one.id for one in rows), tuple(one.id for one in rows if one.gateway != BANK_DEBITS)
    )


async def read_bank_refund_day(database: Database) -> int:
    """Read on which day of the month refunds by bank transfer are drafted; 0 is never."""
    row = await database.read_first(select(RefundRulesRow.bank_day))
    return int(row.bank_day) if row else 0
