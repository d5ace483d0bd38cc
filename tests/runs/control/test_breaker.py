"""A gateway that answers nobody: the run stops asking, says so, and goes on by itself."""

import logging
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.operator_command import OperatorCommand
from models.runs.process_run import ItemOutcome
from models.runs.run_control import RunStage
from models.workflow_ids import payment_run_id, shard_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.builders import PERIOD, Merchant
from tests.support.gateways import BusyGateway
from tests.support.run_control import (
    Run,
    duly_at,
    found_by,
    members,
    owing,
    reached,
    send_update,
    shape,
)
from tests.support.running_duly import RunningDuly
from workflows.runs.payment_run import PaymentRun
from workflows.visibility import NEEDS_REVIEW, REVIEW_REASON, STAGE

FIRST_SHARD = shard_id(payment_run_id("monthly", PERIOD), 0)
HANDED_OVER = "select count(*) from duly.collections"
WHO = OperatorCommand(actor="maria", reason="the gateway is back, they say")


@pytest.fixture
async def busy(stripe_sandbox: SandboxControl) -> AsyncIterator[BusyGateway]:
    gateway = BusyGateway(stripe_sandbox)
    yield gateway
    await gateway.close()


@pytest.fixture
async def duly(
    time_skipping: WorkflowEnvironment, database: Database, busy: BusyGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    async with duly_at(time_skipping, database, busy, settings) as running:
        yield running


async def held(duly: RunningDuly) -> Run:
    """A run that has found out that the gateway answers nobody."""
    run = await duly.start_run()
    async with duly.environment.time_skipping_unlocked():  # type: ignore[attr-defined]
        await reached(run, RunStage.HELD)
    return run


async def test_a_run_stops_asking_a_gateway_that_answers_nobody_and_goes_on_by_itself(
    duly: RunningDuly, merchant: Merchant, busy: BusyGateway
) -> None:
    await owing(merchant, 20)
    await shape(merchant, window=6)
    run = await held(duly)

    turned_away = set(busy.turned_away)
    busy.is_down = False
    certificate = await run.result()

    # Six found out; a seventh may have looked whether the gateway is back, and was not handed over for it.
    assert 6 <= len(turned_away) <= 7
    assert await merchant.value(HANDED_OVER) == 6
    assert sum(members(certificate).values()) == 20
    assert sum((await run.query(PaymentRun.totals)).values()) == 20


@pytest.mark.nightly
async def test_a_shard_whose_executions_are_short_finds_out_as_well(
    duly: RunningDuly, merchant: Merchant, busy: BusyGateway
) -> None:
    # Longer than what is under way has at the end of an execution: it is carried on, and its tries begin anew.
    busy.retry_after_seconds = 2
    await owing(merchant, 8)
    await shape(merchant, window=6, page=1)
    run = await held(duly)

    busy.is_down = False
    await run.result()

    assert await merchant.value(HANDED_OVER) == 6


@pytest.mark.nightly
async def test_a_run_that_waits_for_the_gateway_says_so(
    duly: RunningDuly, merchant: Merchant, busy: BusyGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "temporalio.workflow")
    await owing(merchant, 8)
    await shape(merchant, window=5)
    run = await held(duly)

    waiting = await run.query(PaymentRun.status)
    found = (await run.describe()).typed_search_attributes
    busy.is_down = False
    await run.result()
    after = (await run.describe()).typed_search_attributes

    assert waiting.held_since is not None
    assert waiting.waits_for.startswith("the gateway, which answered nobody")
    assert (found[STAGE], found[NEEDS_REVIEW], found[REVIEW_REASON]) == ("held", True, "gateway_unanswered")
    assert (after[STAGE], after[NEEDS_REVIEW]) == ("completed", False)
    assert after.get(REVIEW_REASON) is None
    assert [text.split()[0] for text in caplog.messages if text.startswith("run_")] == ["run_held", "run_goes_on"]


@pytest.mark.nightly
async def test_a_held_run_is_found_by_the_query_of_the_runbook(
    temporal_server: Client,
    merchant: Merchant,
    database: Database,
    busy: BusyGateway,
    settings: Settings,
    period: str,
) -> None:
    await owing(merchant, 8)
    await shape(merchant, window=5)
    environment = WorkflowEnvironment.from_client(temporal_server)

    async with duly_at(environment, database, busy, settings) as duly:
        run = await duly.start_run(period=period)
        await reached(run, RunStage.HELD)
        await found_by(temporal_server, 'WorkflowType = "PaymentRun" AND Stage = "held"', run.id)
        busy.is_down = False
        await send_update(run, PaymentRun.resume, WHO)
        await run.result()


@pytest.mark.nightly
async def test_an_operator_who_knows_better_lets_the_run_look_at_once(
    duly: RunningDuly, merchant: Merchant, busy: BusyGateway
) -> None:
    await owing(merchant, 8)
    await shape(merchant, window=5)
    run = await held(duly)
    busy.is_down = False

    resumed = await send_update(run, PaymentRun.resume, WHO)
    # Time stands still: nothing but the operator's word can have ended the pause.
    await reached(run, RunStage.CLOSED)

    assert "resumed, says maria" in resumed.decisions[0]
    assert (await run.query(PaymentRun.totals))[ItemOutcome.CHARGED] == 3


@pytest.mark.nightly
async def test_a_held_run_can_be_aborted(duly: RunningDuly, merchant: Merchant, busy: BusyGateway) -> None:
    accounts = await owing(merchant, 9)
    await shape(merchant, window=5)
    run = await held(duly)

    await send_update(run, PaymentRun.abort, WHO)
    certificate = await run.result()

    # Whoever was asked for money stays with a collection: nobody knows yet what came of it.
    assert members(certificate)["released"] == len(accounts) - len(busy.turned_away)
    assert members(certificate)["unknown"] == len(busy.turned_away)


@pytest.mark.nightly
async def test_an_open_breaker_holds_over_the_end_of_a_page(
    duly: RunningDuly, merchant: Merchant, busy: BusyGateway
) -> None:
    await owing(merchant, 12)
    await shape(merchant, window=5, page=5)
    run = await held(duly)

    assert len(busy.turned_away) == 5
    busy.is_down = False
    await send_update(run, PaymentRun.resume, WHO)
    await run.result()
    assert await run.query(PaymentRun.totals) == {ItemOutcome.CHARGED: 7, ItemOutcome.UNKNOWN: 5}


@pytest.mark.nightly
async def test_interactive_work_is_not_held_by_a_runs_breaker(
    duly: RunningDuly, merchant: Merchant, busy: BusyGateway
) -> None:
    await owing(merchant, 8)
    await shape(merchant, window=5)
    run = await held(duly)
    busy.is_down = False
    urgent = await merchant.account("acc_urgent", owes_minor=500)

    collection = await duly.start_collection(urgent)
    first = await collection.execute_update("first_outcome", result_type=CollectResult)

    assert first.outcome is CollectOutcome.SETTLED
    assert (await run.query(PaymentRun.status)).stage is RunStage.HELD
    await run.result()
