"""What keeps a provider's calls from being sent faster: the doctor says it."""

from collections import Counter

import pytest

from commands.operations.checks.rate import Limit, QueueLoad, limit_of


@pytest.mark.parametrize(
    ("reached", "in_slots", "waiting", "refused", "limit"),
    [
        (0, 0, 0, 0, Limit.NOTHING_TO_SEND),
        (98, 150, 60, 0, Limit.RATE),
        (60, 150, 60, 40, Limit.GATEWAY),
        (98, 150, 60, 3, Limit.RATE),
        (60, 640, 20, 0, Limit.SLOTS),
        # What is reached is an average of half a minute, so that a run which has just begun reads like busy workers.
        (20, 100, 50, 0, Limit.WORKERS),
        (60, 300, 0, 0, Limit.WINDOW),
        # Two windows have room for eighty at the least: nobody keeps three back.
        (1, 3, 0, 0, Limit.RUNS),
    ],
)
def test_what_limits_is_named(reached: float, in_slots: int, waiting: int, refused: int, limit: Limit) -> None:
    load = QueueLoad(100, reached, 640, in_slots, waiting, refused, least_windows=80)

    assert limit_of(load) is limit


@pytest.mark.parametrize(
    ("failing", "limit"), [(60, Limit.FAILING), (3, Limit.WINDOW)], ids=["nobody is answered", "a few customers"]
)
def test_calls_that_fail_are_no_calls_that_wait_for_the_rate(failing: int, limit: Limit) -> None:
    unanswered = Counter({"GatewayUnanswered: APIConnectionError": failing})

    assert limit_of(QueueLoad(100, 2, 640, 80, failing, 0, least_windows=80, failing=unanswered)) is limit


def test_slots_that_nobody_has_are_not_all_in_use() -> None:
    assert limit_of(QueueLoad(100, 0, 0, 0, 80, 0, least_windows=80)) is Limit.NO_WORKER
