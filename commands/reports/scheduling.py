"""Reports by a calendar: setting, listing and removing them, writing one now, fetching what was written."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import func, select
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.database import Database
from activities.documents import read_document
from activities.reports.delivering import read_report_calendars, read_report_file
from activities.reports.schedule_document import ReportScheduleDocument
from commands.formatting import moment
from commands.lists.paging import answer_all
from commands.output import Output, table
from commands.runs.schedule import find_schedule, make_so
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders, temporal_of
from commands.waiting.answers import result_of
from models.problem import refusal
from models.reports.delivery import ReportDelivered, ReportDeliveryRequest
from models.runs.run_period import RunPeriod
from models.runs.schedule import RunCalendar, calendar_of
from models.tables.reports.schedules import ReportDeliveryRow, ReportScheduleRow
from models.workflow_ids import WORKFLOW_QUEUE, report_id, report_schedule, schedule_id
from workflows.reports.report_delivery import ReportDelivery
from workflows.reports.schedules import report_schedule_of
from workflows.visibility import report_label


async def list_all(output: Output) -> None:
    """List the reports by a calendar, with what was written last."""
    row, last = ReportScheduleRow, _last_periods()
    query = select(
        row.id, row.definition, row.format, row.calendar, row.recipients, row.actor, row.set_at, last.c.period
    )
    async with reading_database_of(read_settings()) as database:
        rows = await database.read(query.outerjoin(last, last.c.schedule_id == row.id).order_by(row.id))
    documents = [
        {
            "id": one.id,
            "title": one.definition["title"],
            "when": _words(one.calendar),
            "format": str(one.format),
            "recipients": one.recipients,
            "set_by": one.actor,
            "set_at": one.set_at,
            "last": one.period or "",
        }
        for one in rows
    ]
    cells = [
        (one["id"], one["title"], one["when"], one["format"], len(one["recipients"]), one["last"]) for one in documents
    ]
    columns = ("Schedule", "Report", "When", "As", "To", "Last written")
    answer_all(output, "report_schedules", documents, table("", *columns, rows=cells, right=("To",)))


async def show(output: Output, id: str) -> None:
    """List what was written for the periods of a schedule. Raises RefusedError for one that never was."""
    row = ReportDeliveryRow
    shown = (row.period, row.file_name, row.row_count, row.ties, row.problem, row.recipients, row.sha256, row.made_at)
    async with reading_database_of(read_settings()) as database:
        rows = await database.read(select(*shown).where(row.schedule_id == id).order_by(row.made_at.desc()).limit(1000))
        if not rows and id not in await read_report_calendars(database):
            raise _unknown(id)
    documents = [
        {
            "period": one.period,
            "file": one.file_name,
            "rows": one.row_count,
            "ties": one.ties,
            "problem": one.problem,
            "recipients": one.recipients,
            "sha256": one.sha256,
            "made_at": one.made_at,
        }
        for one in rows
    ]
    cells = [
        (one["period"], one["file"] or one["problem"], one["rows"], len(one["recipients"]), moment(one["made_at"]))
        for one in documents
    ]
    columns = ("Period", "File", "Rows", "To", "Written")
    answer_all(output, "reports", documents, table("", *columns, rows=cells, right=("Rows", "To")))


async def set_to(output: Output, file: Path, *, actor: str, reason: str) -> None:
    """Keep a report by a calendar and make its schedule. Raises RefusedError with all that is wrong with it."""
    wanted = read_document(file, ReportScheduleDocument)
    definition = wanted.narrowed()
    calendar = calendar_of(wanted.schedule.stored())
    if calendar is None:
        raise RuntimeError("a schedule without a calendar is no document")
    settings = read_settings()
    client = await temporal_of(settings)
    async with database_of(settings) as database:
        await database.call(
            "set_report_schedule",
            id=wanted.id,
            definition=Jsonb(json.loads(json.dumps(definition.as_document(), default=str))),
            format=wanted.format,
            calendar=Jsonb(wanted.schedule.stored()),
            recipients=list(wanted.recipients),
            actor=actor,
            reason=reason,
        )
    name = report_schedule(wanted.id)
    change = await make_so(client, schedule_id(name), report_schedule_of(wanted.id, calendar))
    document = {"id": wanted.id, "when": calendar.describe(), "schedule": change, "recipients": len(wanted.recipients)}
    to_whom = f"mails it to {len(wanted.recipients)}" if wanted.recipients else "keeps it to be fetched"
    output.answer(
        document, f"Writes {definition.title} as {wanted.format}: {calendar.describe()}, and {to_whom} ({change})."
    )


async def remove(output: Output, id: str, *, actor: str, reason: str) -> None:
    """Remove a report by a calendar. Raises RefusedError where there is none."""
    settings = read_settings()
    client = await temporal_of(settings)
    name = schedule_id(report_schedule(id))
    async with database_of(settings) as database:
        is_removed = await database.call("remove_report_schedule", id=id, actor=actor, reason=reason)
    # Also where the row is gone: whoever was cut off between the two asks again.
    is_scheduled = await find_schedule(client, name) is not None
    if is_scheduled:
        await client.get_schedule_handle(name).delete()
    if not (is_removed or is_scheduled):
        raise _unknown(id)
    output.answer({"id": id, "removed": True}, f"Removed {id}: what it has written stays.")


async def run(output: Output, id: str, period: str, *, wait_seconds: float) -> None:
    """Write the report of a period. Raises RefusedError for one that the calendar does not have, or has not yet."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        _require_due(await _calendar(database, id), period)
    client = await temporal_for_orders(settings)
    workflow_id = report_id(id, period)
    try:
        handle = await client.start_workflow(
            ReportDelivery.run,
            ReportDeliveryRequest(id, period),
            id=workflow_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            **report_label(id, period),
        )
    except WorkflowAlreadyStartedError:
        handle = client.get_workflow_handle_for(ReportDelivery.run, workflow_id)
    delivered = await result_of(client, handle, noun="report", wait_seconds=wait_seconds)
    if delivered is None:
        raise _unknown(id)
    output.answer({"workflow": workflow_id, **asdict(delivered)}, _written(delivered))


