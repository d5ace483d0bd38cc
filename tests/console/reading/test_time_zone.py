"""Moments are shown, and days begin, in the time zone of the house."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from commands.formatting import moment, shown_in
from models.console.roles import ConsoleRole
from models.listing import ListPage
from settings.console import ConsoleSettings
from tests.console.conftest import URL, Browser
from tests.support.builders import Merchant
from web.app import build_app
from web.assets import own_assets
from web.context import Web

LATE = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


def test_a_moment_says_its_zone_and_the_hour_that_comes_twice_is_told_apart() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with shown_in(berlin):
        twice = [moment(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) for hour in (0, 1)]
    page = ListPage(since=date(2026, 10, 25), until=date(2026, 10, 25), zone=berlin)

    assert (moment(LATE), moment(None)) == ("2026-11-30 23:30Z", "")
    assert twice == ["2026-10-25 02:30 CEST", "2026-10-25 02:30 CET"]
    assert page.starts_at
    assert page.ends_at
    assert (page.ends_at.astimezone(UTC) - page.starts_at.astimezone(UTC)).total_seconds() == 25 * 3600


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="IANA time zone"):
        ConsoleSettings(console_time_zone="Berlin")


async def test_a_list_finds_a_moment_by_the_day_that_it_shows(web: Web, merchant: Merchant) -> None:
    house = replace(web, settings=web.settings.model_copy(update={"console_time_zone": "Europe/Berlin"}))
    transport = httpx.ASGITransport(app=build_app(house, own_assets()))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        browser = Browser(client, web.users)
        await browser.sign_in("ada", ConsoleRole.ADMINISTRATOR)
        await merchant.run("update duly.sign_ins set tried_at = :late", late=LATE)

        found = await browser.open("/sign-ins?from=2026-12-01&to=2026-12-01")
        not_found = await browser.open("/sign-ins?to=2026-11-30")

    assert ("2026-12-01 00:30 CET" in found, "Moments are in Europe/Berlin." in found) == (True, True)
    assert "2026-12-01" not in not_found.partition("<tbody")[2]
