"""A workflow whose gateway's clock, or ours, is wrong says so, and goes on by itself when that is mended."""

from datetime import timedelta

from models.collections.collection import Stage
from sandbox.servers.shown_clock import ShownClock
from tests.support.attempts import CHARGES, charged
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from tests.support.wrong_clocks import HOUR
from workflows.collections.collection import Collection


async def test_a_collection_says_whose_clock_is_wrong_and_charges_once_when_it_is_right_again(
    duly: RunningDuly, merchant: Merchant, database_clock: ShownClock
) -> None:
    account = await merchant.account(owes_minor=2500)
    database_clock.set(HOUR)

    await duly.start_collection(account)
    await duly.environment.sleep(timedelta(hours=1))
    waiting = await duly.collection(account).query(Collection.status)
    sent = merchant.sandbox.request_counts().get(CHARGES, 0)
    database_clock.set(0)
    result = await duly.collected(account)

    assert waiting.stage is Stage.UNKNOWN
    assert any("nothing was sent, for the clock of the database is" in note for note in waiting.history)
    assert (sent, result.stage, charged(merchant.sandbox)) == (0, Stage.SETTLED, (1, 2500))
