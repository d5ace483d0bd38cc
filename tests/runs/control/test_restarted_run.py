"""An operator kills a run in the Temporal UI and starts it again: it goes on where it was."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.operator_command import OperatorCommand
from models.runs.process_run import Certificate
from models.runs.run_control import RunStage
from models.workflow_ids import payment_run_id, shard_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.runs.test_runs import totals
from tests.support.attempts import charged
from tests.support.builders import Merchant
from tests.support.gateways import GatedGateway
from tests.support.run_control import duly_at, shape, until
from tests.support.running_duly import RunningDuly
from workflows.runs.payment_run import PaymentRun


@pytest.fixture
async def duly(
    temporal_server: Client, database: Database, gated: GatedGateway, settings: Settings
) -> AsyncIterator[RunningDuly]:
    """Duly on the development server, which ends children with their parent as production does."""
    async with duly_at(WorkflowEnvironment.from_client(temporal_server), database, gated, settings) as running:
        yield running
        gated.gate.set()


async def test_a_run_that_was_terminated_goes_on_where_it_was_and_charges_nobody_twice(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, stripe_sandbox: SandboxControl, period: str
) -> None:
    run_id = payment_run_id("monthly", period)
    await shape(merchant, window=4)
    for _ in range(6):
        await merchant.account(owes_minor=1000)
    killed = await duly.start_run(period=period)
    await gated.arrived(4)

    await killed.terminate("a mistake")
    await until(lambda: has_ended(duly, shard_id(run_id, 0)))
    gated.gate.set()
    again = await duly.start_run(period=period)
    certificate = await again.result()

    assert totals(certificate) == {("charged", ""): (6, 6000)}
    assert charged(stripe_sandbox) == (6, 6000)
    assert certificate.run_id == run_id
    assert await shown(again) == ({"charged": 6}, {"EUR": 6000})


@pytest.mark.slow
async def test_a_shard_that_was_terminated_is_begun_again_from_its_members_rows(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, stripe_sandbox: SandboxControl, period: str
) -> None:
    await shape(merchant, window=4, shards=1)
    for _ in range(6):
        await merchant.account(owes_minor=1000)
    run = await duly.start_run(period=period)
    await gated.arrived(4)

    await duly.client.get_workflow_handle(shard_id(run.id, 0)).terminate(reason="a mistake")
    gated.gate.set()
    await until(lambda: are_charged(merchant, 4))
    gated.gate.clear()
    await gated.arrived(2)
    meanwhile = await shown(run)
    gated.gate.set()
    certificate = await run.result()

    assert totals(certificate) == {("charged", ""): (6, 6000)}
    assert charged(stripe_sandbox) == (6, 6000)
    assert any("shard 1 is gone" in decision for decision in certificate.decisions)
    assert meanwhile == ({"charged": 4}, {"EUR": 4000})
    assert await shown(run) == ({"charged": 6}, {"EUR": 6000})


@pytest.mark.nightly
async def test_a_cancelled_run_is_paused_and_goes_on_when_a_person_resumes_it(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, stripe_sandbox: SandboxControl, period: str
) -> None:
    await shape(merchant, window=4, shards=1)
    for _ in range(6):
        await merchant.account(owes_minor=1000)
    run = await duly.start_run(period=period)
    await gated.arrived(4)

    await run.cancel(reason="wait a moment")
    await duly.client.get_workflow_handle(shard_id(run.id, 0)).cancel(reason="this one too")
    gated.gate.set()
    await until(lambda: is_at(run, RunStage.PAUSED))
    await run.execute_update("resume", OperatorCommand("maria", "all is well"))
    certificate = await run.result()

    assert totals(certificate) == {("charged", ""): (6, 6000)}
    assert charged(stripe_sandbox) == (6, 6000)
    asked = "select how, reason from duly.workflow_stops order by reason"
    assert [tuple(row) for row in await merchant.run(asked)] == [
        ("cancel_asked", "this one too"),
        ("cancel_asked", "wait a moment"),
    ]


async def are_charged(merchant: Merchant, members: int) -> bool:
    """Say whether so many members have an outcome."""
    finished: int = await merchant.value("select count(*) from duly.run_items where outcome is not null")
    return finished == members


async def shown(run: WorkflowHandle[PaymentRun, Certificate]) -> tuple[dict[str, int], dict[str, int]]:
    """Return what a run shows of its members and of the money charged, by outcome and by currency."""
    status = await run.query(PaymentRun.status)
    return status.totals, status.charged


async def is_at(run: WorkflowHandle[PaymentRun, Certificate], stage: RunStage) -> bool:
    """Say whether a run stands at a stage."""
    return (await run.query(PaymentRun.status)).stage is stage


async def has_ended(duly: RunningDuly, workflow_id: str) -> bool:
    """Say whether the workflow under an id runs no more."""
    described = await duly.client.get_workflow_handle(workflow_id).describe()
    return described.status is not WorkflowExecutionStatus.RUNNING
