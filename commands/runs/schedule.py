"""Applying and listing schedules."""

from typing import Any

from temporalio.client import Client, Schedule, ScheduleDescription, ScheduleUpdate, ScheduleUpdateInput
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database
from activities.messages.queries import mails_what_is_posted
from activities.reports.delivering import read_report_calendars
from activities.runs.schedule_queries import (
    EffectiveProviders,
    read_bank_refund_day,
    read_effective_providers,
    read_schedules,
)
from commands.formatting import moment
from commands.lists.paging import answer_all
from commands.output import Output, table
from commands.session import read_settings, reading_database_of, temporal_of
from models.workflow_ids import (
    AUDIT_SCHEDULE,
    BANK_REFUND_SCHEDULE,
    MAILING_SCHEDULE,
    REMINDER_SCHEDULE,
    SUPERVISOR_SCHEDULE,
    reconciliation_schedule,
    refund_schedule,
    report_schedule,
    schedule_id,
    sweep_schedule,
)
from workflows.reports.schedules import report_schedule_of
from workflows.runs.schedules import (
    ScheduledDefinition,
    audit_schedule,
    bank_refund_schedule_of,
    is_same,
    mailing_schedule,
    reconciliation_schedule_of,
    refund_schedule_of,
    reminder_schedule,
    schedule_of,
    sweep_schedule_of,
)
from workflows.supervision.schedule import supervisor_schedule

PREFIX = schedule_id("")


async def apply(output: Output) -> None:
    """Make Temporal's schedules what run definitions and providers ask for, and say what changed."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        wanted = await _wanted(database)
    client = await temporal_of(settings)
    there = await _ids(client)
    changes = [(name, await make_so(client, schedule_id(name), schedule)) for name, schedule in wanted.items()]
    for id in sorted(there - {schedule_id(name) for name in wanted}):
        await client.get_schedule_handle(id).delete()
        changes.append((id.removeprefix(PREFIX), "removed"))
    output.answer(
        {"changes": [{"definition": id, "change": change} for id, change in changes]},
        table("", "Definition", "Schedule", rows=changes),
    )


async def list_all(output: Output) -> None:
    """List the schedules with what they did and will do."""
    client = await temporal_of(read_settings())
    found = [await client.get_schedule_handle(id).describe() for id in sorted(await _ids(client))]
    documents = [_document(description) for description in found]
    rows = [
        (
            one["definition"],
            moment(one["next_at"]),
            one["time_zone"],
            moment(one["last_at"]),
            "paused: " + str(one["note"]) if one["paused"] else "runs",
            one["missed"],
        )
        for one in documents
    ]
    columns = ("Definition", "Next", "Time zone", "Last", "State", "Missed")
    answer_all(output, "schedules", documents, table("", *columns, rows=rows, right=("Missed",)))


async def _wanted(database: Database) -> dict[str, Schedule]:
    runs = {
        found.id: schedule_of(ScheduledDefinition(found.id, found.kind, found.calendar))
        for found in await read_schedules(database)
        if found.calendar is not None and found.is_effective
    }
    providers = await read_effective_providers(database)
    refunds = {refund_schedule(provider): refund_schedule_of(provider) for provider in providers.called}
    reminders = {REMINDER_SCHEDULE: reminder_schedule()} if providers.all else {}
    mailing = {MAILING_SCHEDULE: mailing_schedule()} if await mails_what_is_posted(database) else {}
    day = await read_bank_refund_day(database)
    by_bank = {BANK_REFUND_SCHEDULE: bank_refund_schedule_of(day)} if day else {}
    calendars = await read_report_calendars(database)
    reports = {report_schedule(id): report_schedule_of(id, calendar) for id, calendar in calendars.items()}
    return runs | refunds | by_bank | reports | reminders | mailing | checking_schedules(providers)


def checking_schedules(providers: EffectiveProviders) -> dict[str, Schedule]:
    """Return the schedules that look after an installation: none of them charges, refunds or writes to customers."""
    called = providers.called
    sweeps = {sweep_schedule(provider): sweep_schedule_of(provider) for provider in called}
    reconciled = {reconciliation_schedule(provider): reconciliation_schedule_of(provider) for provider in called}
    audit = {AUDIT_SCHEDULE: audit_schedule()} if providers.all else {}
    return sweeps | reconciled | audit | {SUPERVISOR_SCHEDULE: supervisor_schedule()}


async def make_so(client: Client, id: str, wanted: Schedule) -> str:
    """Create or update a schedule where it differs from what is wanted, and say which."""
    found = await find_schedule(client, id)
    if found is None:
        await client.create_schedule(id, wanted)
        return "created"
    if await is_same(found, wanted, client.data_converter):
        return "unchanged"

    def changed(current: ScheduleUpdateInput) -> ScheduleUpdate:
        # An operator's pause and note outlive a change of the calendar.
        wanted.state = current.description.schedule.state
        return ScheduleUpdate(wanted)

    await client.get_schedule_handle(id).update(changed)
    return "updated"


async def find_schedule(client: Client, id: str) -> Schedule | None:
    """Return a schedule, or None when there is none with this id."""
    try:
        return (await client.get_schedule_handle(id).describe()).schedule
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return None


async def paused_schedules(client: Client) -> list[str]:
    """Return the names of our schedules that somebody has paused."""
    return sorted(
        [
            entry.id.removeprefix(PREFIX)
            async for entry in await client.list_schedules()
            if entry.id.startswith(PREFIX) and entry.schedule is not None and entry.schedule.state.paused
        ]
    )


async def _ids(client: Client) -> set[str]:
    """Return the ids of the schedules that are ours. A new one may take a moment to be listed."""
    return {entry.id async for entry in await client.list_schedules() if entry.id.startswith(PREFIX)}


def _document(description: ScheduleDescription) -> dict[str, Any]:
    info, state = description.info, description.schedule.state
    return {
        "definition": description.id.removeprefix(PREFIX),
        "paused": state.paused,
        "note": state.note,
        "time_zone": description.schedule.spec.time_zone_name,
        "next_at": info.next_action_times[0] if info.next_action_times and not state.paused else None,
        "last_at": info.recent_actions[-1].scheduled_at if info.recent_actions else None,
        "missed": info.num_actions_missed_catchup_window,
        "skipped": info.num_actions_skipped_overlap,
    }
