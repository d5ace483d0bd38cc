"""What is due on a card by itself, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cards.card import Card, CardDuty, CardRules, CardState, CardStatus, Due, ends_at, next_due
from workflows.cards.details import details_of

CHECKED = datetime(2027, 1, 1, tzinfo=UTC)


def a_card(*, year: int = 2027, month: int = 6, checked_at: datetime = CHECKED, stale_days: int = 3650) -> Card:
    rules = CardRules(warn_days=(30, 7), stale_days=stale_days)
    return Card(
        "card_1",
        "acc_1",
        "stripe",
        CardState.ACTIVE,
        "",
        "visa 4242",
        year,
        month,
        True,
        1,
        1,
        False,
        checked_at,
        rules,
    )


@pytest.mark.parametrize(
    ("year", "month", "over"),
    [(2027, 6, datetime(2027, 7, 1, tzinfo=UTC)), (2027, 12, datetime(2028, 1, 1, tzinfo=UTC))],
)
def test_a_card_is_good_until_its_last_month_is_over(year: int, month: int, over: datetime) -> None:
    assert ends_at(year, month) == over


def test_its_holder_is_warned_by_the_rules_and_then_it_expires() -> None:
    card, now, warned, dues = a_card(), CHECKED, set[int](), []

    while True:
        due = next_due(card, now=now, warned=frozenset(warned))
        dues.append(due)
        if due.duty is CardDuty.EXPIRE:
            break
        now, warned = due.at, warned | {due.days}

    assert dues == [
        Due(datetime(2027, 6, 1, tzinfo=UTC), CardDuty.WARN, 30),
        Due(datetime(2027, 6, 24, tzinfo=UTC), CardDuty.WARN, 7),
        Due(datetime(2027, 7, 1, tzinfo=UTC), CardDuty.EXPIRE),
    ]


def test_of_warnings_that_were_missed_only_the_latest_is_given() -> None:
    now = datetime(2027, 6, 28, tzinfo=UTC)

    assert next_due(a_card(), now=now) == Due(now, CardDuty.WARN, 7)


def test_a_card_that_was_not_used_for_long_is_asked_about_again() -> None:
    card = a_card(year=2030, stale_days=100)

    assert next_due(card, now=CHECKED) == Due(CHECKED + timedelta(days=100), CardDuty.REVALIDATE)


@given(days=st.integers(-400, 900), warned=st.frozensets(st.sampled_from([30, 7])))
def test_nothing_that_was_told_is_told_again_and_something_is_always_due(days: int, warned: frozenset[int]) -> None:
    now = CHECKED + timedelta(days=days)

    due = next_due(a_card(), now=now, warned=warned)

    assert due.duty is not CardDuty.WARN or (due.days not in warned and due.at >= now)


def test_a_check_that_was_put_off_comes_at_its_moment_and_everything_else_before_it() -> None:
    card = a_card(stale_days=30)
    put_off_until = datetime(2027, 6, 20, tzinfo=UTC)

    dues = [
        next_due(card, now=now, warned=frozenset(warned), put_off_until=put_off_until)
        for now, warned in ((CHECKED, ()), (datetime(2027, 6, 2, tzinfo=UTC), (30,)))
    ]

    assert dues == [
        Due(datetime(2027, 6, 1, tzinfo=UTC), CardDuty.WARN, 30),
        Due(put_off_until, CardDuty.REVALIDATE),
    ]
    assert next_due(card, now=ends_at(2027, 6), put_off_until=put_off_until).duty is CardDuty.EXPIRE


def test_a_card_that_waits_for_its_holder_is_not_said_to_be_unasked() -> None:
    unread = replace(a_card(), state=CardState.REGISTERED, label="", exp_year=0, exp_month=0)

    text = details_of("card_1", CardStatus(unread, None, "", None, ()))

    assert text.startswith("### registered: the gateway is asked whether it is good, or waits for its holder")
    assert "`card_1` of `acc_1`, through stripe" in text


def test_a_card_that_was_refused_says_where_the_reason_is() -> None:
    text = details_of("card_1", CardStatus(None, None, "", None, ()))

    assert "If it failed, nothing was written: its error names the field and the rule." in text
