"""Calendars in a document, as schedules of a real Temporal server, and the runs that they start."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from models.runs.run_period import RunPeriod
from models.runs.schedule import calendar_of
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

HEAD = '[[run_definitions]]\nid = "often"\nname = "Often"\nkind = "payment"\nprovider = "stripe"\nschedule = '
BILLING = '[[run_definitions]]\nid = "often"\nname = "Often"\nkind = "billing"\nschedule = '
CLOCK = 'hour = 6, minute = 30, time_zone = "Europe/Nicosia"'
INTERVAL = '{ every_minutes = 60, starts_on = 2028-03-25, ends_on = 2028-03-27, time_zone = "UTC" }'
WEEKLY = f'{{ weekday = "friday", {CLOCK} }}'


@pytest.fixture(autouse=True)
async def no_schedules(temporal_server: Client) -> AsyncIterator[None]:
    """The namespace is shared: every test leaves it without schedules."""
    yield
    for name in ("often", "events:stripe"):
        with contextlib.suppress(RPCError):
            await temporal_server.get_schedule_handle(f"schedule/{name}").delete()


async def apply(cli: CommandLine, folder: Path, text: str) -> str:
    path = folder / "definitions.toml"
    path.write_text(text, encoding="utf-8")
    return str((await cli.json("definitions", "apply", str(path)))["changes"][-1]["change"])


async def schedule(cli: CommandLine) -> str:
    changes = (await cli.json("schedule", "apply"))["changes"]
    (change,) = [one["change"] for one in changes if one["definition"] == "often"]
    return str(change)


async def matching(client: Client, first: datetime, last: datetime) -> list[datetime]:
    start, end = Timestamp(), Timestamp()
    start.FromDatetime(first)
    end.FromDatetime(last)
    request = ListScheduleMatchingTimesRequest(
        namespace=client.namespace, schedule_id="schedule/often", start_time=start, end_time=end
    )
    answer = await client.workflow_service.list_schedule_matching_times(request)
    return [moment.ToDatetime(UTC) for moment in answer.start_time]


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("calendar", "runs"),
    [
        (WEEKLY, 52),
        (f"{{ day = 31, months = [3, 6, 9, 12], {CLOCK} }}", 4),
        (f"{{ day = 30, months = [2], {CLOCK} }}", 1),
        (f"{{ every_days = 1, {CLOCK} }}", 366),
        (f"{{ every_days = 1, starts_on = 2028-03-20, ends_on = 2028-03-31, {CLOCK} }}", 12),
        (f"{{ on = 2028-06-15, {CLOCK} }}", 1),
        (INTERVAL, 3 * 24),
    ],
)
async def test_temporal_starts_a_run_in_each_period_of_a_calendar_and_in_no_other(
    cli: CommandLine, merchant: Merchant, temporal_server: Client, tmp_path: Path, calendar: str, runs: int
) -> None:
    """2028 is a leap year; both clock changes of Cyprus are in it."""
    await apply(cli, tmp_path, HEAD + calendar)

    changes = [await schedule(cli), await schedule(cli)]

    moments = await matching(
        temporal_server, datetime(2027, 12, 31, 22, tzinfo=UTC), datetime(2028, 12, 31, 21, 59, tzinfo=UTC)
    )
    stored = await merchant.value("select schedule from duly.run_definitions where id = 'often'")
    kept = calendar_of(stored)
    assert kept is not None
    every = getattr(kept, "every_minutes", 1)
    periods = [RunPeriod.at(moment, kept.time_zone, kept.unit, every) for moment in moments]
    assert changes == ["created", "unchanged"]
    assert [kept.due_in(period) for period in periods] == moments
    assert len({str(period) for period in periods}) == len(moments) == runs


async def test_a_calendar_is_listed_kept_by_a_document_that_says_nothing_and_changed_by_one_that_does(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    changes = [
        await apply(cli, tmp_path, HEAD + WEEKLY),
        await apply(cli, tmp_path, HEAD + WEEKLY),
        await apply(cli, tmp_path, HEAD.removesuffix("schedule = ")),
        await apply(cli, tmp_path, HEAD + f"{{ on = 2028-06-15, {CLOCK} }}"),
    ]
    text = (await cli("definitions", "list", COLUMNS="300")).stdout

    assert changes == ["created", "unchanged", "unchanged", "updated"]
    assert "once on 2028-06-15, 06:30 Europe/Nicosia" in text


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (HEAD + f"{{ {CLOCK} }}", "schedule"),
        (HEAD + f'{{ day = 1, weekday = "friday", {CLOCK} }}', "schedule"),
        (HEAD + f'{{ weekday = "friday", months = [1], {CLOCK} }}', "schedule"),
        (HEAD + f"{{ day = 1, every_weeks = 2, {CLOCK} }}", "schedule"),
        (HEAD + f"{{ day = 1, months = [6, 3], {CLOCK} }}", "schedule"),
        (HEAD + f"{{ day = 1, months = [13], {CLOCK} }}", "schedule.months.0"),
        (HEAD + f"{{ day = 1, months = [], {CLOCK} }}", "schedule"),
        (HEAD + f'{{ weekday = "5", {CLOCK} }}', "schedule.weekday"),
        (HEAD + f"{{ every_days = 3, {CLOCK} }}", "schedule"),
        (HEAD + f"{{ on = 2028-06-15, ends_on = 2028-06-16, {CLOCK} }}", "schedule"),
        (HEAD + f"{{ on = 2100-01-01, {CLOCK} }}", "schedule.on"),
        (HEAD + f"{{ every_days = 1, starts_on = 2028-06-15, ends_on = 2028-06-14, {CLOCK} }}", "schedule"),
        (HEAD + '{ weekday = "sunday", hour = 3, minute = 30, time_zone = "Europe/Nicosia" }', "schedule"),
        (HEAD + '{ every_minutes = 3, time_zone = "UTC" }', "schedule.every_minutes"),
        (HEAD + '{ every_minutes = 25, time_zone = "UTC" }', "schedule"),
        (HEAD + f"{{ every_minutes = 60, {CLOCK} }}", "schedule"),
        (HEAD + '{ every_days = 1, time_zone = "UTC" }', "schedule"),
        (BILLING + INTERVAL, ""),
        (BILLING + WEEKLY, ""),
        (BILLING + f"{{ day = 1, months = [1], {CLOCK} }}", ""),
    ],
)
async def test_a_calendar_that_makes_no_sense_is_refused_by_its_field(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, text: str, field: str
) -> None:
    path = tmp_path / "definitions.toml"
    path.write_text(text, encoding="utf-8")

    refused = await cli("definitions", "apply", str(path), "--json")

    assert refused.exit_code == 1
    assert [one[0] for one in refused.rules] == [f"run_definitions.0.{field}".removesuffix(".")]
    assert await merchant.value("select count(*) from duly.run_definitions where id = 'often'") == 0


@pytest.mark.nightly
async def test_weeks_that_were_missed_are_run_once_each_and_those_between_are_left_out(
    cli: CommandLine, merchant: Merchant, workers: None, temporal_server: Client, tmp_path: Path
) -> None:
    fortnights = f'{{ weekday = "friday", every_weeks = 2, starts_on = 2024-01-05, {CLOCK} }}'
    await apply(cli, tmp_path, HEAD + fortnights)
    await schedule(cli)

    printed = await cli.json("schedule", "backfill", "often", "2024-W01", "2024-W03")
    again = await cli("schedule", "backfill", "often", "2024-W02", "2024-W03", "--json")

    assert printed["periods"] == ["2024-W01", "2024-W03"]
    assert again.rules == [("from", "period_of_calendar")]
    started = [await _result(temporal_server, f"scheduled/often-2024-01-{day}T04:30:00Z") for day in ("05", "12", "19")]
    assert started == ["run/often/2024-W01", "", "run/often/2024-W03"]
    for run in ("run/often/2024-W01", "run/often/2024-W03"):
        await _result(temporal_server, run)
    found = await cli.json("runs", "list", "--definition", "often")
    assert sorted(run["id"] for run in found["runs"]) == ["run/often/2024-W01", "run/often/2024-W03"]


@pytest.mark.nightly
async def test_a_run_of_every_hour_is_named_by_its_time_and_the_next_waits_for_it(
    cli: CommandLine, merchant: Merchant, workers: None, temporal_server: Client, tmp_path: Path
) -> None:
    account = await merchant.account(owes_minor=2500)
    await apply(cli, tmp_path, HEAD + '{ every_minutes = 60, time_zone = "UTC" }')
    await schedule(cli)

    printed = await cli.json("schedule", "backfill", "often", "2026-11-28T13:00Z", "2026-11-28T14:00Z")
    between = await cli("schedule", "backfill", "often", "2026-11-28T13:30Z", "2026-11-28T14:00Z", "--json")
    years = await cli("schedule", "backfill", "often", "2020-01-01T00:00Z", "2026-11-28T14:00Z", "--json")

    runs = [f"run/often/2026-11-28T1{hour}:00Z" for hour in (3, 4)]
    assert (printed["periods"], between.rules) == ([run[-17:] for run in runs], [("from", "period_of_calendar")])
    assert years.rules == [("to", "periods_at_most")]
    ids = [f"scheduled/often-2026-11-28T1{hour}:00:00Z" for hour in (3, 4)]
    assert [await _result(temporal_server, id) for id in ids] == runs
    ended = [(await temporal_server.get_workflow_handle(run).describe()).close_time for run in runs]
    assert None not in ended
    found = (await cli.json("runs", "list", "--definition", "often"))["runs"]
    assert {run["id"]: run["state"] for run in found} == dict.fromkeys(runs, "completed")
    asked = (await cli.json("requests", "list", "--account", account))["requests"]
    assert [(one["run_id"], one["amount_minor"]) for one in asked] == [(runs[0], 2500)]


async def _result(client: Client, workflow_id: str) -> object:
    """Wait until the schedule has started a workflow, and for its result."""
    while True:
        with contextlib.suppress(RPCError):
            return await client.get_workflow_handle(workflow_id).result()
