"""Workflows that wait continue as new however they are signalled, and accept every command before, while and after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.cards.card import RecurringCommand
from models.collections.collection import CollectionStatus, GraceCommand, RetryCommand, Stage
from models.operator_command import OperatorCommand
from models.runs.run_control import Steering
from models.workflow_ids import dispute_id, shard_id
from sandbox.servers.temporal import running_temporal
from sandbox.stripe.control.client import Fault, FaultKind
from settings import Settings
from tests.fixtures.cards import CardClient
from tests.fixtures.refunds import RefundClient
from tests.support.attempts import CHARGES, attempts, charged
from tests.support.builders import Merchant, declined
from tests.support.run_control import COLLECTED, duly_at, happened, shape, until
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection
from workflows.namespace import register_attributes
from workflows.plugin import DULY_PLUGIN

EVENTS_SUGGESTED = 60
COMMANDS = 40
SIGNALS = 300
# So many at a time: while one is worked on, others come, and the wait never finds nothing pending.
AT_ONCE = 4
WHO = OperatorCommand("maria", "curious")


@pytest.fixture
async def duly(
    server_logs: Path, database: Database, gateway: StripeGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    """Duly on a server of its own that suggests to continue as new after a few events."""
    async with running_short(server_logs, database, gateway, settings) as running:
        yield running


@asynccontextmanager
async def running_short(
    server_logs: Path, database: Database, gateway: StripeGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    """Run Duly on a server of its own that suggests to continue as new after a few events."""
    limits = {"limit.historyCount.suggestContinueAsNew": str(EVENTS_SUGGESTED)}
    async with running_temporal(log=server_logs / "short.log", database=None, ui=False, limits=limits) as server:
        client = await Client.connect(server.address, plugins=[DULY_PLUGIN])
        _ = await register_attributes(client)
        async with duly_at(WorkflowEnvironment.from_client(client), database, gateway, settings) as running:
            yield running


@pytest.fixture
async def unmailed_duly(
    server_logs: Path, database: Database, gateway: StripeGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    """Duly on such a server, with a mail server that is away."""
    away = settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"})
    async with running_short(server_logs, database, gateway, away) as running:
        yield running


async def until_asked(merchant: Merchant) -> None:
    """Wait until somebody's charge is at the gateway."""

    async def is_asked() -> bool:
        return merchant.sandbox.request_counts().get(CHARGES, 0) > 0

    await until(is_asked)


async def until_paused(run: WorkflowHandle[Any, Any]) -> None:
    """Pause a run as soon as it takes that."""

    async def is_paused() -> bool:
        with suppress(WorkflowUpdateFailedError):
            await run.execute_update("pause", WHO)
            return True
        return False

    await until(is_paused)


async def in_dunning(duly: RunningDuly, merchant: Merchant) -> tuple[str, WorkflowHandle[Any, Any]]:
    """An account and its collection, which waits for a retry."""
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    started = await duly.start_collection(account)
    await started.execute_update(Collection.first_outcome)
    await happened(started, COLLECTED, count=3)
    return account, duly.collection(account)


async def run_of(workflow: WorkflowHandle[Any, Any]) -> str:
    """The execution that runs under a workflow's id."""
    return str((await workflow.describe()).run_id)


def waits_for(status: CollectionStatus) -> tuple[object, ...]:
    """What a collection waits for, and what the gateway answered last."""
    return (status.stage, status.attempt, status.next_action_at, status.next_action, status.last, status.is_in_review)