async def fetch(output: Output, id: str, period: str, target: Path | None) -> None:
    """Write a kept file. Raises RefusedError where there is none."""
    async with reading_database_of(read_settings()) as database:
        found = await read_report_file(database, id, period)
    if found is None or found.content is None:
        why = found.problem if found is not None else f"nothing was written for {period}"
        raise refusal("period", "report_written", f"{id}: {why}")
    path = target or Path(found.file_name)
    try:
        path.write_bytes(found.content)
    except OSError as error:
        raise refusal("output", "file_writable", f"{path}: {error.strerror}") from error
    output.answer({"file": str(path), "rows": found.row_count, "sha256": found.sha256}, f"Wrote {path}.")


async def _calendar(database: Database, id: str) -> RunCalendar:
    found = (await read_report_calendars(database)).get(id)
    if found is None:
        raise _unknown(id)
    return found


def _require_due(calendar: RunCalendar, period: str) -> None:
    due_at = calendar.due_in(RunPeriod.parse(period))
    if due_at is None:
        raise refusal("period", "period_of_calendar", f"{period} has no report by the calendar: {calendar.describe()}")
    if due_at > datetime.now(UTC):
        raise refusal("period", "period_was_due", f"{period} is due at {due_at:%Y-%m-%d %H:%M}Z: it is written then")


def _written(delivered: ReportDelivered) -> str:
    if delivered.problem:
        return f"{delivered.title} could not be written: {delivered.problem}"
    return f"{delivered.file}: {delivered.rows} rows; mailed to {delivered.recipients}."


def _words(stored: dict[str, Any]) -> str:
    calendar = calendar_of(stored)
    return calendar.describe() if calendar else ""


def _last_periods() -> Any:
    row = ReportDeliveryRow
    newest = func.row_number().over(partition_by=row.schedule_id, order_by=row.made_at.desc()).label("place")
    ranked = select(row.schedule_id, row.period, newest).subquery()
    return select(ranked.c.schedule_id, ranked.c.period).where(ranked.c.place == 1).subquery()


def _unknown(id: str) -> Exception:
    return refusal("schedule", "schedule_known", f"there is no report by a calendar {id!r}: duly reports schedule list")
