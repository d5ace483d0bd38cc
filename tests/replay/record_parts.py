"""Records the histories of accounts that owe more invoices than a receivable holds; see `record.py`."""

from models.workflow_ids import shard_id
from tests.replay.histories import keep
from tests.replay.record import handle_of
from tests.support.builders import RUN, Merchant
from tests.support.run_control import shape
from tests.support.running_duly import RunningDuly


async def test_parts(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.run(
        "create or replace function duly.invoices_at_most() returns bigint language sql immutable parallel safe"
        " as 'select 2::bigint'"
    )
    await shape(merchant, shards=1)
    account = await merchant.account()
    for _ in range(5):
        await merchant.invoice(account, 1000)

    await duly.run()
    await duly.collected(account, "2026-11-2")
    await duly.collected(account, "2026-11-3")

    shard = handle_of(duly, shard_id(RUN, 0))
    await keep("payment_run_shard-hands_over_the_rest", shard)
    await keep("collection-goes_on_with_the_rest", duly.collection(account, "2026-11-2"))
    await keep("collection-of_the_rest", duly.collection(account, "2026-11-3"))
