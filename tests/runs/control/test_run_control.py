"""Operators steer a run while it collects; nonsense is refused with the reason."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ActivityError
from temporalio.testing import WorkflowEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome, CollectRequest
from models.operator_command import OperatorCommand
from models.runs.run_control import CALLS_PER_SECOND_MAX, RateCommand, RunStage
from models.workflow_ids import payment_run_id, shard_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.gateways import GatedGateway
from tests.support.run_control import (
    CONTINUED,
    STARTED_CHILD,
    Run,
    at_rest,
    current,
    duly_at,
    happened,
    members,
    owing,
    refusal,
    send_update,
    shape,
)
from tests.support.running_duly import RunningDuly
from workflows.runs.payment_run import PaymentRun

WHO = OperatorCommand(actor="maria", reason="the bank called")
RUN_ID = payment_run_id("monthly", PERIOD)
FIRST_SHARD = shard_id(RUN_ID, 0)


@pytest.fixture
async def gated(stripe_sandbox: SandboxControl) -> AsyncIterator[GatedGateway]:
    gateway = GatedGateway(stripe_sandbox)
    yield gateway
    await gateway.close()


@pytest.fixture
async def duly(
    time_skipping: WorkflowEnvironment, database: Database, gated: GatedGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    async with duly_at(time_skipping, database, gated, settings) as running:
        yield running
        gated.gate.set()


async def under_way(duly: RunningDuly, gated: GatedGateway, *, at_the_gate: int) -> Run:
    """A run whose first payments wait for the gateway's answer."""
    run = await duly.start_run()
    await gated.arrived(at_the_gate)
    return run