@pytest.mark.nightly
async def test_signals_without_end_leave_the_history_short_and_the_wait_as_it_was(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account, collection = await in_dunning(duly, merchant)
    first, before = await run_of(collection), await collection.query(Collection.status)

    async def signal_often() -> None:
        for _ in range(SIGNALS // AT_ONCE):
            await collection.signal(Collection.receivable_changed)

    await asyncio.gather(*(signal_often() for _ in range(AT_ONCE)))
    after, described = await collection.query(Collection.status), await collection.describe()

    assert described.run_id != first
    assert described.history_length < 3 * EVENTS_SUGGESTED
    assert waits_for(after) == waits_for(before)
    assert await merchant.value("select count(*) from duly.messages where kind = 'declined'") == 1

    await collection.execute_update(Collection.retry_now, RetryCommand("maria", "the customer called"))
    result = await collection.result()

    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert await attempts(merchant, account) == [(1, "declined"), (2, "succeeded")]


async def test_a_mail_server_that_is_away_keeps_nobody_from_continuing_and_the_message_is_carried_along(
    unmailed_duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    await merchant.run("update duly.accounts set email = 'a@example.com' where id = :id", id=account)
    started = await unmailed_duly.start_collection(account)
    await started.execute_update(Collection.first_outcome)
    collection = unmailed_duly.collection(account)
    first = await run_of(collection)

    for _ in range(SIGNALS // AT_ONCE):
        await collection.signal(Collection.receivable_changed)

    async def goes_on() -> bool:
        described = await collection.describe()
        pending = [one.activity_type.name for one in described.raw_description.pending_activities]
        return described.run_id != first and "notify" in pending

    await until(goes_on)
    assert await merchant.value("select count(*) from duly.messages where kind = 'declined'") == 1


@pytest.mark.slow
async def test_a_shard_that_stands_still_continues_however_often_it_is_steered(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await shape(merchant, shards=1, window=1)
    for _ in range(3):
        await merchant.account(owes_minor=1000)
    merchant.sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.SLOW_ANSWER, delay_seconds=2))
    run = await duly.start_run()
    shard = duly.client.get_workflow_handle(shard_id(run.id, 0))
    await until_asked(merchant)
    await until_paused(run)
    first = await run_of(shard)

    for _ in range(COMMANDS):
        # The shard has been sent a later one; it takes in each of them all the same.
        await shard.signal("steer", Steering(revision=0))

    async def went_on() -> bool:
        return await run_of(shard) != first

    await until(went_on)
    await run.execute_update("resume", WHO)
    certificate = await run.result()

    assert [(total.outcome, total.members) for total in certificate.totals] == [("charged", 3)]
    assert charged(merchant.sandbox) == (3, 3000)


async def test_a_collection_accepts_every_grace_and_keeps_the_last(duly: RunningDuly, merchant: Merchant) -> None:
    _, collection = await in_dunning(duly, merchant)
    first, status = await run_of(collection), await collection.query(Collection.status)
    planned = status.next_action_at
    assert planned is not None

    for days in range(1, COMMANDS + 1):
        command = GraceCommand("maria", "as agreed", planned + timedelta(days=days))
        await collection.execute_update(Collection.extend_grace, command)

    after = await collection.query(Collection.status)
    assert await run_of(collection) != first
    assert (after.stage, after.next_action_at) == (Stage.DUNNING, planned + timedelta(days=COMMANDS))


@pytest.mark.nightly
async def test_a_refund_that_is_watched_accepts_every_check(duly: RunningDuly, refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    result = await refunds.start(payment)
    workflow = refunds.workflow(result.refund_id)
    first = await run_of(workflow)

    for _ in range(COMMANDS):
        await workflow.execute_update("check_now", WHO)

    assert await run_of(workflow) != first
    assert (await workflow.execute_update("first_outcome")) is not None
    assert await refunds.wrong() == []


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_dispute_accepts_every_check_and_then_the_loss(duly: RunningDuly, refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    charge = await refunds.merchant.value(
        "select a.charge_reference from duly.gateway_attempts a where a.outcome = 'succeeded'"
    )
    dispute = refunds.sandbox.create_dispute(str(charge), None)
    await refunds.deliver_events()
    workflow = duly.client.get_workflow_handle(dispute_id(str(dispute["id"])))
    await workflow.execute_update("first_reading")
    first = await run_of(workflow)

    for _ in range(COMMANDS):
        await workflow.execute_update("check_now", WHO)
    await workflow.execute_update("accept", WHO)

    assert await run_of(workflow) != first
    assert (await workflow.result())["state"] == "lost"
    assert await refunds.state_of(payment) == "cancelled"


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_card_accepts_every_change(duly: RunningDuly, merchant: Merchant, card_client: CardClient) -> None:
    account = await merchant.account(cards=[])
    card, _ = await card_client.save(account)
    workflow = card_client.workflow(card)
    first = await run_of(workflow)

    for number in range(COMMANDS):
        command = RecurringCommand("maria", "as agreed", is_recurring=number % 2 == 1)
        await workflow.execute_update("set_recurring", command)

    assert await run_of(workflow) != first
    assert (await workflow.execute_update("first_outcome"))["outcome"] == "accepted"
    assert await merchant.value("select is_recurring from duly.cards where id = :id", id=card) is True
