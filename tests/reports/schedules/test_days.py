"""A scheduled report that is written late says what it would have said on its own day."""

import json
from datetime import date

from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.reports.delivering import ReportActivities, read_report_file
from models.reports.delivery import ReportOrderOfDay
from tests.support.builders import Merchant


async def test_days_of_a_report_count_from_the_day_that_was_due_whenever_it_is_written(
    merchant: Merchant, database: Database
) -> None:
    await merchant.run(
        "insert into duly.report_schedules (id, definition, format, calendar, recipients, actor) values ('all',"
        " jsonb_build_object('id', 'transactions', 'title', 'All', 'source', 'documents', 'columns',"
        " jsonb_build_array('posted_on', 'number'), 'period', 'last_month'),"
        " 'json', '{}', array['tax@example.com'], 'maria')"
    )

    await ActivityEnvironment().run(
        ReportActivities(database).keep_report, ReportOrderOfDay("all", "2025-03", date(2025, 3, 31))
    )

    kept = await read_report_file(database, "all", "2025-03")
    assert kept is not None
    assert json.loads(kept.content)["report"]["period"] == {"from": "2025-02-01", "to": "2025-02-28"}
