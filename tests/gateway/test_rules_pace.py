"""How fast a process sends while the gateway refuses: it falls at once, and recovers by itself."""

import asyncio

import pytest

from activities.gateway.pace import GatewayPace, SendingRate
from models.gateway.errors import GatewayBusyError, GatewayError, GatewayHeldError, GatewayUnansweredError


def sending(rate: SendingRate, *, sent: int, refused: int, seconds: float = 2, begin: float = 100) -> float:
    """Send so many a second, of which so many are refused, without falling for them; return the moment of the last."""
    now = begin
    for number in range(round(seconds * sent)):
        now = begin + number / sent
        rate.send(now)
        if number % sent < refused:
            rate.refuse(now)
    return now


def test_without_a_refusal_it_sends_as_fast_as_it_is_set_to() -> None:
    rate = SendingRate(100)

    now = sending(rate, sent=100, refused=0)

    assert rate.rate(now) == 100


def test_a_refusal_brings_it_to_nine_tenths_of_what_the_gateway_took() -> None:
    rate = SendingRate(100)
    now = sending(rate, sent=80, refused=0)

    assert rate.refuse(now)
    assert rate.rate(now) == pytest.approx(72, rel=0.02)


def test_it_falls_by_half_at_the_most() -> None:
    rate = SendingRate(100)
    now = sending(rate, sent=10, refused=0)

    rate.refuse(now)

    assert rate.rate(now) == 50


def test_refusals_within_a_second_are_one() -> None:
    rate = SendingRate(100)

    fallen = [rate.refuse(100 + number / 10) for number in range(20)]

    assert [number for number, has_fallen in enumerate(fallen) if has_fallen] == [0, 10]


def test_another_system_that_takes_three_quarters_is_given_way_within_three_seconds() -> None:
    rate = SendingRate(100)

    now, taken = 100.0, 0
    while now < 103:
        rate.send(now)
        if taken >= 25 * (now - 100):
            rate.refuse(now)
        else:
            taken += 1
        now += 1 / rate.rate(now)

    assert rate.rate(now) < 35


def test_it_recovers_by_itself_to_what_it_is_set_to() -> None:
    rate = SendingRate(100)
    rate.refuse(100)

    assert (rate.rate(100), rate.rate(110), rate.rate(125), rate.rate(1000)) == (50, 70, 100, 100)


def test_it_never_stops() -> None:
    rate = SendingRate(100)

    for second in range(60):
        rate.refuse(100 + 1.1 * second)

    assert rate.rate(165) >= 2


@pytest.mark.parametrize(
    ("error", "share"),
    [
        (GatewayBusyError("rate_limit", retry_after_seconds=1), 0.5),
        # Another request has locked the object, which says nothing about how fast we are.
        (GatewayBusyError("lock_timeout", retry_after_seconds=1), 1.0),
        # The gateway has not heard of it: this process or its clock stood still, or it stood in line for too long.
        (GatewayBusyError("not_sent_in_time", retry_after_seconds=1), 1.0),
        (GatewayUnansweredError("APIConnectionError"), 1.0),
    ],
)
async def test_only_a_refusal_for_being_too_fast_slows_a_process_down(error: Exception, share: float) -> None:
    pace = GatewayPace(1000)

    with pytest.raises(type(error)):
        async with pace:
            raise error

    assert pace.calls_per_second == pytest.approx(1000 * share, rel=0.02)


@pytest.mark.parametrize(
    "error", [GatewayHeldError("sending_is_held"), GatewayBusyError("not_sent_in_time", retry_after_seconds=1)], ids=str
)
async def test_what_was_not_sent_takes_nobody_s_turn(error: GatewayError) -> None:
    pace = GatewayPace(0.1)  # a turn in ten seconds: whoever stood behind one would be seen to

    async with asyncio.timeout(5):
        for _ in range(50):
            with pytest.raises(type(error)):
                async with pace:
                    raise error


def test_what_was_held_is_no_call_that_the_gateway_took() -> None:
    rate, held = SendingRate(100), SendingRate(100)
    last, _ = (sending(one, sent=100, refused=60) for one in (rate, held))
    for _ in range(100):
        held.send(last)
        held.take_back()

    for one in (rate, held):
        one.refuse(last + 0.01)

    assert held.rate(last + 0.01) == rate.rate(last + 0.01)
