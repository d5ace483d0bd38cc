"""Runs side by side: two on one provider share its rate fairly, and two providers do not slow one another."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue, TaskQueueConfig
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.runs.run_control import RateCommand, RunStage
from models.workflow_ids import gateway_queue, payment_run_id, shard_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.builders import Merchant
from tests.support.gateways import BusyGateway, GatedGateway, WatchedGateway
from tests.support.run_control import Run, duly_at, happened, members, owing, reached, send_update, shape
from tests.support.running_duly import RunningDuly
from worker import gateway_worker, workflow_worker
from workflows.runs.payment_run import PaymentRun

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
EACH = 24


@pytest.fixture
async def gated(stripe_sandbox: SandboxControl) -> AsyncIterator[GatedGateway]:
    gateway = GatedGateway(stripe_sandbox)
    yield gateway
    gateway.gate.set()
    await gateway.close()


async def collected_in(merchant: Merchant, definition: str, currency: str, *, provider: str = "stripe") -> None:
    """Define a payment run over one currency, with one shard that asks for everybody at once."""
    await merchant.run(
        "insert into duly.run_definitions (id, kind, name, provider_id, currencies, shards, window_size)"
        " values (:id, 'payment', :id, :provider, array[:currency], 1, 100)",
        id=definition,
        provider=provider,
        currency=currency,
    )


async def backlog(duly: RunningDuly, definition: str, period: str, size: int) -> Run:
    """A run whose payments all wait in the provider's queue."""
    run = await duly.start_run(definition, period)
    await happened(run, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
    shard = duly.client.get_workflow_handle(shard_id(payment_run_id(definition, period), 0))
    await happened(shard, SCHEDULED, size + 1)  # the page's own too
    return run


async def test_two_runs_on_one_provider_share_its_rate_fairly(
    temporal_server: Client,
    merchant: Merchant,
    database: Database,
    settings: Settings,
    stripe_sandbox: SandboxControl,
    period: str,
) -> None:
    for number in range(EACH):
        await merchant.account(f"first_{number}", owes_minor=1000)
        await merchant.account(f"second_{number}", currency="JPY", owes_minor=1000)
    await collected_in(merchant, "first", "EUR")
    await collected_in(merchant, "second", "JPY")
    watched = WatchedGateway(stripe_sandbox)
    slow = settings.model_copy(update={"gateway_concurrency": 2})

    async with workflow_worker(temporal_server, database):
        duly = RunningDuly(WorkflowEnvironment.from_client(temporal_server))
        first = await backlog(duly, "first", period, EACH)
        second = await backlog(duly, "second", period, EACH)
        async with gateway_worker(temporal_server, database, watched, slow):
            await second.result()
            await first.result()
    await watched.close()

    # First come, first served would open with the first run alone. Each partition of the queue is fair for itself,
    # and a worker meets them at random: a fair share of the first twelve is six, give or take a few.
    shares = Counter(account.partition("_")[0] for account in watched.asked[: EACH // 2])
    assert shares["second"] >= 3
    assert len(watched.asked) == 2 * EACH


@pytest.mark.nightly
async def test_a_provider_that_does_not_answer_slows_nobody_elses_run(
    time_skipping: WorkflowEnvironment,
    merchant: Merchant,
    database: Database,
    settings: Settings,
    gated: GatedGateway,
    gateway: StripeGateway,
) -> None:
    stalled = await owing(merchant, 3)
    await shape(merchant, window=3)
    theirs = await with_another_provider(merchant, count=4)
    client = time_skipping.client
    other = settings.model_copy(update={"provider": "other"})

    async with (
        duly_at(time_skipping, database, gated, settings) as duly,
        gateway_worker(client, database, gateway, other),
    ):
        run = await duly.start_run()
        await gated.arrived(len(stalled))
        undisturbed = await duly.run("other")
        meanwhile = (await run.query(PaymentRun.status)).stage
        gated.gate.set()
        await run.result()

    assert members(undisturbed) == {"charged": len(theirs), "skipped": len(stalled)}
    assert meanwhile is RunStage.COLLECTING


@pytest.mark.nightly
async def test_a_provider_that_is_down_holds_its_own_run_only(
    time_skipping: WorkflowEnvironment,
    merchant: Merchant,
    database: Database,
    settings: Settings,
    stripe_sandbox: SandboxControl,
    gateway: StripeGateway,
) -> None:
    await owing(merchant, 6)
    await shape(merchant, window=5)
    await with_another_provider(merchant, count=2)
    busy = BusyGateway(stripe_sandbox)
    other = settings.model_copy(update={"provider": "other"})

    async with (
        duly_at(time_skipping, database, busy, settings) as duly,
        gateway_worker(time_skipping.client, database, gateway, other),
    ):
        run = await duly.start_run()
        async with time_skipping.time_skipping_unlocked():  # type: ignore[attr-defined]
            await reached(run, RunStage.HELD)
        undisturbed = await duly.run("other")
        meanwhile = (await run.query(PaymentRun.status)).stage
        busy.is_down = False
        await run.result()
    await busy.close()

    assert members(undisturbed)["charged"] == 2
    assert meanwhile is RunStage.HELD


async def test_a_rate_holds_for_the_providers_queue_until_the_run_ends(
    temporal_server: Client,
    merchant: Merchant,
    database: Database,
    settings: Settings,
    gated: GatedGateway,
    period: str,
) -> None:
    await owing(merchant, 1)
    environment = WorkflowEnvironment.from_client(temporal_server)

    async with duly_at(environment, database, gated, settings) as duly:
        run = await duly.start_run(period=period)
        await gated.arrived(1)
        status = await send_update(run, PaymentRun.change_rate, RateCommand("maria", "they asked us to", 7))
        during = await queue_config(temporal_server)
        gated.gate.set()
        certificate = await run.result()
        after = await queue_config(temporal_server)

    assert status.calls_per_second == 7
    assert during.queue_rate_limit.rate_limit.requests_per_second == 7
    assert during.queue_rate_limit.metadata.reason == "maria: they asked us to"
    assert not after.queue_rate_limit.HasField("rate_limit")
    assert "rate to 7 calls a second, says maria: they asked us to" in certificate.decisions[0]
    assert "the run has ended" in certificate.decisions[1]


async def with_another_provider(merchant: Merchant, *, count: int) -> list[str]:
    """Customers of another provider, and the run that collects from them."""
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('other', 'stripe', 'test')")
    await merchant.run("insert into duly.provider_currencies values ('other', 'EUR', 50), ('other', 'JPY', 50)")
    await collected_in(merchant, "other", "EUR", provider="other")
    accounts = [await merchant.account(f"other_{number}", owes_minor=500) for number in range(count)]
    await merchant.move_to("other", *accounts)
    return accounts


async def queue_config(client: Client) -> TaskQueueConfig:
    """What the server has been told about the provider's queue."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=gateway_queue("stripe")),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        report_config=True,
    )
    return (await client.workflow_service.describe_task_queue(request)).config
