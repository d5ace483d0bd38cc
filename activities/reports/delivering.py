"""Writing the reports of a calendar: read from the books, kept once for a period with the mails that bring them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row as TableRow
from sqlalchemy import and_, func, select
from temporalio import activity

from activities.database import Database, DatabaseUnavailableError
from activities.reports.files import output_as
from activities.reports.queries import TIMEOUT_SECONDS
from activities.reports.running import ReportOutput, run_report
from models.messages.message import MessageKind
from models.problem import RefusedError, refusal
from models.reports.definition import definition_of
from models.reports.delivery import ReportDelivered, ReportDue, ReportFormat, ReportMoment, ReportOrderOfDay, report_due
from models.reports.result import ReportFoot, ReportHead, Row
from models.runs.schedule import RunCalendar, calendar_of
from models.tables.messages import MessageRow
from models.tables.reports.schedules import ReportDeliveryRow, ReportScheduleRow

KEPT_BYTES_AT_MOST = 64 * 1024 * 1024
"""A file above this is not kept: a report of so many rows is a program's, which runs it itself."""

MAILED_BYTES_AT_MOST = 8 * 1024 * 1024
"""Encoded for a mail it is a third more, and many servers take 10 MiB: what is larger is fetched."""

TRIES_IN_TIME = 3
"""A server that answers slowly once may do better; a report that takes too long each time is a person's to narrow."""

_DELIVERED = TypeAdapter(ReportDelivered | None)


class ReportActivities:
    """Writes reports that a calendar is due for. Each is one commit, and safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.report_due, self.keep_report]

    @activity.defn
    async def report_due(self, moment: ReportMoment) -> ReportDue | None:
        """Return the period that is due and its day; None where there is no schedule, or no report in it."""
        calendar = (await read_report_calendars(self._database)).get(moment.schedule_id)
        return None if calendar is None else report_due(calendar, moment.period, moment.at)

    @activity.defn
    async def keep_report(self, order: ReportOrderOfDay) -> ReportDelivered | None:
        """Write the report for a period and keep it with its mails, once; None where its schedule was removed.

        What is kept already is answered with, unless it had a problem. A report that cannot be written as it is defined
        is kept with the reason, and its recipients are sent that.
        """
        kept = await self._kept(order)
        if kept is not None and not kept.problem:
            return kept
        schedule = await self._database.read_first(
            select(ReportScheduleRow).where(ReportScheduleRow.id == order.schedule_id)
        )
        if schedule is None:
            return kept
        content, foot, problem = await self._written(schedule, order.today)
        answer = await self._database.call(
            "keep_report",
            schedule_id=order.schedule_id,
            period=order.period,
            title=str(schedule.definition["title"]),
            file_name="" if problem else f"{order.schedule_id}-{order.period}.{schedule.format}",
            media_type="" if problem else ReportFormat(schedule.format).media_type,
            content=None if problem else content,
            rows=foot.rows if foot else 0,
            ties=foot is None or foot.is_good,
            problem=problem,
            workflow_id=activity.info().workflow_id,
            run_id=activity.info().workflow_run_id,
        )
        return _DELIVERED.validate_python(answer)

    async def _kept(self, order: ReportOrderOfDay) -> ReportDelivered | None:
        answer = await self._database.call("kept_report", schedule_id=order.schedule_id, period=order.period)
        return _DELIVERED.validate_python(answer)

    async def _written(self, schedule: TableRow[Any], today: date) -> tuple[bytes, ReportFoot | None, str]:
        content, began_at = _KeptContent(), time.monotonic()
        try:
            target = _EndsLater(output_as(ReportFormat(schedule.format), content))
            definition = definition_of(schedule.definition)
            foot = await run_report(self._database, definition, target, today=today, at=datetime.now(UTC))
            # Setting pages takes seconds, in which a worker has other work.
            await asyncio.to_thread(target.written.end, foot)
        except RefusedError as error:
            return b"", None, "; ".join(f"{one.field}: {one.message}" for one in error.problems)
        except DatabaseUnavailableError:
            if time.monotonic() - began_at < TIMEOUT_SECONDS or activity.info().attempt < TRIES_IN_TIME:
                raise
            minutes = round(TIMEOUT_SECONDS / 60)
            return b"", None, f"takes more than {minutes} minutes: filter it, take fewer days, or run it by hand"
        return content.getvalue(), foot, ""


class _KeptContent(BytesIO):
    """A file in memory that is given up as soon as it is larger than what is kept, however many rows are to come."""

    _is_given_up = False

    def write(self, data: Any) -> int:
        """Write some of it. Raises RefusedError above 64 MiB, once: whoever closes a file still writes its end."""
        if self._is_given_up:
            return memoryview(data).nbytes
        written = super().write(data)
        if self.tell() > KEPT_BYTES_AT_MOST:
            self._is_given_up = True
            what = f"the file has more than {KEPT_BYTES_AT_MOST // 2**20} MiB: filter it, or run it by hand"
            raise refusal("format", "file_is_kept", what)
        return written


class _EndsLater:
    """A report whose end is left to whoever has it."""

    def __init__(self, written: ReportOutput) -> None:
        self.written = written

    def begin(self, head: ReportHead) -> None:
        """Begin it."""
        self.written.begin(head)

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        self.written.rows(rows)

    def end(self, foot: ReportFoot) -> None:
        """Leave the end."""


async def read_report_calendars(database: Database) -> dict[str, RunCalendar]:
    """Read when each scheduled report is due, by the id of its schedule."""
    row = ReportScheduleRow
    rows = await database.read(select(row.id, row.calendar).order_by(row.id))
    found = {one.id: calendar_of(one.calendar) for one in rows}
    return {id: calendar for id, calendar in found.items() if calendar is not None}


async def read_report_file(database: Database, schedule_id: str, period: str) -> TableRow[Any] | None:
    """Read what was written for a period, with the file."""
    row = ReportDeliveryRow
    return await database.read_first(select(row).where(row.schedule_id == schedule_id, row.period == period))


async def read_mailed_report(database: Database, message_id: str) -> TableRow[Any] | None:
    """Read the file that goes with a message; None where there is none, or it is too large for a mail."""
    if not message_id.startswith(f"{MessageKind.REPORT_READY}/"):
        return None
    row, about = ReportDeliveryRow, MessageRow.parameters
    is_its = and_(row.schedule_id == about["object"].astext, row.period == about["occasion"].astext)
    fits = func.length(row.content) <= MAILED_BYTES_AT_MOST
    return await database.read_first(
        select(row.file_name, row.media_type, row.content)
        .join(MessageRow, is_its)
        .where(MessageRow.id == message_id, row.content.is_not(None), fits)
    )
