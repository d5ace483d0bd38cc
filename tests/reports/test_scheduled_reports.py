"""Reports by a calendar: written once for a period as of the day that was due, kept, and mailed to who is named."""

import asyncio
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError
from temporalio.client import Client, ScheduleBackfill, ScheduleOverlapPolicy
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.documents import document_problems
from activities.printouts.attaching import DocumentAttachments
from activities.reports.delivering import ReportActivities
from activities.reports.schedule_document import ReportScheduleDocument
from models.problem import RefusedError
from models.reports.delivery import ReportDelivered, ReportDue, ReportOrderOfDay, report_due
from models.runs.schedule import MonthlySchedule, WeeklySchedule
from models.workflow_ids import report_id, report_schedule, schedule_id
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from workflows.visibility import REVIEW_REASON

VAT = """
id = "vat"
report = "transactions"
format = "csv"
recipients = ["tax@example.com", "ada@example.com"]
[filters]
classification = "invoice"
[schedule]
day = 31
hour = 1
time_zone = "Europe/Nicosia"
"""


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    """Settings of a company whose reports are mailed."""
    return settings.model_copy(update={"smtp_url": mailbox.url})


@pytest.fixture
def vat() -> str:
    """Id of a report by a calendar: tests share the server's schedules."""
    return f"vat-{uuid4().hex[:8]}"


@pytest.fixture
def document(tmp_path: Path, vat: str) -> Path:
    """A report by a calendar."""
    path = tmp_path / "vat.toml"
    path.write_text(VAT.replace('id = "vat"', f'id = "{vat}"'))
    return path


async def kept_at_once(database: Database, order: ReportOrderOfDay, times: int) -> Sequence[ReportDelivered | None]:
    activities, worker = ReportActivities(database), ActivityEnvironment()
    worker.info = replace(worker.info, workflow_run_id=uuid4().hex)
    return await asyncio.gather(*(worker.run(activities.keep_report, order) for _ in range(times)))


async def kept_by(database: Database, schedule_id: str, period: str, *, run_id: str = "", ties: bool = True) -> Any:
    """Keep a file for a period, as a run of the workflow does that knew of none."""
    return await database.call(
        "keep_report",
        schedule_id=schedule_id,
        period=period,
        title="All transactions posted",
        file_name="file.csv",
        media_type="text/csv",
        content=b"posted_on",
        rows=0,
        ties=ties,
        problem="",
        workflow_id="report-delivery",
        run_id=run_id,
    )


@pytest.mark.parametrize(
    ("named", "at", "due"),
    [
        ("", datetime(2026, 9, 29, 22, tzinfo=UTC), ReportDue("2026-09", date(2026, 9, 30))),
        ("2026-02", datetime(2026, 9, 29, tzinfo=UTC), ReportDue("2026-02", date(2026, 2, 28))),
        ("2026-01", datetime(2026, 9, 29, tzinfo=UTC), None),
    ],
)
def test_a_report_is_as_of_the_day_that_was_due_on_the_clock_of_its_calendar(
    named: str, at: datetime, due: ReportDue | None
) -> None:
    monthly = MonthlySchedule(31, 1, 0, "Europe/Nicosia", starts_on=date(2026, 2, 1))

    assert report_due(monthly, named, at) == due


def test_between_two_periods_no_report_is_due() -> None:
    fortnightly = WeeklySchedule("monday", 6, 0, "UTC", every_weeks=2, starts_on=date(2026, 9, 7))

    found = [report_due(fortnightly, "", datetime(2026, 9, day, 6, tzinfo=UTC)) for day in (7, 14, 21)]

    assert [one and one.period for one in found] == ["2026-W37", None, "2026-W39"]


