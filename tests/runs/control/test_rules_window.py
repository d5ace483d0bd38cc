"""As many payments are under way as the gateway's latency calls for, and who takes long holds no place."""

from datetime import UTC, datetime, timedelta

import pytest

from models.runs.process_run import DueMember
from models.runs.window import FLOOR, PaymentsUnderWay, PaymentWindow, first_part_of, shards_for

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def window(*, most: int = 300, carried: int = 0) -> PaymentWindow:
    return PaymentWindow(most=most, carried=carried, now=NOON)


def answered(one: PaymentWindow, *, rate: int, took: float, seconds: int) -> None:
    """Let so many answers a second come for some seconds, each of which took as long."""
    for second in range(seconds):
        for number in range(rate):
            one.note_answer(timedelta(seconds=took), at=after(second + number / rate))


@pytest.mark.parametrize(
    ("rate", "took", "wanted"),
    [(50, 0.1, FLOOR + 10), (50, 1.5, FLOOR + 150), (100, 1.1, FLOOR + 220), (100, 4.0, 300)],
)
def test_the_window_is_twice_what_is_at_the_gateway_at_once_by_littles_law(rate: int, took: float, wanted: int) -> None:
    one = window()

    answered(one, rate=rate, took=took, seconds=5)

    assert one.size(after(5)) == pytest.approx(wanted, abs=2)


def test_silence_shrinks_the_window_to_its_floor() -> None:
    one = window()
    answered(one, rate=50, took=1.5, seconds=5)

    assert one.size(after(10.1)) == FLOOR


def test_one_answer_after_twenty_seconds_says_little_about_the_gateway() -> None:
    one = window()

    one.note_answer(timedelta(seconds=20), at=NOON)

    assert one.size(after(1)) == FLOOR + 3


def test_a_result_that_does_not_say_how_long_it_took_teaches_nothing() -> None:
    one = window()

    answered(one, rate=50, took=0, seconds=5)

    assert one.size(after(5)) == FLOOR


def test_an_execution_begins_with_the_window_of_the_one_before() -> None:
    one = window(carried=180)

    assert (one.size(after(1.9)), one.size(after(2))) == (180, FLOOR)


def test_no_window_is_larger_than_the_definition_allows() -> None:
    one = window(most=5, carried=180)

    assert one.size(NOON) == 5


def test_who_takes_long_holds_no_place_up_to_a_quarter_of_the_window() -> None:
    under_way = PaymentsUnderWay()
    for number in range(30):
        under_way.begin(DueMember(f"acc_{number:02}", ""), at=after(number))

    assert under_way.set_aside(after(11), window=40) == 3
    assert under_way.set_aside(after(100), window=40) == 10
    assert under_way.holding(after(100), window=40) == 20


def test_the_next_execution_begins_with_who_has_not_settled_in_their_order() -> None:
    under_way = PaymentsUnderWay()
    members = [DueMember(f"acc_{number}", "") for number in range(3)]
    for member in members:
        under_way.begin(member, at=NOON)

    under_way.end(members[1])

    assert under_way.members == (members[0], members[2])


@pytest.mark.parametrize(("rate", "shards"), [(1, 2), (100, 2), (101, 3), (1_000, 20), (10_000, 64)])
def test_shards_follow_from_the_rate(rate: int, shards: int) -> None:
    assert shards_for(rate) == shards


def test_shards_continue_as_new_one_after_the_other_however_many_there_are() -> None:
    assert [first_part_of(shard) for shard in range(6)] == [1, 1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8]
