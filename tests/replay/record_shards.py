"""Records the histories of a payment run's shards, as `record.py` does. By hand:

.venv/bin/pytest tests/replay/record_shards.py
"""

from typing import Any

from temporalio.client import WorkflowHandle

from models.workflow_ids import shard_id
from sandbox.stripe.control.client import SandboxControl
from tests.replay.histories import keep
from tests.runs.control.test_sliding_window import SLOW_AND_DECLINED, SlowForTwo, duly, slow
from tests.support.builders import RUN, Merchant, declined
from tests.support.run_control import STARTED_CHILD, happened, owing, page_after, shape, until
from tests.support.running_duly import RunningDuly

__all__ = ["duly", "slow"]

SHARD = shard_id(RUN, 0)


async def execution_before(duly: RunningDuly, later: WorkflowHandle[Any, Any]) -> WorkflowHandle[Any, Any]:
    """The execution that went on as a later one."""
    started = (await later.fetch_history()).events[0].workflow_execution_started_event_attributes
    return duly.client.get_workflow_handle(SHARD, run_id=started.continued_execution_run_id)


async def last_execution(duly: RunningDuly) -> WorkflowHandle[Any, Any]:
    """The shard's newest execution."""
    described = await duly.client.get_workflow_handle(SHARD).describe()
    return duly.client.get_workflow_handle(SHARD, run_id=described.run_id)


async def prepare(merchant: Merchant, control: SandboxControl) -> None:
    """Twelve members, of which one is declined, for one shard that goes on as new after a few of them."""
    await owing(merchant, 12)
    control.script_card(await merchant.token(SLOW_AND_DECLINED), declined("insufficient_funds"))
    await shape(merchant, shards=1, window=3, page=1)


async def test_a_shard_that_goes_on_as_new(
    duly: RunningDuly, merchant: Merchant, slow: SlowForTwo, stripe_sandbox: SandboxControl
) -> None:
    await prepare(merchant, stripe_sandbox)
    slow.gate.set()

    await duly.run()

    last = await last_execution(duly)
    await keep("payment_run_shard-last_page", last)
    await keep("payment_run_shard-goes_on_as_new", await execution_before(duly, last))


async def test_a_shard_that_goes_on_with_payments_under_way(
    duly: RunningDuly, merchant: Merchant, slow: SlowForTwo, stripe_sandbox: SandboxControl
) -> None:
    await prepare(merchant, stripe_sandbox)

    async def everybody_was_asked() -> bool:
        return len(set(slow.asked)) == 12

    run = await duly.start_run()
    await happened(run, STARTED_CHILD)
    await page_after(duly, SHARD)
    await until(everybody_was_asked)
    slow.gate.set()
    await run.result()

    begun_with = await execution_before(duly, await last_execution(duly))
    await keep("payment_run_shard-begins_with_carried_payments", begun_with)
    await keep("payment_run_shard-carries_payments_on", await execution_before(duly, begun_with))
