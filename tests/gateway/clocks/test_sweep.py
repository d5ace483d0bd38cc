"""However wrong our own clocks are, the sweep finds every event that the gateway lists."""

import pytest
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.sweep import OVERLAP, EventFeedActivities
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.events import SweepRequest, Swept
from sandbox.servers.shown_clock import ShownClock
from tests.gateway.conftest import Cards
from tests.support.wrong_clocks import HOUR, SIX_MINUTES

OFF = (HOUR, SIX_MINUTES, -SIX_MINUTES, -HOUR)
SWEEP = SweepRequest("stripe")


async def swept_by(feed: EventFeedActivities) -> Swept:
    return await ActivityEnvironment().run(feed.sweep_events, SWEEP)


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("worker_ahead", OFF)
async def test_an_event_that_was_lost_is_found_by_a_worker_whose_clock_is_off(
    database: Database,
    gateway: StripeGateway,
    cards: Cards,
    database_clock: ShownClock,
    gateway_clock: ShownClock,
    worker_ahead: int,
) -> None:
    for clock in (database_clock, gateway_clock):
        clock.set(-worker_ahead)
    feed = EventFeedActivities(EventInbox(database, "stripe"), gateway)
    await gateway.charge((await cards.save()).charge(attempt=1))

    first = await swept_by(feed)
    await gateway.charge((await cards.save()).charge(attempt=2))
    second = await swept_by(feed)
    third = await swept_by(feed)

    assert first.found > 0
    assert second.found == first.found
    assert (third.found, third.is_late) == (0, False)


async def test_a_gateway_that_has_nothing_to_tell_moves_the_mark_on_all_the_same(
    database: Database, gateway: StripeGateway
) -> None:
    inbox = EventInbox(database, "stripe")
    feed = EventFeedActivities(inbox, gateway)

    swept = await swept_by(feed)

    mark = await inbox.swept_until()
    now = gateway.clock.latest_now
    assert (swept.listed, swept.is_late) == (0, False)
    assert mark is not None
    assert now is not None
    # What happened before that and is listed a little later is in the next sweep.
    assert swept.since < mark <= now - OVERLAP


async def test_a_mark_in_the_future_hides_nothing(
    database: Database, gateway: StripeGateway, cards: Cards, gateway_clock: ShownClock
) -> None:
    inbox = EventInbox(database, "stripe")
    feed = EventFeedActivities(inbox, gateway)
    gateway_clock.set(HOUR)
    await swept_by(feed)
    gateway_clock.set(0)

    await gateway.charge((await cards.save()).charge())

    assert (await swept_by(feed)).found > 0
