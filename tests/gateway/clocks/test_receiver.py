"""A receiver whose clock is off takes events by the gateway's clock, and says that its own is wrong."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.servers.shown_clock import ShownClock
from tests.events.signed_events import SECRETS, an_event, send, signed
from tests.support.builders import API_KEY, Merchant
from tests.support.running_duly import RunningDuly
from tests.support.wrong_clocks import HOUR, SIX_MINUTES
from webhook import Webhook, build_app

OFF = (HOUR, SIX_MINUTES, -SIX_MINUTES, -HOUR)


@pytest.fixture
def clock(gateway: StripeGateway) -> ReceiverClock:
    """The receiver's clock."""
    return ReceiverClock(gateway)


@pytest.fixture
async def visitor(
    inbox: EventInbox, duly: RunningDuly, merchant: Merchant, clock: ReceiverClock
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who sends to a receiver that has not asked the gateway for anything yet."""
    app = build_app(Webhook(inbox, duly.client, SECRETS, clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://duly") as client:
        yield client


def signed_at_the_gateway(body: str, *, ahead: float, age: float = 0) -> dict[str, str]:
    """The signature that a gateway whose clock is `ahead` of ours made some seconds ago."""
    return signed(body, at=int(time.time() + ahead - age))


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("ahead", OFF)
async def test_events_are_taken_by_the_gateways_clock_and_the_difference_is_said(
    visitor: httpx.AsyncClient, clock: ReceiverClock, gateway_clock: ShownClock, ahead: int
) -> None:
    gateway_clock.set(ahead)
    with capture_logs() as logged:
        await clock.check()

    new, old = an_event("evt_new"), an_event("evt_old")
    answers = [
        await send(visitor, new, signed_at_the_gateway(new, ahead=ahead)),
        await send(visitor, old, signed_at_the_gateway(old, ahead=ahead, age=400)),
    ]
    result = (await visitor.get("/health")).json()

    assert answers == [200, 400]
    assert result["clock"]["verdict"] == "too_far_apart"
    assert result["clock"]["ahead_of_gateway_seconds"] == pytest.approx(-ahead, abs=2)
    assert result["events"] == {"stored": 1, "untrusted_stale": 1}
    assert [line["event"] for line in logged] == ["receiver_clock_off"]


async def test_a_receiver_that_does_not_know_the_gateways_time_asks_before_it_calls_an_event_stale(
    visitor: httpx.AsyncClient, gateway_clock: ShownClock
) -> None:
    gateway_clock.set(-HOUR)
    before = (await visitor.get("/health")).json()["clock"]["verdict"]

    body = an_event()
    answer = await send(visitor, body, signed_at_the_gateway(body, ahead=-HOUR))

    assert (before, answer) == ("unknown", 200)


async def test_what_nobody_signed_makes_the_receiver_ask_nothing(
    visitor: httpx.AsyncClient, gateway_clock: ShownClock
) -> None:
    body = an_event()
    answer = await send(visitor, body, signed(body, secret="whsec_wrong", at=1))

    assert answer == 400
    assert (await visitor.get("/health")).json()["clock"]["verdict"] == "unknown"


async def test_a_refused_key_tells_the_time_as_well(stripe_address: str, gateway_clock: ShownClock) -> None:
    gateway = StripeGateway(f"{API_KEY}_wrong", api_base=stripe_address, timeout_seconds=5)
    clock = ReceiverClock(gateway)

    await clock.check()

    assert clock.verdict == "agree"
    await gateway.close()


async def test_while_the_gateway_is_away_our_own_clock_decides(unused_address: str) -> None:
    gateway = StripeGateway(API_KEY, api_base=unused_address, timeout_seconds=5)
    clock = ReceiverClock(gateway)

    await clock.check()

    assert clock.verdict == "unknown"
    assert clock.now() == pytest.approx(time.time(), abs=1)
    await gateway.close()
