"""`subscriptions pause`: what is paused is listed as paused on the days on which it is."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.subscriptions.by_day import WHO, create
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.fixture
async def account(merchant: Merchant) -> str:
    """An account without a card."""
    return await merchant.account(cards=[])


async def test_a_pause_is_listed_from_its_first_day_on(cli: CommandLine, account: str) -> None:
    today = datetime.now(ZoneInfo("Europe/Nicosia")).date()
    for name, days in (("s1", 0), ("s2", 2)):
        await create(cli, account, "--id", name)
        begins = today + timedelta(days=days)
        await cli.json("subscriptions", "pause", name, "--from", begins.isoformat(), *WHO)

    paused = await cli.json("subscriptions", "list", "--state", "paused")

    assert [one["id"] for one in paused["subscriptions"]] == ["s1"]
