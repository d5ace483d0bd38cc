"""Months that should have had their run by now: due by the definition, or billed and never collected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.period import Period
from models.runs.process_run import RunKind
from models.runs.schedule import MonthlySchedule

# A run that a schedule starts, or that somebody starts after billing, may take so long to begin.
GRACE = timedelta(days=1)
COMMANDS: Mapping[RunKind, str] = {RunKind.BILLING: "duly billing start", RunKind.PAYMENT: "duly runs start"}


@dataclass(frozen=True)
class DefinitionMonths:
    """An effective run definition, and the months that have their own run, such as 2026-11."""

    id: str
    kind: RunKind
    created_at: datetime
    monthly: MonthlySchedule | None
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
            newest = max(one.months, default="")
            months = {month: missed for month, missed in months.items() if month > newest}
        found += [months[month] for month in sorted(months) if month not in one.months]
    return found


def _due_without_run(definition: DefinitionMonths, now: datetime) -> Iterator[str]:
    """Yield the months that are due since the definition is there or had its first run."""
    first = min(definition.months, default="")
    month = Period.parse(first) if first else Period.of(definition.created_at.date())
    while (due_at := _due_at(definition, month)) + GRACE < now:
        if str(month) not in definition.months and (first or due_at >= definition.created_at):
            yield str(month)
        month = month.next()


def _is_due(definition: DefinitionMonths, month: str, now: datetime) -> bool:
    return definition.monthly is None or _due_at(definition, Period.parse(month)) + GRACE < now


def _due_at(definition: DefinitionMonths, month: Period) -> datetime:
    """Return when a month's run should have begun: by its calendar, else when the month is over."""
    if definition.monthly is not None:
        return definition.monthly.moment_in(month)
    end = month.ends_on
    return datetime(end.year, end.month, end.day, tzinfo=definition.created_at.tzinfo)
