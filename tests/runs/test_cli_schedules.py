"""Run definitions as schedules of a real Temporal server."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from psycopg.types.json import Jsonb
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import Client, ScheduleOverlapPolicy, ScheduleUpdate, ScheduleUpdateInput, WorkflowFailureError
from temporalio.exceptions import ActivityError
from temporalio.service import RPCError

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

MONTH_ENDS_2027 = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


@pytest.fixture(autouse=True)
async def no_schedules(temporal_server: Client) -> AsyncIterator[None]:
    """The namespace is shared: every test leaves it without schedules."""
    yield
    for name in ("monthly", "plans", "events:stripe"):
        # Most tests have one schedule only, and some have deleted it.
        with contextlib.suppress(RPCError):
            await temporal_server.get_schedule_handle(f"schedule/{name}").delete()


async def scheduled(
    merchant: Merchant, *, day: int = 31, hour: int = 6, zone: str = "Europe/Nicosia", definition: str = "monthly"
) -> None:
    await merchant.run(
        "update duly.run_definitions set schedule = :schedule where id = :definition",
        definition=definition,
        schedule=Jsonb({"day": day, "hour": hour, "minute": 30, "time_zone": zone}),
    )


def change_of(printed: Any, definition: str = "monthly") -> str:
    """What applying did about one schedule."""
    (change,) = [one["change"] for one in printed["changes"] if one["definition"] == definition]
    return str(change)


async def listed(cli: CommandLine) -> None:
    """Return when the schedules are listed, which takes the server a moment."""
    schedules: list[object] = []
    while not schedules:
        schedules = [one for one in (await cli.json("schedule", "list"))["schedules"] if one["definition"] == "monthly"]


async def matching(client: Client, first: datetime, last: datetime) -> list[datetime]:
    start, end = Timestamp(), Timestamp()
    start.FromDatetime(first)
    end.FromDatetime(last)
    request = ListScheduleMatchingTimesRequest(
        namespace=client.namespace, schedule_id="schedule/monthly", start_time=start, end_time=end
    )
    answer = await client.workflow_service.list_schedule_matching_times(request)
    return [moment.ToDatetime(UTC) for moment in answer.start_time]


async def test_applying_makes_a_schedule_and_applying_again_changes_nothing(
    cli: CommandLine, merchant: Merchant, temporal_server: Client
) -> None:
    await scheduled(merchant)

    first, second = await cli.json("schedule", "apply"), await cli.json("schedule", "apply")

    described = await temporal_server.get_schedule_handle("schedule/monthly").describe()
    assert (change_of(first), change_of(second)) == ("created", "unchanged")
    assert (change_of(first, "events:stripe"), change_of(second, "events:stripe")) == ("created", "unchanged")
    assert described.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert described.schedule.policy.catchup_window is not None
    assert described.schedule.policy.catchup_window.days == 3
    assert described.schedule.policy.pause_on_failure
    assert described.info.last_updated_at is None


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("day", [1, 15, 28, 29, 30, 31])
async def test_the_run_of_every_month_of_2027_is_on_its_day_or_on_the_last(
    cli: CommandLine, merchant: Merchant, temporal_server: Client, day: int
) -> None:
    await scheduled(merchant, day=day)
    await cli.json("schedule", "apply")

    moments = await matching(
        temporal_server, datetime(2026, 12, 31, 22, tzinfo=UTC), datetime(2027, 12, 31, 21, tzinfo=UTC)
    )

    local = [moment.astimezone(ZoneInfo("Europe/Nicosia")) for moment in moments]
    assert [moment.month for moment in local] == list(range(1, 13))
    assert [moment.day for moment in local] == [min(day, last) for last in MONTH_ENDS_2027]
    # The wall clock says the same through the changes of March and October.
    assert {(moment.hour, moment.minute) for moment in local} == {(6, 30)}


@pytest.mark.parametrize(("day", "due"), [(28, 28), (29, 29), (30, 29), (31, 29)])
async def test_a_leap_year_has_its_29th_of_february(
    cli: CommandLine, merchant: Merchant, temporal_server: Client, day: int, due: int
) -> None:
    await scheduled(merchant, day=day, zone="UTC")
    await cli.json("schedule", "apply")

    moments = await matching(temporal_server, datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC))

    assert moments == [datetime(2028, 2, due, 6, 30, tzinfo=UTC)]


async def test_a_changed_calendar_updates_the_schedule_and_keeps_an_operators_pause(
    cli: CommandLine, merchant: Merchant
) -> None:
    await scheduled(merchant)
    await cli.json("schedule", "apply")
    await cli.json("schedule", "pause", "monthly", "--note", "bank holiday")
    await scheduled(merchant, day=15)

    printed = await cli.json("schedule", "apply")
    await listed(cli)
    (shown,) = [one for one in (await cli.json("schedule", "list"))["schedules"] if one["definition"] == "monthly"]

    assert change_of(printed) == "updated"
    assert (shown["paused"], shown["note"]) == (True, "bank holiday")


async def test_what_somebody_changed_in_the_ui_is_put_right(
    cli: CommandLine, merchant: Merchant, temporal_server: Client
) -> None:
    await scheduled(merchant)
    await cli.json("schedule", "apply")

    def every_hour(current: ScheduleUpdateInput) -> ScheduleUpdate:
        current.description.schedule.spec.cron_expressions = ["0 * * * *"]
        return ScheduleUpdate(current.description.schedule)

    await temporal_server.get_schedule_handle("schedule/monthly").update(every_hour)

    assert change_of(await cli.json("schedule", "apply")) == "updated"
    assert change_of(await cli.json("schedule", "apply")) == "unchanged"


@pytest.mark.parametrize("change", ["schedule = null", "state = 'not_effective'"])
async def test_a_definition_that_must_not_run_by_itself_loses_its_schedule(
    cli: CommandLine, merchant: Merchant, change: str
) -> None:
    await scheduled(merchant)
    await cli.json("schedule", "apply")
    await listed(cli)
    await merchant.run(f"update duly.run_definitions set {change} where id = 'monthly'")

    printed = await cli.json("schedule", "apply")

    assert change_of(printed) == "removed"


async def test_a_paused_schedule_is_resumed(cli: CommandLine, merchant: Merchant, temporal_server: Client) -> None:
    await scheduled(merchant)
    await cli.json("schedule", "apply")
    handle = temporal_server.get_schedule_handle("schedule/monthly")

    await cli.json("schedule", "pause", "monthly")
    paused = (await handle.describe()).schedule.state.paused
    await cli.json("schedule", "resume", "monthly")

    assert paused
    assert not (await handle.describe()).schedule.state.paused


async def test_months_that_were_missed_are_run_once_each(
    cli: CommandLine, merchant: Merchant, workers: None, temporal_server: Client
) -> None:
    await scheduled(merchant, zone="UTC", definition="plans")
    await merchant.subscription(await merchant.account(), price_minor=1000, starts_on=date(2024, 1, 1))
    await cli.json("schedule", "apply")

    printed = await cli.json("schedule", "backfill", "plans", "2024-01", "2024-03")
    await cli.json("schedule", "backfill", "plans", "2024-02", "2024-03")

    assert printed["periods"] == ["2024-01", "2024-02", "2024-03"]
    for period in printed["periods"]:
        started = f"scheduled/plans-{period}-{29 if period.endswith('02') else 31}T06:30:00Z"
        assert await _result(temporal_server, started) == f"billing/plans/{period}"
        await _result(temporal_server, f"billing/plans/{period}")
    found = await cli.json("runs", "list", "--definition", "plans")
    assert sorted(run["id"] for run in found["runs"]) == [f"billing/plans/2024-0{month}" for month in (1, 2, 3)]


@pytest.mark.nightly
async def test_a_scheduled_run_over_nobody_leaves_its_month_open_and_is_seen_to_have_failed(
    cli: CommandLine, merchant: Merchant, workers: None, temporal_server: Client
) -> None:
    await scheduled(merchant, zone="UTC")
    await cli.json("schedule", "apply")

    await cli.json("schedule", "backfill", "monthly", "2024-01", "2024-01")
    started = await _result(temporal_server, "scheduled/monthly-2024-01-31T06:30:00Z")
    with pytest.raises(WorkflowFailureError) as failed:
        await _result(temporal_server, "run/monthly/2024-01")

    assert started == "run/monthly/2024-01"
    assert isinstance(failed.value.cause, ActivityError)
    assert "run/monthly/2024-01 is over nobody" in str(failed.value.cause.cause)
    assert (await cli.json("runs", "list"))["runs"] == []
    closed = await cli.json("runs", "start", "monthly", "2024-01", "--over-nobody", "--wait")
    assert (closed["state"], closed["members"]) == ("completed", 0)


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("backfill", "monthly", "2024-03", "2024-01"), "months_in_order"),
        (("backfill", "monthly", "2024-03", "2199-01"), "month_was_due"),
        (("backfill", "plans", "2024-01", "2024-01"), "schedule_exists"),
        (("pause", "nothing"), "schedule_exists"),
        (("resume", "nothing"), "schedule_exists"),
        (("delete", "nothing"), "schedule_exists"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    cli: CommandLine, merchant: Merchant, words: tuple[str, ...], rule: str
) -> None:
    await scheduled(merchant)
    await cli.json("schedule", "apply")

    printed = await cli("schedule", *words, "--json")

    assert printed.exit_code == 1
    assert [fault[1] for fault in printed.rules] == [rule]


async def _result(client: Client, workflow_id: str) -> object:
    """Wait until the schedule has started a workflow, and for its result."""
    while True:
        with contextlib.suppress(RPCError):
            return await client.get_workflow_handle(workflow_id).result()