async def test_a_paused_run_settles_what_is_in_flight_and_starts_nothing_new(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    await owing(merchant, 6)
    await shape(merchant, window=2)
    run = await under_way(duly, gated, at_the_gate=2)

    paused = await send_update(run, PaymentRun.pause, WHO)
    gated.gate.set()
    await at_rest(await current(duly, FIRST_SHARD), completed=3)  # the page and both payments

    assert paused.stage is RunStage.PAUSED
    assert len(gated.asked) == 2
    resumed = await send_update(run, PaymentRun.resume, WHO)
    assert resumed.stage is RunStage.COLLECTING
    assert members(await run.result()) == {"charged": 6}


async def test_a_pause_holds_from_page_to_page(duly: RunningDuly, merchant: Merchant, gated: GatedGateway) -> None:
    await owing(merchant, 4)
    await shape(merchant, window=2, page=2)
    run = await under_way(duly, gated, at_the_gate=2)
    page = await current(duly, FIRST_SHARD)

    await send_update(run, PaymentRun.pause, WHO)
    gated.gate.set()
    await happened(page, CONTINUED)
    await at_rest(await current(duly, FIRST_SHARD), completed=1)

    assert len(gated.asked) == 2
    await send_update(run, PaymentRun.resume, WHO)
    assert members(await run.result()) == {"charged": 4}


async def test_a_pause_reaches_shards_that_start_later(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, owner_engine: AsyncEngine
) -> None:
    await owing(merchant, 2)
    await shape(merchant, shards=2)
    gated.gate.set()
    async with owner_engine.begin() as connection:
        await connection.execute(text("lock table duly.process_runs in access exclusive mode"))
        run = await duly.start_run()
        await send_update(run, PaymentRun.pause, WHO)
    await happened(run, STARTED_CHILD, 2)
    for shard in range(2):
        await at_rest(await current(duly, shard_id(RUN_ID, shard)), completed=1)

    assert gated.asked == []
    await send_update(run, PaymentRun.resume, WHO)
    assert members(await run.result()) == {"charged": 2}


async def test_an_aborted_run_keeps_what_is_charged_and_releases_the_rest(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    accounts = await owing(merchant, 6)
    await shape(merchant, window=2)
    run = await under_way(duly, gated, at_the_gate=2)

    aborted = await send_update(run, PaymentRun.abort, WHO)
    gated.gate.set()
    certificate = await run.result()

    assert aborted.stage is RunStage.ABORTING
    assert members(certificate) == {"charged": 2, "released": 4}
    assert [total.reason for total in certificate.totals if total.outcome == "released"] == ["run_aborted"]
    assert certificate.is_aborted
    assert "aborted, says maria: the bank called" in certificate.decisions[0]
    assert sorted([await merchant.balance(account) for account in accounts]) == [0, 0, 1000, 1000, 1000, 1000]


async def test_what_an_aborted_run_released_is_collected_by_the_next(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    await owing(merchant, 3)
    await shape(merchant, window=1)
    run = await under_way(duly, gated, at_the_gate=1)
    await send_update(run, PaymentRun.abort, WHO)
    gated.gate.set()
    await run.result()

    following = await duly.run(period="2026-12")

    assert members(following) == {"charged": 2}
    assert await merchant.value("select sum(balance_minor) from duly.account_balances") == 0


async def test_nobody_is_charged_through_a_run_that_has_released_them(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, collecting: CollectActivities
) -> None:
    accounts = await owing(merchant, 2)
    await shape(merchant, window=1)
    run = await under_way(duly, gated, at_the_gate=1)
    await send_update(run, PaymentRun.abort, WHO)
    gated.gate.set()
    await run.result()
    released = next(account for account in accounts if account not in gated.asked)

    # A call that hung in a lost worker all the while.
    late = await collecting.collect(CollectRequest(released, PERIOD, "stripe", RUN_ID))

    assert late.outcome is CollectOutcome.NOTHING_OWED
    assert await merchant.balance(released) == 1000


async def test_a_run_that_is_aborted_while_it_freezes_charges_nobody(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, owner_engine: AsyncEngine
) -> None:
    await owing(merchant, 2)
    async with owner_engine.begin() as connection:
        await connection.execute(text("lock table duly.process_runs in access exclusive mode"))
        run = await duly.start_run()
        await send_update(run, PaymentRun.abort, WHO)

    assert members(await run.result()) == {"released": 2}
    assert gated.asked == []


async def test_a_collection_goes_on_when_its_run_is_aborted(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    declining = await merchant.account("acc_00", answers=[declined("insufficient_funds")], owes_minor=2500)
    await merchant.account("acc_01", owes_minor=1000)
    await shape(merchant, window=1)
    run = await under_way(duly, gated, at_the_gate=1)
    await send_update(run, PaymentRun.abort, WHO)
    gated.gate.set()

    certificate = await run.result()
    collected = await duly.collected(declining)

    assert members(certificate) == {"in_dunning": 1, "released": 1}
    assert collected.stage is Stage.SETTLED


async def test_a_run_tells_how_far_it_is_and_what_it_waits_for(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    await owing(merchant, 2)
    await merchant.account("acc_yen", currency="JPY", owes_minor=500)
    await merchant.account("acc_without_card", cards=(), owes_minor=700)
    await shape(merchant, window=5)
    run = await under_way(duly, gated, at_the_gate=3)

    before = await run.query(PaymentRun.status)
    gated.gate.set()
    await run.result()
    after = await run.query(PaymentRun.status)

    assert (before.stage, before.members, before.skipped, before.to_do) == (RunStage.COLLECTING, 4, 1, 3)
    assert before.due == {"EUR": 2000, "JPY": 500}
    assert before.waits_for.startswith("the remaining payments")
    assert (after.stage, after.totals, after.to_do) == (RunStage.CLOSED, {"charged": 3}, 0)
    assert after.charged == {"EUR": 2000, "JPY": 500}


async def test_commands_that_make_no_sense_are_refused_with_the_reason(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    await owing(merchant, 2)
    await shape(merchant, window=1)
    run = await under_way(duly, gated, at_the_gate=1)

    assert await refusal(run, PaymentRun.resume, WHO) == "stage: collecting; the run is not paused"
    assert await refusal(run, PaymentRun.pause, OperatorCommand("", "why")) == "actor: say who asks"
    assert await refusal(run, PaymentRun.abort, OperatorCommand("maria", " ")) == "reason: say why"
    too_fast = await refusal(run, PaymentRun.change_rate, RateCommand("maria", "why", CALLS_PER_SECOND_MAX + 1))
    assert too_fast == "calls_per_second: 1001 must be at least 1 and at most 1000; to stop, pause the run"
    assert "must be at least 1" in await refusal(run, PaymentRun.change_rate, RateCommand("maria", "why", 0))
    no_rate = await refusal(run, PaymentRun.change_rate, {"actor": "maria", "reason": "why"})
    assert no_rate == "calls_per_second: give a number, or null to give the queue back to its workers"
    await send_update(run, PaymentRun.pause, WHO)
    assert await refusal(run, PaymentRun.pause, WHO) == "stage: paused; the run is paused already"
    await send_update(run, PaymentRun.abort, WHO)
    assert "the run has been aborted" in await refusal(run, PaymentRun.resume, WHO)
    assert "the run has been aborted" in await refusal(run, PaymentRun.abort, WHO)
    assert len((await run.query(PaymentRun.status)).decisions) == 2


async def test_a_server_that_cannot_change_a_rate_says_so(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    await owing(merchant, 1)
    run = await under_way(duly, gated, at_the_gate=1)

    with pytest.raises(WorkflowUpdateFailedError) as error:
        await send_update(run, PaymentRun.change_rate, RateCommand("maria", "too slow", 5))

    assert isinstance(error.value.cause, ActivityError)
    assert "this Temporal server cannot change a queue's rate" in str(error.value.cause.cause)
    assert (await run.query(PaymentRun.status)).decisions == ()


@pytest.mark.nightly
async def test_steering_costs_a_payment_that_succeeds_at_once_nothing(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway
) -> None:
    await owing(merchant, 20)
    await shape(merchant, window=25)
    gated.gate.set()
    run = await duly.start_run()
    await happened(run, STARTED_CHILD)
    page = await current(duly, FIRST_SHARD)
    await run.result()

    kinds = Counter([EventType.Name(event.event_type) async for event in page.fetch_history_events()])

    assert kinds["EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"] == 2 + 20
    assert {kind for kind in kinds if not kind.startswith(("EVENT_TYPE_ACTIVITY", "EVENT_TYPE_WORKFLOW_TASK"))} == {
        "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
        "EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        "EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
        "EVENT_TYPE_MARKER_RECORDED",
        "EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    }