@pytest.mark.usefixtures("workers")
async def test_a_period_is_written_once_kept_and_mailed_once_to_each(
    merchant: Merchant, cli: CommandLine, mailbox: Mailbox, vat: str, document: Path, tmp_path: Path
) -> None:
    await merchant.invoice(await merchant.account(), 2500)

    made = await cli.json("reports", "schedule", "set", str(document), "--actor", "maria", "--reason", "tax office")
    written = await cli.json("reports", "schedule", "run", vat, "2026-08")
    again = await cli.json("reports", "schedule", "run", vat, "2026-08")
    mails = await mailbox.wait_for(2)
    target = tmp_path / "fetched.csv"
    await cli.json("reports", "schedule", "fetch", vat, "2026-08", "--output", str(target))
    listed = (await cli.json("reports", "schedule", "list"))["report_schedules"]

    assert (made["schedule"], made["recipients"]) == ("created", 2)
    assert written == again
    assert (written["file"], written["tries"], written["ties"]) == (f"{vat}-2026-08.csv", 1, True)
    assert sorted(mail.recipients[0] for mail in mails) == ["ada@example.com", "tax@example.com"]
    assert {mail.subject for mail in mails} == {"Duly: All transactions posted, 2026-08"}
    assert target.read_text().startswith("posted_on,number,classification")
    assert [(one["id"], one["last"], one["set_by"]) for one in listed] == [(vat, "2026-08", "maria")]


async def test_whoever_writes_it_at_the_same_moment_there_is_one_file_and_one_mail_to_each(
    merchant: Merchant, database: Database, cli: CommandLine, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))

    found = await kept_at_once(database, ReportOrderOfDay(vat, "2026-07", date(2026, 7, 31)), 4)

    assert len({str(one) for one in found}) == 1
    assert await merchant.value("select count(*) from duly.messages where kind = 'report_ready'") == 2
    [attached] = await DocumentAttachments(database).of(f"report_ready/{vat}/2026-07/1/2")
    assert (attached.name, attached.media_type) == (f"{vat}-2026-07.csv", "text/csv")
    assert attached.content.startswith(b"posted_on,")


async def test_of_two_runs_that_have_written_a_period_the_second_changes_nothing_and_mails_nothing(
    merchant: Merchant, database: Database, cli: CommandLine, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))

    kept = [await kept_by(database, vat, "2026-07", run_id=run) for run in ("first", "second")]

    assert [one["tries"] for one in kept] == [1, 1]
    assert await merchant.value("select count(*) from duly.messages where kind = 'report_ready'") == 2


async def test_a_try_whose_worker_died_before_it_answered_is_repeated_without_a_second_mail(
    merchant: Merchant, database: Database, cli: CommandLine, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))
    await merchant.run(
        "update duly.report_schedules set definition = jsonb_set(definition, '{columns}', '[\"colour\"]')"
    )
    order = ReportOrderOfDay(vat, "2026-07", date(2026, 7, 31))
    worker = ActivityEnvironment()
    activities = ReportActivities(database)

    first = await worker.run(activities.keep_report, order)
    repeated = await worker.run(activities.keep_report, order)

    assert first == repeated
    assert await merchant.value("select count(*) from duly.messages where kind = 'report_ready'") == 2


@pytest.mark.usefixtures("workers")
async def test_what_could_not_be_written_is_told_with_the_reason_and_tried_again_until_it_is(
    merchant: Merchant, cli: CommandLine, mailbox: Mailbox, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))
    of_another_release = "jsonb_set(definition, '{columns}', '[\"colour\"]')"
    await merchant.run(f"update duly.report_schedules set definition = {of_another_release}")

    broken = await cli.json("reports", "schedule", "run", vat, "2026-07")
    first = await mailbox.wait_for(2)
    await cli.json("reports", "schedule", "set", str(document))
    mended = await cli.json("reports", "schedule", "run", vat, "2026-07")
    mails = await mailbox.wait_for(4)

    assert (broken["file"], "colour" in broken["problem"]) == ("", True)
    assert (mended["problem"], mended["tries"], mended["file"]) == ("", 2, f"{vat}-2026-07.csv")
    assert all("colour" in mail.text for mail in first)
    assert sorted(mail.recipients[0] for mail in mails) == ["ada@example.com"] * 2 + ["tax@example.com"] * 2


