"""From a run to whoever goes on: no receivable is left without an owner, whatever ended in between."""

from temporalio.api.enums.v1 import EventType

from activities.collections.collect import CollectActivities
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from models.workflow_ids import shard_id
from sandbox.stripe.control.client import SandboxControl
from tests.collections.test_update_with_start import collect_now
from tests.runs.test_runs import totals
from tests.support.attempts import charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.run_control import happened, shape
from tests.support.running_duly import RunningDuly

CHILD_REFUSED = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED
NO = declined("insufficient_funds")


async def test_a_member_whose_shard_ended_between_decline_and_collection_is_collected_from_all_the_same(
    duly: RunningDuly, merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(answers=[NO], owes_minor=2500)
    await merchant.run("select duly.freeze_payment_run(:run, 'monthly', :period, '2026-12-01')", run=RUN, period=PERIOD)
    await collecting.collect(request_for(account, run_id=RUN))

    await duly.run()
    result = await duly.collected(account)

    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert charged(stripe_sandbox) == (1, 2500)


async def test_a_run_waits_for_the_end_of_a_shard_that_was_terminated_before_it(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await shape(merchant, shards=1)
    await merchant.account(owes_minor=2500)
    earlier_shard = await duly.client.start_workflow("Lingering", id=shard_id(RUN, 0), task_queue="nobody-listens")
    run = await duly.start_run()
    await happened(run, CHILD_REFUSED)

    await earlier_shard.terminate("its run was terminated")

    assert totals(await run.result()) == {("charged", ""): (1, 2500)}


async def test_a_service_that_asks_before_anything_is_owed_leaves_the_period_to_the_run(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(answers=[NO])
    early = await collect_now(duly, account)
    await duly.collected(account)
    await merchant.invoice(account, 2500)

    await duly.run()
    result = await duly.collected(account)

    assert early.outcome is CollectOutcome.NOTHING_OWED
    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert charged(stripe_sandbox) == (1, 2500)
