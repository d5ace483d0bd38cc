"""From a run to whoever goes on: no receivable is left without an owner, whatever ended in between."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.collections.collect import CollectActivities
from activities.configuration.providers import ProviderActivities
from activities.database import Database
from models.collections.collection import CollectionRequest, Stage
from models.gateway.gateway_request import CollectOutcome, CollectRequest, CollectResult
from models.runs.process_run import DueMember, DuePage, ItemOutcome, PageRequest, ShardProgress, ShardRequest
from models.workflow_ids import WORKFLOW_QUEUE, collection_id, gateway_queue, shard_id
from sandbox.stripe.control.client import SandboxControl
from tests.collections.test_update_with_start import collect_now
from tests.runs.test_runs import totals
from tests.support.attempts import charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.run_control import STARTED_CHILD, count_of, happened, shape, until
from tests.support.running_duly import RunningDuly
from workflows.runs import payment_run_shard
from workflows.runs.payment_run_shard import PaymentRunShard

CHILD_REFUSED = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED
TIMER_STARTED = EventType.EVENT_TYPE_TIMER_STARTED
NO = declined("insufficient_funds")
SLOW, DECLINED, *OTHERS = (f"acc_{number:02}" for number in range(12))


@workflow.defn(name="Collection", sandboxed=False)
class CollectionThatIsOver:
    """Whoever goes on with a member."""

    @workflow.run
    async def run(self, request: CollectionRequest) -> None:
        """End."""
        del request


@workflow.defn(name="RunOfOneShard", sandboxed=False)
class RunOfOneShard:
    """A run with one shard: no client starts one by itself."""

    @workflow.run
    async def run(self, request: ShardRequest) -> ShardProgress:
        """Run it."""
        return await workflow.execute_child_workflow(PaymentRunShard.run, request, id=shard_id(RUN, 0))


class GatewayThatIsSlowForOne:
    """A share of twelve: the first is answered when the gate is opened, the second declined, the others at once."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: Counter[str] = Counter()

    @activity.defn
    async def due_page(self, page: PageRequest) -> DuePage:
        """Return the next of them."""
        everybody = [DueMember(account, account) for account in (SLOW, DECLINED, *OTHERS)]
        return DuePage(tuple(one for one in everybody if one.account_id > page.after)[: page.limit])

    @activity.defn
    async def collect(self, request: CollectRequest) -> CollectResult:
        """Ask for one's payment."""
        self.asked[request.account_id] += 1
        if request.account_id == SLOW:
            await self.gate.wait()
        if request.account_id == DECLINED:
            return CollectResult(CollectOutcome.DECLINED)
        return CollectResult(CollectOutcome.SETTLED, amount_minor=100, currency="EUR")


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


@pytest.mark.usefixtures("merchant")
async def test_a_shard_hands_over_at_once_and_asks_nobody_again_who_is_being_answered_as_it_closes(
    time_skipping: WorkflowEnvironment, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a shard whose history is long before its share is done, and that waits as long as it takes
    monkeypatch.setattr(payment_run_shard, "CLOSE_AT_EVENTS", 40)
    monkeypatch.setattr(payment_run_shard, "CLOSING_TIME", timedelta(days=1))
    client, gateway = time_skipping.client, GatewayThatIsSlowForOne()
    here = [gateway.due_page, *ProviderActivities(database).all()]
    workflows = [RunOfOneShard, PaymentRunShard, CollectionThatIsOver]
    async with (
        Worker(client, task_queue=WORKFLOW_QUEUE, workflows=workflows, activities=here),
        Worker(client, task_queue=gateway_queue("stripe"), activities=[gateway.collect]),
    ):
        run = await client.start_workflow(
            RunOfOneShard.run,
            ShardRequest(RUN, PERIOD, "stripe", shard=0, window=3, page=6),
            id=RUN,
            task_queue=WORKFLOW_QUEUE,
        )
        await happened(run, STARTED_CHILD)
        shard = client.get_workflow_handle(shard_id(RUN, 0))

        async def goes_on() -> bool:
            began = (await shard.fetch_history()).events[0].workflow_execution_started_event_attributes
            return bool(began.continued_execution_run_id)

        async def is_closing() -> bool:
            is_over = (await run.describe()).status is not WorkflowExecutionStatus.RUNNING
            return is_over or await goes_on() or await count_of(shard, TIMER_STARTED) > 0

        # when it closes while one is still being answered
        try:
            await until(is_closing)
            handed_over = await client.get_workflow_handle(collection_id(DECLINED, PERIOD)).describe()
        finally:
            gateway.gate.set()
        progress = await run.result()

    # then who was declined did not wait for that one, and everybody is asked once
    assert (handed_over.workflow_type, await goes_on()) == ("Collection", True)
    assert set(gateway.asked.values()) == {1}
    assert progress.tally == {ItemOutcome.CHARGED: 11, ItemOutcome.IN_DUNNING: 1}
