"""When a period is due: from the calendar's moment on; where there is no calendar, once it has begun somewhere."""

from datetime import UTC, date, datetime

import pytest

from models.runs.process_run import RunRequest
from models.runs.refund_run import RefundRunRequest
from models.runs.run_start import not_due
from models.runs.schedule import MonthlySchedule
from models.workflow_inputs import problems_of_input

ON_THE_26TH = MonthlySchedule(26, 10, 0, "Asia/Nicosia")


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (datetime(2026, 11, 26, 7, 59, tzinfo=UTC), "2026-11 is due at 2026-11-26 08:00Z"),
        (datetime(2026, 11, 26, 8, 0, tzinfo=UTC), None),
        (datetime(2027, 1, 1, tzinfo=UTC), None),
    ],
)
def test_with_a_calendar_a_month_is_due_at_its_moment(now: datetime, message: str | None) -> None:
    found = not_due("2026-11", ON_THE_26TH, now)

    assert (found.message if found else None) == message


@pytest.mark.parametrize(
    ("now", "is_due"),
    [
        (datetime(2026, 10, 31, 9, 59, tzinfo=UTC), False),
        # Kiritimati is fourteen hours ahead.
        (datetime(2026, 10, 31, 10, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 30, tzinfo=UTC), True),
    ],
)
def test_without_a_calendar_a_month_is_due_once_it_has_begun_somewhere_on_earth(now: datetime, is_due: bool) -> None:
    assert (not_due("2026-11", None, now) is None) is is_due
    assert (problems_of_input(RunRequest("monthly", "2026-11"), now) == []) is is_due


def test_who_asks_knowingly_may_run_a_month_early_and_a_shadow_charges_nobody() -> None:
    long_before = datetime(2026, 1, 1, tzinfo=UTC)

    assert problems_of_input(RunRequest("monthly", "2026-11", not_due_yet=True), long_before) == []
    assert problems_of_input(RunRequest("monthly", "2026-11", is_shadow=True), long_before) == []


def test_the_refunds_of_a_day_that_has_not_begun_wait_for_it_too() -> None:
    now = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    [early] = problems_of_input(RefundRunRequest("stripe", date(2026, 11, 27)), now)

    assert (early.field, early.rule) == ("day", "day_is_due")
    assert problems_of_input(RefundRunRequest("stripe", date(2026, 11, 26)), now) == []
    assert problems_of_input(RefundRunRequest("stripe", date(2026, 11, 27), not_due_yet=True), now) == []