@pytest.mark.usefixtures("workers")
async def test_who_gets_a_report_that_is_not_what_the_ledger_says_is_told_so(
    merchant: Merchant, database: Database, cli: CommandLine, temporal_server: Client, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))

    reviewed = []
    for period, ties in (("2026-06", True), ("2026-07", False)):
        await kept_by(database, vat, period, ties=ties)
        await cli.json("reports", "schedule", "run", vat, period)
        described = await temporal_server.get_workflow_handle(report_id(vat, period)).describe()
        reviewed.append(described.typed_search_attributes.get(REVIEW_REASON))

    notified = await merchant.run(
        "select distinct parameters ->> 'occasion' as period, parameters ->> 'code' as code from duly.messages"
        " where kind = 'report_ready' order by 1"
    )
    assert [tuple(row) for row in notified] == [("2026-06", ""), ("2026-07", "differs")]
    assert reviewed == [None, "report_differs"]


@pytest.mark.usefixtures("workers")
async def test_what_a_calendar_catches_up_is_the_report_of_its_own_moment(
    merchant: Merchant, cli: CommandLine, temporal_server: Client, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))
    day = datetime(2026, 3, 31, tzinfo=UTC)

    missed = ScheduleBackfill(day - timedelta(days=2), day, overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    await temporal_server.get_schedule_handle(schedule_id(report_schedule(vat))).backfill(missed)

    async def kept() -> list[str]:
        return [row.period for row in await merchant.run("select period from duly.report_deliveries")]

    async def is_kept() -> bool:
        return bool(await kept())

    await until(is_kept)
    assert await kept() == ["2026-03"]


@pytest.mark.usefixtures("workers")
async def test_a_removed_schedule_writes_nothing_more_and_what_it_has_written_stays(
    cli: CommandLine, temporal_server: Client, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))
    await cli.json("reports", "schedule", "run", vat, "2026-08")

    applied = await cli.json("schedule", "apply")
    await cli.json("reports", "schedule", "remove", vat, "--actor", "maria", "--reason", "no more")
    refused = await cli("reports", "schedule", "run", vat, "2026-07", "--json")
    shown = await cli.json("reports", "schedule", "show", vat)
    history = await cli.json("books", "history", "report_schedules")

    assert {"definition": report_schedule(vat), "change": "unchanged"} in applied["changes"]
    assert [(one["file"], one["rows"]) for one in shown["reports"]] == [(f"{vat}-2026-08.csv", 0)]
    assert refused.rules == [("schedule", "schedule_known")]
    newest = history["changes"][0]
    assert (newest["actor"], newest["reason"]) == ("maria", "no more")
    listed = [one.id async for one in await temporal_server.list_schedules()]
    assert schedule_id(report_schedule(vat)) not in listed


@pytest.mark.usefixtures("workers")
async def test_a_removal_that_was_cut_off_before_temporal_is_repeated(
    cli: CommandLine, temporal_server: Client, database: Database, vat: str, document: Path
) -> None:
    await cli.json("reports", "schedule", "set", str(document))
    await database.call("remove_report_schedule", id=vat, actor="maria", reason="no more")

    await cli.json("reports", "schedule", "remove", vat, "--actor", "maria", "--reason", "no more")
    again = await cli("reports", "schedule", "remove", vat, "--actor", "maria", "--reason", "no more", "--json")

    listed = [one.id async for one in await temporal_server.list_schedules()]
    assert schedule_id(report_schedule(vat)) not in listed
    assert again.rules == [("schedule", "schedule_known")]


@pytest.mark.parametrize(
    ("was", "now", "field"),
    [
        ('report = "transactions"', 'report = "nothing"', "document"),
        ('classification = "invoice"', 'colour = "red"', "filters.colour"),
        ("tax@example.com", "tax", "recipients.0"),
        ("ada@example.com", "tax@example.com", "document"),
        ("day = 31", "day = 32", "schedule.day"),
        ('format = "csv"', 'format = "docx"', "format"),
    ],
)
def test_what_makes_no_report_by_a_calendar_is_refused_with_the_field(was: str, now: str, field: str) -> None:
    content = tomllib.loads(VAT.replace(was, now))

    with pytest.raises((ValidationError, RefusedError)) as refused:
        ReportScheduleDocument.model_validate(content).narrowed()

    wrong = refused.value
    problems = document_problems(wrong) if isinstance(wrong, ValidationError) else getattr(wrong, "problems", ())
    assert [problem.field for problem in problems] == [field]
