"""Periods that should have had their run by now: due by the definition, or months billed and never collected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.runs.process_run import RunKind
from models.runs.run_period import DAY_MINUTES, PeriodUnit, RunPeriod
from models.runs.schedule import RunCalendar

# A run that a schedule starts, or that somebody starts after billing, may take so long to begin.
GRACE = timedelta(days=1)
COMMANDS: Mapping[RunKind, str] = {RunKind.BILLING: "duly billing start", RunKind.PAYMENT: "duly runs start"}


@dataclass(frozen=True)
class DefinitionMonths:
    """An effective run definition, and the periods that have their own run, such as 2026-11."""

    id: str
    kind: RunKind
    created_at: datetime
    calendar: RunCalendar | None
    months: frozenset[str]


@dataclass(frozen=True)
class MissedMonth:
    """A month without its run; `is_billed`: its invoices are there, and no run has collected them."""

    definition_id: str
    kind: RunKind
    month: str
    is_billed: bool = False

    @property
    def remedy(self) -> str:
        """The command that runs it."""
        return f"{COMMANDS[self.kind]} {self.definition_id} {self.month}"


def missed_months(
    definitions: Sequence[DefinitionMonths], billed: Mapping[str, datetime], now: datetime
) -> list[MissedMonth]:
    """Return the months without their run, by definition; `billed` says when a month's invoices were posted.

    A payment run takes all that is open, of whichever month: what lies before the newest one was collected by it.
    """
    found = []
    for one in definitions:
        months = {month: MissedMonth(one.id, one.kind, month) for month in _due_without_run(one, now)}
        if one.kind is RunKind.PAYMENT:
            late = (month for month, at in billed.items() if now - at > GRACE and _is_due(one, month, now))
            months |= {month: MissedMonth(one.id, one.kind, month, is_billed=True) for month in late}
            months = {month: missed for month, missed in months.items() if not _had_since(one, RunPeriod.parse(month))}
        found += [months[month] for month in sorted(months) if month not in one.months]
    return found


def _due_without_run(definition: DefinitionMonths, now: datetime) -> Iterator[str]:
    """Yield the periods that are due since the definition is there or had its first run of its calendar."""
    unit = definition.calendar.unit if definition.calendar is not None else PeriodUnit.MONTH
    if unit is PeriodUnit.MINUTES:
        yield from _silent_for_long(definition, now)
        return
    had = sorted(name for name in definition.months if RunPeriod.parse(name).unit is unit)
    period = RunPeriod.parse(had[0]) if had else RunPeriod.of(definition.created_at.date(), unit)
    while period.starts_on <= now.date():
        due_at = _due_at(definition, period)
        is_late = due_at is not None and due_at + GRACE < now and (bool(had) or due_at >= definition.created_at)
        if is_late and str(period) not in definition.months:
            yield str(period)
        period = period.next()


def _silent_for_long(definition: DefinitionMonths, now: datetime) -> Iterator[str]:
    """Yield the last period that was due when none has had its run since: the next run takes what a missed one left."""
    period = RunPeriod.of_minutes(now - GRACE, 1)
    for _ in range(DAY_MINUTES):
        due_at = _due_at(definition, period)
        if due_at is not None:
            if due_at >= definition.created_at and not _had_since(definition, period):
                yield str(period)
            return
        period = RunPeriod.of_minutes(period.begins_at - timedelta(minutes=1), 1)


def _had_since(definition: DefinitionMonths, period: RunPeriod) -> bool:
    """Say whether a period had its run, or one that begins later: as text, names of several units have no order."""
    return any(RunPeriod.parse(name).begins_at >= period.begins_at for name in definition.months)


def _is_due(definition: DefinitionMonths, month: str, now: datetime) -> bool:
    """Say whether the month's run is due; what runs more often than monthly, or by hand, collects whenever it runs."""
    if definition.calendar is None:
        return True
    due_at = _due_at(definition, RunPeriod.parse(month))
    return due_at is not None and due_at + GRACE < now


def _due_at(definition: DefinitionMonths, period: RunPeriod) -> datetime | None:
    """Return when a period's run should have begun: by its calendar, else when the period is over."""
    if definition.calendar is not None:
        return definition.calendar.due_in(period)
    end = period.ends_on
    return datetime(end.year, end.month, end.day, tzinfo=definition.created_at.tzinfo)
