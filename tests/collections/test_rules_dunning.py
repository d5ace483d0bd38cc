"""After a "no": when to ask again, whom, and when to stop."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.collections.dunning import (
    DunningPolicy,
    GiveUp,
    InvalidPolicyError,
    RetryAt,
    WaitForCustomer,
    after_decline,
    at_local_hour,
)
from models.collections.earlier import EarlierAttempt, PolicyCounts, counts_before
from models.gateway.decline import DeclineClass
from models.gateway.gateway_request import AttemptCause, AttemptOutcome

NICOSIA = "Europe/Nicosia"
STANDARD = DunningPolicy()
AT_ONCE = DunningPolicy(local_hour=None)
FRIDAY = datetime(2026, 11, 6, 14, 30, tzinfo=UTC)

ZONES = sorted(available_timezones() - {"localtime"})
# Every rule of summer time that is in force now, and those that ended lately.
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        (1, RetryAt(at(2026, 11, 9, 14, 30))),
        (2, RetryAt(at(2026, 11, 11, 14, 30))),
        (3, RetryAt(at(2026, 11, 13, 14, 30))),
        (4, RetryAt(at(2026, 11, 13, 14, 30))),
        (5, GiveUp("attempts_used_up")),
        (6, GiveUp("attempts_used_up")),
    ],
)
def test_a_soft_decline_is_tried_again_after_days(tries: int, expected: RetryAt | GiveUp) -> None:
    decision = after_decline(DeclineClass.SOFT, policy=AT_ONCE, tries=tries, declined_at=FRIDAY, time_zone=NICOSIA)

    assert decision == expected


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        (1, RetryAt(at(2026, 11, 6, 15, 30))),
        (2, RetryAt(at(2026, 11, 6, 20, 30))),
        (3, RetryAt(at(2026, 11, 7, 14, 30))),
        (4, RetryAt(at(2026, 11, 8, 14, 30))),
        (5, GiveUp("attempts_used_up")),
    ],
)
def test_a_technical_decline_is_tried_again_after_hours_at_any_hour(tries: int, expected: RetryAt | GiveUp) -> None:
    decision = after_decline(
        DeclineClass.TECHNICAL, policy=STANDARD, tries=tries, declined_at=FRIDAY, time_zone=NICOSIA
    )

    assert decision == expected


@pytest.mark.parametrize("kind", [DeclineClass.HARD, DeclineClass.FRAUD, DeclineClass.ACTION_REQUIRED])
@pytest.mark.parametrize("tries", [1, 9])
def test_what_only_the_customer_can_mend_waits_for_the_customer(kind: DeclineClass, tries: int) -> None:
    decision = after_decline(kind, policy=STANDARD, tries=tries, declined_at=FRIDAY, time_zone=NICOSIA)

    assert decision == WaitForCustomer(at(2026, 11, 20, 14, 30))


@pytest.mark.parametrize("kind", DeclineClass)
def test_no_class_of_decline_is_without_a_decision(kind: DeclineClass) -> None:
    for tries in range(1, 10):
        decision = after_decline(kind, policy=STANDARD, tries=tries, declined_at=FRIDAY, time_zone=NICOSIA)

        assert isinstance(decision, RetryAt | WaitForCustomer | GiveUp)


def test_a_policy_without_retries_gives_up_at_the_first_no() -> None:
    never = DunningPolicy(declined_after=())

    decision = after_decline(DeclineClass.SOFT, policy=never, tries=1, declined_at=FRIDAY, time_zone=NICOSIA)

    assert decision == GiveUp("attempts_used_up")


@pytest.mark.parametrize("tries", [0, -1])
def test_a_decline_without_a_try_is_refused_instead_of_taking_the_last_interval(tries: int) -> None:
    with pytest.raises(ValueError, match="tries"):
        after_decline(DeclineClass.SOFT, policy=STANDARD, tries=tries, declined_at=FRIDAY, time_zone=NICOSIA)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (NICOSIA, at(2026, 11, 10, 7)),  # 16:30 there: nine o'clock has passed, so the next day
        ("America/New_York", at(2026, 11, 10, 14)),  # 09:30 there: passed as well
        ("America/Los_Angeles", at(2026, 11, 9, 17)),  # 06:30 there: still to come
        ("Asia/Tokyo", at(2026, 11, 10, 0)),
        ("Pacific/Kiritimati", at(2026, 11, 9, 19)),  # 04:30 of the 10th there
    ],
)
def test_a_soft_decline_is_tried_again_at_the_accounts_own_nine_o_clock(zone: str, expected: datetime) -> None:
    decision = after_decline(DeclineClass.SOFT, policy=STANDARD, tries=1, declined_at=FRIDAY, time_zone=zone)

    assert decision == RetryAt(expected)


def test_the_hour_itself_is_not_too_late() -> None:
    nine_in_nicosia = at(2026, 11, 9, 7)

    assert at_local_hour(nine_in_nicosia, STANDARD, NICOSIA) == nine_in_nicosia


@pytest.mark.parametrize(
    ("moment", "hour", "expected"),
    [
        (at(2026, 3, 28, 20), 9, at(2026, 3, 29, 6)),  # the first summer morning begins an hour earlier
        (at(2026, 3, 28, 20), 3, at(2026, 3, 29, 1)),  # three o'clock is skipped: four by the new time
        (at(2026, 10, 24, 20), 9, at(2026, 10, 25, 7)),  # the first winter morning begins an hour later
        (at(2026, 10, 24, 20), 3, at(2026, 10, 25, 0)),  # three o'clock comes twice: the first one
        (at(2026, 10, 25, 0, 30), 3, at(2026, 10, 26, 1)),  # half past the first three o'clock: not twice a day
    ],
)
def test_the_local_hour_holds_when_the_clocks_change(moment: datetime, hour: int, expected: datetime) -> None:
    assert at_local_hour(moment, DunningPolicy(local_hour=hour), NICOSIA) == expected


@pytest.mark.parametrize(
    ("avoided", "expected"),
    [
        (frozenset({5, 6}), at(2026, 11, 9, 7)),
        (frozenset({5}), at(2026, 11, 8, 7)),
        (frozenset(range(6)), at(2026, 11, 8, 7)),
        (frozenset({0, 1, 2, 3, 5, 6}), at(2026, 11, 13, 7)),
    ],
)
def test_a_retry_moves_past_the_weekdays_to_avoid(avoided: frozenset[int], expected: datetime) -> None:
    policy = DunningPolicy(weekdays_to_avoid=avoided)

    assert at_local_hour(FRIDAY, policy, NICOSIA) == expected


def test_without_a_local_hour_a_retry_stays_where_it_is() -> None:
    assert at_local_hour(FRIDAY, DunningPolicy(local_hour=None, weekdays_to_avoid=frozenset({4})), NICOSIA) == FRIDAY


@given(
    MOMENTS,
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.sets(st.integers(0, 6), max_size=6).map(frozenset),
)
def test_everywhere_and_always_the_hour_is_kept_or_was_skipped_by_the_clocks(
    moment: datetime, zone: str, hour: int, avoided: frozenset[int]
) -> None:
    planned = at_local_hour(moment, DunningPolicy(local_hour=hour, weekdays_to_avoid=avoided), zone)

    local = planned.astimezone(ZoneInfo(zone))
    was_skipped = local.replace(hour=hour, minute=0).astimezone(UTC).astimezone(ZoneInfo(zone)).hour != hour
    assert moment <= planned <= moment + timedelta(days=7, hours=25)
    assert local.hour == hour or was_skipped
    assert local.weekday() not in avoided


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"version": 0}, "version must be 1 or more"),
        ({"local_hour": 24}, "local_hour must be 0 to 23"),
        ({"local_hour": -1}, "local_hour must be 0 to 23"),
        ({"weekdays_to_avoid": frozenset(range(7))}, "weekdays_to_avoid must leave a day"),
        ({"weekdays_to_avoid": frozenset({7})}, "weekdays_to_avoid must be 0 to 6"),
        ({"evidence_after": ()}, "evidence_after must have an entry"),
        ({"evidence_after": (timedelta(0),)}, "intervals must be longer than nothing"),
        ({"declined_after": (timedelta(days=-1),)}, "intervals must be longer than nothing"),
        ({"technical_after": (timedelta(0),)}, "intervals must be longer than nothing"),
        ({"customer_deadline": timedelta(0)}, "intervals must be longer than nothing"),
    ],
)
def test_a_policy_that_asks_for_ever_never_or_at_no_hour_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidPolicyError, match=f"^dunning policy: {message}$"):
        DunningPolicy(**wrong)  # type: ignore[arg-type]


SOFT, TECHNICAL = "insufficient_funds", "processing_error"


def attempt(
    number: int,
    code: str = SOFT,
    *,
    card: str = "visa",
    cause: AttemptCause = AttemptCause.SCHEDULED,
    outcome: AttemptOutcome | None = AttemptOutcome.DECLINED,
    is_other_card: bool = False,
) -> EarlierAttempt:
    return EarlierAttempt(number, cause, outcome, card, code, "", "", is_other_card)


def other_card(number: int, card: str, code: str = SOFT) -> EarlierAttempt:
    return attempt(number, code, card=card, is_other_card=True)


@pytest.mark.parametrize(
    ("attempts", "before", "counted"),
    [
        pytest.param([], 1, PolicyCounts(), id="none was made"),
        pytest.param([attempt(1)], 1, PolicyCounts(), id="the last one is counted when it is decided about"),
        pytest.param([attempt(1), attempt(2)], 2, PolicyCounts(1), id="one waited for the policy"),
        pytest.param([attempt(1), attempt(2)], 3, PolicyCounts(2), id="opened again"),
        pytest.param(
            [attempt(1), attempt(2, TECHNICAL), attempt(3)], 3, PolicyCounts(1, 1), id="of each class by itself"
        ),
        pytest.param(
            [attempt(1), other_card(2, "mastercard"), attempt(3)], 3, PolicyCounts(1), id="cards tried in a row are one"
        ),
        pytest.param(
            [attempt(1), other_card(2, "mastercard"), other_card(3, "amex")],
            3,
            PolicyCounts(0, 0, ("visa", "mastercard")),
            id="the cards before the last are tried",
        ),
        pytest.param(
            [attempt(1), attempt(2, cause=AttemptCause.MANUAL), attempt(3)],
            3,
            PolicyCounts(1),
            id="what a person asks for uses nothing up",
        ),
        pytest.param(
            [attempt(1, outcome=AttemptOutcome.DID_NOT_HAPPEN), attempt(2)], 2, PolicyCounts(), id="nothing was charged"
        ),
        pytest.param([attempt(1), attempt(2, outcome=None)], 2, PolicyCounts(1), id="one without an outcome"),
    ],
)
def test_the_rows_count_as_the_workflow_does(
    attempts: list[EarlierAttempt], before: int, counted: PolicyCounts
) -> None:
    assert counts_before(attempts, before) == counted
