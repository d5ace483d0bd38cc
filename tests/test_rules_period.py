"""A period is a pair of dates: months follow each other without a gap or an overlap, wherever the clock stands."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.period import InvalidPeriodError, Period

ZONES = sorted(available_timezones() - {"localtime"})
DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_period_reads_as_it_is_written() -> None:
    period = Period.parse("2026-11")

    assert (period.starts_on, period.ends_on) == (date(2026, 11, 1), date(2026, 12, 1))
    assert str(period) == "2026-11"


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026", "2026-13", "2026-00", "0000-01", "0999-01", "9999-12", "26-11", "2026-1", "2026-11-01"),
        *(" 2026-11", "2026-11\n", "\u0662\u0660\u0662\u0666-11"),
    ],
)
def test_what_is_not_a_month_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidPeriodError, match=r"^period: .* is not a month like 2026-11$"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("period", "billing_day", "expected"),
    [
        ("2026-01", 31, date(2026, 1, 31)),
        ("2026-02", 31, date(2026, 2, 28)),
        ("2026-02", 29, date(2026, 2, 28)),
        ("2028-02", 29, date(2028, 2, 29)),
        ("2028-02", 31, date(2028, 2, 29)),
        ("2100-02", 29, date(2100, 2, 28)),  # a century is no leap year, unless it is the fourth
        ("2000-02", 29, date(2000, 2, 29)),
        ("2026-04", 31, date(2026, 4, 30)),
        ("2026-12", 31, date(2026, 12, 31)),
        ("2026-02", 1, date(2026, 2, 1)),
    ],
)
def test_a_billing_day_that_the_month_lacks_is_its_last(period: str, billing_day: int, expected: date) -> None:
    assert Period.parse(period).anchor_on(billing_day) == expected


def test_december_is_followed_by_january() -> None:
    assert str(Period.parse("2026-12").next()) == "2027-01"


@given(DAYS)
def test_every_day_lies_in_the_one_period_that_is_its_month(day: date) -> None:
    period = Period.of(day)

    assert period.starts_on <= day < period.ends_on
    assert period.next().starts_on == period.ends_on
    assert Period.parse(str(period)) == period
    assert (period.starts_on.day, period.ends_on.day) == (1, 1)


@given(DAYS, st.integers(1, 31))
def test_the_months_of_a_subscription_follow_each_other_without_gap_or_overlap(day: date, billing_day: int) -> None:
    this, following = Period.of(day), Period.of(day).next()

    begins, ends = this.anchor_on(billing_day), following.anchor_on(billing_day)

    assert this.starts_on <= begins < this.ends_on
    assert timedelta(days=28) <= ends - begins <= timedelta(days=31)


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_moment_lies_in_the_month_that_the_wall_shows(moment: datetime, zone: str) -> None:
    period = Period.at(moment, zone)

    assert str(period) == f"{moment.astimezone(ZoneInfo(zone)):%Y-%m}"


@given(st.integers(1990, 2090), st.integers(1, 12), st.sampled_from(ZONES))
def test_at_the_turn_of_a_month_one_second_decides_everywhere(year: int, month: int, zone: str) -> None:
    first = datetime(year, month, 1, 12, tzinfo=UTC)
    seconds = int(timedelta(days=1).total_seconds())
    moments = [first + timedelta(seconds=shift) for shift in range(-2 * seconds, 2 * seconds, 3600)]

    periods = [str(Period.at(moment, zone)) for moment in moments]

    assert periods == sorted(periods)
    assert set(periods) == {str(Period.of(first.date() - timedelta(days=1))), str(Period.of(first.date()))}


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Nicosia", "2026-10-31T21:59:59+00:00", "2026-10-31T22:00:00+00:00"),
        ("America/New_York", "2026-11-01T03:59:59+00:00", "2026-11-01T04:00:00+00:00"),  # summer time until two o'clock
        ("Pacific/Kiritimati", "2026-10-31T09:59:59+00:00", "2026-10-31T10:00:00+00:00"),
        ("Pacific/Niue", "2026-11-01T10:59:59+00:00", "2026-11-01T11:00:00+00:00"),
    ],
)
def test_november_begins_at_midnight_of_the_account(zone: str, before: str, after: str) -> None:
    assert str(Period.at(datetime.fromisoformat(before), zone)) == "2026-10"
    assert str(Period.at(datetime.fromisoformat(after), zone)) == "2026-11"
