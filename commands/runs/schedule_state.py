"""What an operator does to one schedule."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from temporalio.client import ScheduleBackfill, ScheduleHandle, ScheduleOverlapPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.runs.schedule_queries import read_schedules
from commands.output import Output
from commands.session import read_settings, reading_database_of, temporal_for_orders, temporal_of
from models.problem import refusal
from models.runs.run_period import RunPeriod
from models.runs.schedule import IntervalSchedule, RunCalendar
from models.workflow_ids import schedule_id
from settings import Settings

# Each is a run that Temporal holds until the one before it has ended: nobody means years of minutes.
_PERIODS_AT_MOST = 1000


async def pause(output: Output, definition_id: str, note: str) -> None:
    """Pause a schedule. Raises RefusedError when there is none."""
    async with _handle(read_settings(), definition_id) as handle:
        await handle.pause(note=note)
    output.answer({"definition": definition_id, "paused": True, "note": note}, f"Paused {definition_id}: {note}")


async def resume(output: Output, definition_id: str, note: str) -> None:
    """Resume a schedule. Raises RefusedError when there is none."""
    async with _handle(read_settings(), definition_id) as handle:
        await handle.unpause(note=note)
    output.answer({"definition": definition_id, "paused": False, "note": note}, f"Resumed {definition_id}: {note}")


async def delete(output: Output, definition_id: str) -> None:
    """Delete a schedule. Raises RefusedError when there is none."""
    async with _handle(read_settings(), definition_id) as handle:
        await handle.delete()
    output.answer({"definition": definition_id, "deleted": True}, f"Deleted the schedule of {definition_id}.")


async def backfill(output: Output, definition_id: str, first: str, last: str) -> None:
    """Run missed periods. Raises RefusedError for those that are not due yet, in the wrong order, or of no calendar."""
    settings = read_settings()
    calendar = await _calendar(settings, definition_id)
    due = _due(RunPeriod.parse(first), RunPeriod.parse(last), calendar)
    due_at = list(due.values())
    # The start of a backfill is left out, its end is not.
    wanted = ScheduleBackfill(due_at[0] - timedelta(seconds=1), due_at[-1], overlap=ScheduleOverlapPolicy.BUFFER_ALL)
    _ = await temporal_for_orders(settings)
    async with _handle(settings, definition_id) as handle:
        await handle.backfill(wanted)
    output.answer(
        {"definition": definition_id, "periods": list(due)}, f"Asked for {definition_id} in {', '.join(due)}."
    )


def _due(first: RunPeriod, last: RunPeriod, calendar: RunCalendar) -> dict[str, datetime]:
    """Return when each period from the first to the last was due, by its name."""
    for field, period in (("from", first), ("to", last)):
        if calendar.due_in(period) is None:
            problem = f"{period} has no run by the calendar: {calendar.describe()}"
            raise refusal(field, "period_of_calendar", problem)
    if last.begins_at < first.begins_at:
        raise refusal("to", "months_in_order", f"{last} is before {first}")
    if (last_due := calendar.due_in(last)) is not None and last_due > datetime.now(UTC):
        problem = f"{last} is due at {last_due:%Y-%m-%d %H:%M}Z: the schedule will run it by itself"
        raise refusal("to", "month_was_due", problem)
    found: dict[str, datetime] = {}
    period = first
    while period.begins_at <= last.begins_at:
        if (due_at := calendar.due_in(period)) is not None:
            found[str(period)] = due_at
        if len(found) > _PERIODS_AT_MOST:
            raise refusal("to", "periods_at_most", f"{first} to {last} are more than {_PERIODS_AT_MOST}: ask in parts")
        period = _next(period, calendar)
    return found


def _next(period: RunPeriod, calendar: RunCalendar) -> RunPeriod:
    """Return the next period that may have a run: of so many minutes, not each minute between."""
    if isinstance(calendar, IntervalSchedule):
        return RunPeriod.of_minutes(period.begins_at + timedelta(minutes=calendar.every_minutes), 1)
    return period.next()


async def _calendar(settings: Settings, definition_id: str) -> RunCalendar:
    async with reading_database_of(settings) as database:
        for found in await read_schedules(database):
            if found.id == definition_id and found.calendar is not None:
                return found.calendar
    raise refusal("definition", "schedule_exists", f"the run definition {definition_id!r} has no schedule")


@asynccontextmanager
async def _handle(settings: Settings, definition_id: str) -> AsyncIterator[ScheduleHandle]:
    client = await temporal_of(settings)
    try:
        yield client.get_schedule_handle(schedule_id(definition_id))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        problem = f"{definition_id!r} has no schedule at Temporal; see schedule apply"
        raise refusal("definition", "schedule_exists", problem) from error
