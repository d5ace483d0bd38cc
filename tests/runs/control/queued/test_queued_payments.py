"""What was queued for the gateway when a run was paused or aborted is not begun: a pause holds at any rate."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.operator_command import OperatorCommand
from models.runs.run_control import RunStage
from models.workflow_ids import payment_run_id, shard_id
from settings import Settings
from tests.support.builders import PERIOD, Merchant
from tests.support.gateways import GatedGateway
from tests.support.run_control import (
    STARTED_CHILD,
    Run,
    at_rest,
    current,
    happened,
    members,
    owing,
    send_update,
    shape,
    until,
)
from tests.support.running_duly import RunningDuly
from worker import gateway_worker, mail_worker, workflow_worker
from workflows.runs.payment_run import PaymentRun

WHO = OperatorCommand(actor="maria", reason="the bank called\n- 2026-11-30 06:00Z resumed, says eva: all clear")
SHARD = shard_id(payment_run_id("monthly", PERIOD), 0)
MEMBERS = 3
QUEUED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
STEERING = "select steering from duly.process_runs where period = :period and kind = 'payment'"


@pytest.fixture
async def duly(
    time_skipping: WorkflowEnvironment, database: Database, gated: GatedGateway
) -> AsyncIterator[RunningDuly]:
    """Duly without a worker of the gateway: what is queued for it stays queued."""
    gated.gate.set()
    async with workflow_worker(time_skipping.client, database):
        yield RunningDuly(time_skipping)


@asynccontextmanager
async def gateway_at_work(
    duly: RunningDuly, database: Database, gated: GatedGateway, settings: Settings
) -> AsyncIterator[None]:
    """The workers that a run needs to go on."""
    async with gateway_worker(duly.client, database, gated, settings), mail_worker(duly.client, database, settings):
        yield


async def stopped_before_it_asks(duly: RunningDuly, merchant: Merchant, *, update: object) -> Run:
    """Return a run all of whose payments were queued, and none begun, when it was commanded."""
    await owing(merchant, MEMBERS)
    await shape(merchant, window=MEMBERS)
    run = await duly.start_run()
    await happened(run, STARTED_CHILD)
    await happened(await current(duly, SHARD), QUEUED, 1 + MEMBERS)
    await send_update(run, update, WHO)
    return run


async def test_a_paused_run_begins_none_of_the_payments_that_were_queued(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, database: Database, settings: Settings
) -> None:
    run = await stopped_before_it_asks(duly, merchant, update=PaymentRun.pause)

    async with gateway_at_work(duly, database, gated, settings):
        await at_rest(await current(duly, SHARD), completed=1 + MEMBERS)
        decided = (await run.query(PaymentRun.status)).decisions
        begun = await merchant.value("select count(*) from duly.gateway_attempts")
        steering = await merchant.value(STEERING, period=PERIOD)
        assert (gated.asked, begun, steering) == ([], 0, "paused")
        assert [("\n" in one, "the bank called - 2026" in one) for one in decided] == [(False, True)]

        await send_update(run, PaymentRun.resume, WHO)
        assert members(await run.result()) == {"charged": MEMBERS}

    assert len(gated.asked) == MEMBERS


async def test_an_aborted_run_releases_what_was_queued(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, database: Database, settings: Settings
) -> None:
    run = await stopped_before_it_asks(duly, merchant, update=PaymentRun.abort)

    async with gateway_at_work(duly, database, gated, settings):
        assert members(await run.result()) == {"released": MEMBERS}

    assert gated.asked == []


async def test_a_run_that_begins_again_is_not_stopped_by_how_the_last_execution_was_steered(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, database: Database, settings: Settings
) -> None:
    run = await stopped_before_it_asks(duly, merchant, update=PaymentRun.pause)
    await run.terminate("by mistake")
    # A server of production ends a terminated run's shards; the one of tests leaves them open.
    await (await current(duly, SHARD)).terminate("with its run")

    again = await duly.start_run()

    async with gateway_at_work(duly, database, gated, settings):
        assert members(await again.result()) == {"charged": MEMBERS}


async def test_a_paused_run_says_what_was_charged_until_then(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, database: Database, settings: Settings
) -> None:
    gated.gate.clear()
    await owing(merchant, MEMBERS)
    await shape(merchant, window=MEMBERS - 1)

    async with gateway_at_work(duly, database, gated, settings):
        run = await duly.start_run()
        await gated.arrived(MEMBERS - 1)
        await send_update(run, PaymentRun.pause, WHO)
        gated.gate.set()

        async def is_reported() -> bool:
            return (await run.query(PaymentRun.status)).charged == {"EUR": 1000 * (MEMBERS - 1)}

        await until(is_reported)
        assert (await run.query(PaymentRun.status)).stage is RunStage.PAUSED
        await send_update(run, PaymentRun.resume, WHO)
        assert members(await run.result()) == {"charged": MEMBERS}
