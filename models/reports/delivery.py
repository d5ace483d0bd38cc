"""Reports by a calendar: which is written for which period, and what became of it (F151, `reports schedule`)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.runs.run_period import RunPeriod
from models.runs.schedule import RunCalendar


class ReportFormat(StrEnum):
    """As what a report is written."""

    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"
    HTML = "html"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        """Return what a mail calls it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    ReportFormat.CSV: "text/csv",
    ReportFormat.JSON: "application/json",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.HTML: "text/html",
    ReportFormat.PDF: "application/pdf",
}


@dataclass(frozen=True)
class ReportDeliveryRequest:
    """Write the report of a schedule for a period, such as 2026-11, 2026-W48 or 2026-11-27.

    Without a period it is the one that the moment of the workflow's schedule lies in, on the clock of the calendar.
    """

    schedule_id: str
    period: str = ""


@dataclass(frozen=True)
class ReportMoment:
    """Which period of a schedule is meant: the one that is named, else the one that a moment lies in."""

    schedule_id: str
    period: str
    at: datetime


@dataclass(frozen=True)
class ReportDue:
    """A period of a schedule, and the day on its clock that it is due."""

    period: str
    today: date


@dataclass(frozen=True)
class ReportOrderOfDay:
    """What an activity is to write: for which period, and as of which day relative periods are counted."""

    schedule_id: str
    period: str
    today: date


@dataclass(frozen=True)
class ReportDelivered:
    """What is kept for a period: a file with so many rows, or the problem for which there is none.

    `ties` says whether the report and the ledger come to the same. `tries` counts those that had a problem before.
    """

    schedule_id: str
    period: str
    title: str
    file: str
    rows: int
    ties: bool
    problem: str
    recipients: int
    tries: int = 1


def report_due(calendar: RunCalendar, named: str, at: datetime) -> ReportDue | None:
    """Return the period that is named, or that a moment lies in, with its day; None where the calendar has none.

    Relative periods of a report (`last_month`) count from that day, so that one that is caught up says the same.
    """
    period = RunPeriod.parse(named) if named else RunPeriod.at(at, calendar.time_zone, calendar.unit)
    due_at = calendar.due_in(period)
    return None if due_at is None else ReportDue(str(period), due_at.astimezone(ZoneInfo(calendar.time_zone)).date())
