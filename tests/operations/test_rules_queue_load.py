"""What keeps a provider's calls from being sent faster: the doctor says it."""

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
        # Both answers are averages of half a minute: what waits beside free slots waits for the rate.
        (20, 100, 50, 0, Limit.RATE),
        (60, 300, 0, 0, Limit.WINDOW),
    ],
)
def test_what_limits_is_named(reached: float, in_slots: int, waiting: int, refused: int, limit: Limit) -> None:
    load = QueueLoad(100, reached, 640, in_slots, waiting, refused)

    assert limit_of(load) is limit
