"""How far clocks are apart is read off what they say anyway, and no further than that is certain."""

import pytest

from activities.database import Database
from activities.gateway.clocks import DATABASE, GATEWAY, THIS_MACHINE, Clocks
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.clocks import ClockVerdict
from sandbox.servers.shown_clock import ShownClock
from tests.support.wrong_clocks import HOUR, SIX_MINUTES

OFF = (HOUR, SIX_MINUTES, -SIX_MINUTES, -HOUR)


@pytest.mark.parametrize("seconds", OFF)
async def test_a_database_whose_clock_is_off_is_found(
    database: Database, gateway: StripeGateway, database_clock: ShownClock, seconds: int
) -> None:
    database_clock.set(seconds)

    found = await Clocks(database, gateway).measure()

    assert found.verdict is ClockVerdict.TOO_FAR
    assert found.offsets[DATABASE, THIS_MACHINE].seconds == pytest.approx(seconds, abs=1)
    assert found.offsets[DATABASE, GATEWAY].seconds == pytest.approx(seconds, abs=2)
    assert found.offsets[GATEWAY, THIS_MACHINE].seconds == pytest.approx(0, abs=1)


@pytest.mark.parametrize("seconds", OFF)
async def test_a_gateway_whose_clock_is_off_is_found(
    database: Database, gateway: StripeGateway, gateway_clock: ShownClock, seconds: int
) -> None:
    gateway_clock.set(seconds)

    found = await Clocks(database, gateway).measure()

    assert found.verdict is ClockVerdict.TOO_FAR
    assert found.offsets[GATEWAY, THIS_MACHINE].seconds == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize("seconds", OFF)
async def test_a_worker_whose_clock_is_off_is_the_one_that_both_others_differ_from(
    database: Database, gateway: StripeGateway, database_clock: ShownClock, gateway_clock: ShownClock, seconds: int
) -> None:
    for clock in (database_clock, gateway_clock):
        clock.set(-seconds)

    found = await Clocks(database, gateway).measure()

    assert found.verdict is ClockVerdict.TOO_FAR
    assert found.offsets[GATEWAY, THIS_MACHINE].seconds == pytest.approx(-seconds, abs=2)
    assert found.offsets[DATABASE, THIS_MACHINE].seconds == pytest.approx(-seconds, abs=1)
    assert found.offsets[DATABASE, GATEWAY].verdict is ClockVerdict.AGREE


async def test_clocks_that_are_right_agree(database: Database, gateway: StripeGateway) -> None:
    found = await Clocks(database, gateway).measure()

    assert found.verdict is ClockVerdict.AGREE
    assert str(found) == "the clocks agree within 10 s"


async def test_clocks_half_a_minute_apart_are_a_warning(
    database: Database, gateway: StripeGateway, database_clock: ShownClock
) -> None:
    database_clock.set(30)

    found = await Clocks(database, gateway).measure()

    assert found.verdict is ClockVerdict.APART
    assert str(found).startswith("the clock of the database is ")
