"""Scheduled reports that are too large or take too long: both have bounds, and nobody is sent what is mended."""

from dataclasses import replace
from datetime import date

import pytest
from temporalio.testing import ActivityEnvironment

from activities.database import Database, DatabaseUnavailableError
from activities.reports import delivering
from activities.reports.delivering import TRIES_IN_TIME, ReportActivities
from models.reports.delivery import ReportFormat, ReportOrderOfDay
from tests.support.builders import Merchant

ORDER = ReportOrderOfDay("all", "2026-07", date(2026, 7, 31))


async def set_schedule(merchant: Merchant, format: ReportFormat = ReportFormat.CSV) -> None:
    """Keep a schedule, without the one that Temporal would have of it."""
    await merchant.run(
        "insert into duly.report_schedules (id, definition, format, calendar, recipients, actor) values ('all',"
        " jsonb_build_object('id', 'transactions', 'title', 'All', 'source', 'documents', 'columns',"
        " jsonb_build_array('posted_on', 'number'), 'period',"
        " jsonb_build_object('from', '2020-01-01', 'to', '2030-12-31')),"
        " :format, '{}', array['ada@example.com', 'tax@example.com'], 'maria')",
        format=str(format),
    )


@pytest.mark.parametrize("format", [ReportFormat.CSV, ReportFormat.JSON, ReportFormat.HTML, ReportFormat.XLSX])
async def test_a_file_is_given_up_as_soon_as_it_is_larger_than_what_is_kept(
    merchant: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch, format: ReportFormat
) -> None:
    monkeypatch.setattr(delivering, "KEPT_BYTES_AT_MOST", 5)
    await set_schedule(merchant, format)

    delivered = await ActivityEnvironment().run(ReportActivities(database).keep_report, ORDER)

    assert delivered is not None
    assert (delivered.file, delivered.recipients) == ("", 2)
    assert "the file has more than" in delivered.problem


@pytest.mark.parametrize(("attempt", "is_reported"), [(TRIES_IN_TIME - 1, False), (TRIES_IN_TIME, True)])
async def test_a_report_that_takes_too_long_each_time_is_no_query_for_ever(
    merchant: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch, attempt: int, is_reported: bool
) -> None:
    async def slow(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("the database did not answer in time")

    await set_schedule(merchant)
    monkeypatch.setattr(delivering, "run_report", slow)
    worker = ActivityEnvironment()
    worker.info = replace(worker.info, attempt=attempt)

    with pytest.raises(DatabaseUnavailableError):
        # What is over at once is an outage, however often it was tried.
        await worker.run(ReportActivities(database).keep_report, ORDER)
    monkeypatch.setattr(delivering, "TIMEOUT_SECONDS", 0)
    if is_reported:
        delivered = await worker.run(ReportActivities(database).keep_report, ORDER)
        assert delivered is not None
        assert delivered.problem.startswith("takes more than")
    else:
        with pytest.raises(DatabaseUnavailableError):
            await worker.run(ReportActivities(database).keep_report, ORDER)


async def test_a_mail_about_a_try_that_was_mended_meanwhile_is_not_sent(
    merchant: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_schedule(merchant)
    activities, worker = ReportActivities(database), ActivityEnvironment()
    with monkeypatch.context() as patched:
        patched.setattr(delivering, "KEPT_BYTES_AT_MOST", 5)
        await worker.run(activities.keep_report, ORDER)
    # Nothing has gone out yet when it is written after all, for one recipient fewer.
    await merchant.run("update duly.report_schedules set recipients = array['ada@example.com']")
    worker.info = replace(worker.info, workflow_run_id="another")
    await worker.run(activities.keep_report, ORDER)

    claimed = {
        id: await database.call("claim_message", id=f"report_ready/all/2026-07/{id}") for id in ("1/1", "1/2", "2/1")
    }

    assert {id: bool(one) for id, one in claimed.items()} == {"1/1": False, "1/2": False, "2/1": True}
    assert claimed["2/1"]["recipient"] == "ada@example.com"
