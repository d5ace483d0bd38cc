"""Records the histories of supplements, as `record.py` does."""

from models.workflow_ids import billing_run_id, payment_run_id
from tests.replay.histories import keep
from tests.replay.record import handle_of
from tests.support.builders import PERIOD, Merchant
from tests.support.running_duly import RunningDuly


async def test_supplements(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.subscription(await merchant.account(), price_minor=1000)
    await duly.bill()
    await duly.run()
    await merchant.subscription(await merchant.account(), price_minor=2000)

    await duly.bill(supplement=1)
    await duly.run(supplement=1)

    await keep("billing_run-a_supplement", handle_of(duly, billing_run_id("plans", PERIOD, 1)))
    await keep("payment_run-a_supplement", handle_of(duly, payment_run_id("monthly", PERIOD, 1)))
