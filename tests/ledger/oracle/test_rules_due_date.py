from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.oracle.due_date import (
    DayOfMonth,
    DaysAfter,
    DueDateError,
    DueDateRule,
    DueWindow,
    Proximity,
    ProximityOperator,
    due_on_for,
    due_window,
)

POSTED_ON = date(2026, 5, 20)
FIFTEENTH = DayOfMonth(day_of_month=15, after_months=1)
TEN_DAYS = DaysAfter(10)
TEN_DAYS_OR_UP_TO_FIVE_LESS = DaysAfter(10, Proximity(ProximityOperator.MINUS, 5))


@pytest.mark.parametrize(
    ("rule", "due_on"),
    [
        (FIFTEENTH, date(2026, 6, 15)),
        # The manual prints 30/06 here, which contradicts its own rule of ten days (Q1).
        (TEN_DAYS, date(2026, 5, 30)),
        (TEN_DAYS_OR_UP_TO_FIVE_LESS, date(2026, 5, 25)),
    ],
)
def test_scenario_5_the_system_sets_the_due_date(rule: DueDateRule, due_on: date) -> None:
    assert due_on_for(rule, POSTED_ON) == due_on


@pytest.mark.parametrize(
    ("rule", "chosen", "allowed"),
    [
        (FIFTEENTH, date(2026, 5, 21), False),
        (FIFTEENTH, date(2026, 6, 16), False),
        (FIFTEENTH, date(2026, 6, 15), True),
        (TEN_DAYS, date(2026, 5, 29), False),
        (TEN_DAYS, date(2026, 5, 30), True),
        (TEN_DAYS, date(2026, 5, 31), False),
        (TEN_DAYS, date(2026, 6, 30), False),
        (TEN_DAYS_OR_UP_TO_FIVE_LESS, date(2026, 5, 24), False),
        (TEN_DAYS_OR_UP_TO_FIVE_LESS, date(2026, 5, 25), True),
        (TEN_DAYS_OR_UP_TO_FIVE_LESS, date(2026, 5, 30), True),
        (TEN_DAYS_OR_UP_TO_FIVE_LESS, date(2026, 5, 31), False),
    ],
)
def test_scenario_5_a_date_outside_the_rule_is_an_error(rule: DueDateRule, chosen: date, allowed: bool) -> None:
    if allowed:
        assert due_on_for(rule, POSTED_ON, chosen=chosen) == chosen
    else:
        with pytest.raises(DueDateError, match="outside"):
            due_on_for(rule, POSTED_ON, chosen=chosen)


@pytest.mark.parametrize(
    ("posted_on", "day", "months", "due_on"),
    [
        (date(2026, 1, 31), 31, 1, date(2026, 2, 28)),
        (date(2028, 1, 15), 30, 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 31, 3, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, 0, date(2026, 12, 1)),
    ],
)
def test_a_month_too_short_for_the_day_ends_with_its_last(posted_on: date, day: int, months: int, due_on: date) -> None:
    assert due_on_for(DayOfMonth(day, months), posted_on) == due_on


def test_the_account_s_credit_period_moves_the_date_within_the_proximity_range() -> None:
    rule = DaysAfter(10, Proximity(ProximityOperator.PLUS_MINUS, 5))

    assert due_on_for(rule, POSTED_ON, credit_period_days=3) == date(2026, 6, 2)
    assert due_on_for(rule, POSTED_ON, credit_period_days=-5) == date(2026, 5, 25)
    with pytest.raises(DueDateError, match="outside"):
        due_on_for(rule, POSTED_ON, credit_period_days=6)


def test_without_a_proximity_range_the_credit_period_moves_nothing() -> None:
    assert due_on_for(TEN_DAYS, POSTED_ON, credit_period_days=3) == date(2026, 5, 30)


@pytest.mark.parametrize(
    ("operator", "window"),
    [
        (ProximityOperator.MINUS, DueWindow(date(2026, 5, 25), date(2026, 5, 30))),
        (ProximityOperator.PLUS, DueWindow(date(2026, 5, 30), date(2026, 6, 4))),
        (ProximityOperator.PLUS_MINUS, DueWindow(date(2026, 5, 25), date(2026, 6, 4))),
    ],
)
def test_the_operator_says_on_which_side_the_range_lies(operator: ProximityOperator, window: DueWindow) -> None:
    assert due_window(DaysAfter(10, Proximity(operator, 5)), POSTED_ON) == window


@pytest.mark.parametrize(
    "make",
    [
        lambda: DaysAfter(-1),
        lambda: DayOfMonth(0, 1),
        lambda: DayOfMonth(32, 1),
        lambda: DayOfMonth(1, -1),
        lambda: Proximity(ProximityOperator.PLUS, 0),
    ],
)
def test_a_rule_that_cannot_be_is_refused(make: object) -> None:
    with pytest.raises(DueDateError):
        make()  # type: ignore[operator]


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)), st.integers(0, 365), st.integers(1, 30))
def test_the_default_is_always_a_date_that_may_be_chosen(posted_on: date, days: int, range_days: int) -> None:
    rule = DaysAfter(days, Proximity(ProximityOperator.MINUS, range_days))

    default = due_on_for(rule, posted_on)

    assert due_on_for(rule, posted_on, chosen=default) == default
    assert default + timedelta(days=range_days) == posted_on + timedelta(days=days)
