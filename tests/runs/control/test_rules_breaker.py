"""The circuit breaker opens when the gateway answers nobody, checks after growing pauses, closes on an answer."""

from datetime import UTC, datetime, timedelta

import pytest

from models.runs.breaker import IN_A_ROW, PAUSE_LEAST, Breaker, BreakerState

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def closed(window: int = 25) -> Breaker:
    return Breaker(BreakerState(), window=window)


def opened() -> Breaker:
    breaker = closed()
    for _ in range(IN_A_ROW):
        breaker.record_answer(is_answered=False, at=NOON)
    return breaker


def opens_after(breaker: Breaker, answers: str, *, every: timedelta = SECOND) -> int:
    """Return how many answers it takes; `.` is one, `x` is silence. 0: it stays closed."""
    for number, answer in enumerate(answers, 1):
        if breaker.record_answer(is_answered=answer == ".", at=NOON + number * every):
            return number
    return 0


@pytest.mark.parametrize(
    ("window", "opens"),
    [(25, 20), (500, 20), (20, 20), (10, 10), (5, 5), (1, 5)],
)
def test_it_opens_after_twenty_in_a_row_or_a_smaller_window(window: int, opens: int) -> None:
    assert opens_after(closed(window), "x" * 30) == opens


def test_an_answer_in_between_keeps_it_closed() -> None:
    assert opens_after(closed(), ("x" * 19 + "." * 40) * 3) == 0


def test_it_opens_when_half_of_the_last_forty_have_no_answer() -> None:
    assert opens_after(closed(), "x." * 30) == 39


def test_a_third_without_answer_is_a_bad_day_but_no_outage() -> None:
    assert opens_after(closed(), "x.." * 30) == 0


def test_what_is_older_than_a_minute_says_nothing_about_now() -> None:
    assert opens_after(closed(), "x." * 30, every=4 * SECOND) == 0


def test_each_silence_takes_a_slot_until_somebody_gets_an_answer() -> None:
    breaker = closed(25)

    slots = []
    for answer in "xxx.":
        breaker.record_answer(is_answered=answer == ".", at=NOON)
        slots.append(breaker.slots)

    assert slots == [24, 23, 22, 25]


def test_a_window_never_closes_altogether() -> None:
    breaker = closed(window=1)

    breaker.record_answer(is_answered=False, at=NOON)

    assert breaker.slots == 1


@pytest.mark.parametrize(
    ("open_for", "pause"),
    [
        (timedelta(0), timedelta(seconds=30)),
        (timedelta(minutes=10), timedelta(seconds=30)),
        (timedelta(hours=1), timedelta(minutes=3)),
        (timedelta(days=1), timedelta(minutes=10)),
    ],
)
def test_the_pauses_between_probes_are_a_twentieth_of_the_outage(open_for: timedelta, pause: timedelta) -> None:
    breaker = opened()

    breaker.probe_finished(is_answered=False, at=NOON + open_for)

    assert breaker.probe_at == NOON + open_for + pause
    assert breaker.opened_at == NOON


def test_an_outage_of_a_day_costs_two_hundred_probes() -> None:
    breaker, probes = opened(), 0

    while breaker.probe_at < NOON + timedelta(days=1):
        breaker.probe_finished(is_answered=False, at=breaker.probe_at)
        probes += 1

    assert probes == pytest.approx(200, abs=15)


def test_what_was_in_flight_does_not_close_an_open_breaker() -> None:
    breaker = opened()

    breaker.record_answer(is_answered=True, at=NOON + SECOND)

    assert breaker.opened_at == NOON


def test_an_answer_to_a_look_closes_it_and_forgets_the_trouble() -> None:
    breaker = opened()

    breaker.probe_finished(is_answered=True, at=NOON + timedelta(minutes=1))

    assert breaker.opened_at is None
    assert breaker.slots == 25
    assert breaker.state == BreakerState()


def test_an_open_breaker_survives_its_execution() -> None:
    breaker = opened()
    breaker.probe_finished(is_answered=False, at=NOON + SECOND)

    again = Breaker(breaker.state, window=25)

    assert (again.opened_at, again.probe_at) == (NOON, NOON + SECOND + PAUSE_LEAST)


def test_nothing_is_carried_along_while_the_gateway_answers() -> None:
    breaker = closed()

    opens_after(breaker, "." * 100)

    assert breaker.state == BreakerState()
