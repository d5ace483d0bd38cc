"""Moments as people read them."""

from datetime import UTC, datetime, timedelta, timezone

from models.moment import in_utc, on_both_clocks

EVENING = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)


def test_a_moment_is_said_in_utc_whatever_clock_it_came_with() -> None:
    assert in_utc(EVENING.astimezone(timezone(timedelta(hours=9)))) == "2026-11-25 22:30Z"


def test_the_local_hour_stands_beside_utc() -> None:
    assert on_both_clocks(EVENING, "Europe/Berlin") == "Wed 2026-11-25 22:30 UTC (23:30 in Europe/Berlin)"


def test_where_it_is_another_day_already_the_day_is_said() -> None:
    assert on_both_clocks(EVENING, "Asia/Tokyo") == "Wed 2026-11-25 22:30 UTC (Thu 2026-11-26 07:30 in Asia/Tokyo)"
