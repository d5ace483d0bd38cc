"""What a payment that succeeds at once costs: one request, one action, four events and two commits at most."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiolimiter import AsyncLimiter
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database, create_engine
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from models.workflow_ids import payment_run_id, shard_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.attempts import CHARGES, request_for
from tests.support.builders import Merchant
from tests.support.run_control import current, duly_at, shape
from tests.support.running_duly import RunningDuly

# A second's payments, one after the other: a shard that were woken for each answer alone would spend six events on it.
PAYMENTS = 60
MOVEMENTS = "GET /v1/balance_transactions"
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
STARTED = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED


@pytest.fixture
async def duly(
    temporal_server: Client, database: Database, gateway: StripeGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    """Duly on the development server, whose histories are production's, at a rate that a gateway might allow."""
    paced = settings.model_copy(update={"gateway_rate": PAYMENTS, "gateway_concurrency": PAYMENTS})
    async with duly_at(WorkflowEnvironment.from_client(temporal_server), database, gateway, paced) as running:
        yield running


@pytest.fixture
async def alone(database_url: str) -> AsyncIterator[Database]:
    """A database with one connection, so that nobody else's commits are counted."""
    database = Database(create_engine(database_url, pool=1), timeout_seconds=5)
    yield database
    await database.dispose()


async def histories(duly: RunningDuly, workflow_id: str) -> list[HistoryEvent]:
    """The events of a shard, from its first execution to its last."""
    handle: WorkflowHandle[object, object] = await current(duly, workflow_id)
    events: list[HistoryEvent] = []
    while True:
        history = (await handle.fetch_history()).events
        events = [*history, *events]
        before = history[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not before:
            return events
        handle = duly.client.get_workflow_handle(workflow_id, run_id=before)


# Counting takes two statements, each a commit.
COUNTING = 2


async def commits(database: Database) -> int:
    """Commits that the server has counted, with those of this connection."""
    await database.rows("select pg_stat_force_next_flush()")
    rows = await database.rows("select xact_commit from pg_stat_database where datname = current_database()")
    return int(rows[0][0])


async def test_a_run_costs_one_request_one_action_and_four_events_for_each_payment(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, period: str
) -> None:
    await shape(merchant, window=PAYMENTS, page=250)
    await asyncio.gather(*(merchant.account(owes_minor=2500) for _ in range(PAYMENTS)))
    before = Counter(stripe_sandbox.request_counts())

    run = await duly.start_run(period=period)
    await run.result()

    requests = Counter(stripe_sandbox.request_counts()) - before
    # The first payment's event starts a check of the movements 30 s later, which a slow machine lives to see.
    checks = requests.pop(MOVEMENTS, 0)
    events = await histories(duly, shard_id(payment_run_id("monthly", period), 0))
    collects = [
        event.event_id
        for event in events
        if event.event_type == SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == "collect"
    ]
    tries = {event.activity_task_started_event_attributes.attempt for event in events if event.event_type == STARTED}
    # A worker asks once for the balance, to know the gateway's key and clock to be good.
    assert requests == {CHARGES: PAYMENTS, "GET /v1/balance": 1}
    assert checks <= 1
    assert (len(collects), tries) == (PAYMENTS, {1})
    # Three of each payment, and the shard's tasks: somewhat more on a busy machine. One task for each answer makes six.
    assert len(events) / PAYMENTS <= 4.5


async def test_a_payment_costs_two_commits(
    merchant: Merchant, alone: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> None:
    accounts = [await merchant.account(owes_minor=2500) for _ in range(7 + 3 * 5)]
    await merchant.engine.dispose()
    collecting = CollectActivities(alone, gateway, Clocks(alone, gateway), AsyncLimiter(1000, 1))
    for account in accounts[:7]:  # opens the connection; the driver prepares what it has sent five times
        await collecting.collect(request_for(account))

    costs = []
    for first in (7, 12, 17):
        begun = await quiet(alone)
        for account in accounts[first : first + 5]:
            await collecting.collect(request_for(account))
        costs.append(await commits(alone) - begun - COUNTING)

    # Autovacuum commits in the same database when it comes by, which it does not three times in a row.
    assert min(costs) == 2 * 5


async def quiet(database: Database) -> int:
    """Wait until the counts of connections that were closed have arrived, and only counting itself still counts."""
    async with asyncio.timeout(60):
        before, now = 0, await commits(database)
        while now - before != COUNTING:
            before, now = now, await commits(database)
    return now
