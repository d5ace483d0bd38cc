"""A clock that was a day off and is right again: what was reckoned by it keeps nothing waiting, and proves nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.sweep import EventFeedActivities
from activities.gateway.clocks import Clocks, elapsed
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.watch import RestoreWatch
from models.gateway.events import EventChannel
from sandbox.servers.shown_clock import ShownClock
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.gateway.clocks.test_sending import change_attempts
from tests.gateway.clocks.test_sweep import swept_by
from tests.gateway.conftest import Cards
from tests.support.attempts import CHARGES, charged, refused_type, request_for
from tests.support.builders import Merchant
from tests.support.wrong_clocks import DAY


async def test_an_event_that_came_while_the_databases_clock_was_a_day_ahead_is_delivered_at_once(
    merchant: Merchant, database: Database, gateway: StripeGateway, cards: Cards, database_clock: ShownClock
) -> None:
    inbox, watch = EventInbox(database, "stripe"), RestoreWatch(database, "stripe", gateway, None)
    database_clock.set(DAY)
    await gateway.charge((await cards.save()).charge())
    events = [event async for event in gateway.events(datetime.now(UTC) - timedelta(hours=1))]
    await inbox.receive(*events, channel=EventChannel.WEBHOOK)
    await watch.compare()
    database_clock.set(0)
    due = "select count(*) from duly.gateway_events where state = 'waiting' and next_try_at <= now()"
    stuck = await merchant.value(due)

    await watch.compare()

    waiting = await merchant.value("select count(*) from duly.gateway_events where state = 'waiting'")
    assert (stuck, await merchant.value(due)) == (0, waiting)
    assert waiting > 0


@pytest.mark.parametrize("ahead", [DAY, -DAY])
async def test_a_key_that_was_written_down_by_a_clock_a_day_off_is_not_sent_again(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine, ahead: int,
) -> None:  # fmt: skip
    clocks = Clocks(database, gateway)
    collecting = CollectActivities(database, gateway, clocks, AsyncLimiter(1000, 1))
    account = await merchant.account(owes_minor=2500)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.REQUEST_LOST))
    await refused_type(collecting, request_for(account))
    # The database's clock jumped within the minute in which nobody asked it, and is right again.
    await change_attempts(owner_engine, f"started_at = started_at + interval '{ahead} seconds'")

    again = await refused_type(collecting, request_for(account))

    assert again == "GatewayUnanswered"
    assert stripe_sandbox.request_counts()[CHARGES] == 1
    assert charged(stripe_sandbox) == (0, 0)


class AnsweredAheadClocks(Clocks):
    """Clocks of a process to which, after each comparison, somebody else's answer bears a `Date` of tomorrow."""

    async def open(self, function: str, **arguments: Any) -> Any:
        opened = await super().open(function, **arguments)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        self.gateway.note(tomorrow, tomorrow + timedelta(milliseconds=1), sent=elapsed(), received=elapsed())
        return opened


async def test_one_answer_whose_date_is_a_day_ahead_proves_no_absence(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine,
) -> None:  # fmt: skip
    clocks = AnsweredAheadClocks(database, gateway)
    collecting = CollectActivities(database, gateway, clocks, AsyncLimiter(1000, 1))
    account = await merchant.account(owes_minor=2500)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.REQUEST_LOST))
    await refused_type(collecting, request_for(account))
    await change_attempts(owner_engine, "started_at = now() - interval '25 hours'")

    checks = {await refused_type(collecting, request_for(account)) for _ in range(2)}

    assert checks == {"GatewayUnanswered"}
    assert await merchant.value("select outcome from duly.gateway_attempts") in {None, "unknown"}


async def test_a_mark_of_a_clock_that_was_a_day_ahead_is_taken_back(
    database: Database, gateway: StripeGateway, cards: Cards, gateway_clock: ShownClock, merchant: Merchant
) -> None:
    inbox = EventInbox(database, "stripe")
    feed = EventFeedActivities(inbox, gateway)
    gateway_clock.set(DAY)
    await swept_by(feed)
    gateway_clock.set(0)
    await gateway.charge((await cards.save()).charge())
    # Nobody has swept for two hours, in which the gateway's clock was right.
    gateway_clock.set(2 * 3600)

    swept = await swept_by(feed)

    mark = await inbox.swept_until()
    assert swept.found > 0
    assert mark is not None
    assert mark < datetime.now(UTC) + timedelta(hours=3)


@pytest.mark.parametrize(
    "date",
    ["", "soon", "Mon, 30 Nov 2026", "Fri, 31 Dec 9999 23:59:59 GMT",
     "Thu, 99 Foo 2026 00:00:00 GMT", "Sat, 28 Nov 2026 10:00:00 +9999", "\x00", "1", "Sun, 29 Feb 2027 00:00:00 GMT"],
)  # fmt: skip
def test_a_date_that_is_missing_or_garbled_says_nothing(date: str) -> None:
    clock = StripeGateway("sk_test_duly", api_base="http://127.0.0.1:9", timeout_seconds=1).clock

    clock.note_date({"Date": date} if date else {}, sent=elapsed(), received=elapsed())

    assert (clock.is_known, clock.earliest_now, clock.offset()) == (False, None, None)
