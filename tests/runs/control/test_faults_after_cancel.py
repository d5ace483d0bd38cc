"""A Cancel is answered once, and how a run is steered is kept, however many faults come before and after."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.operator_command import OperatorCommand
from models.runs.refund_run import RefundCertificate, RefundRunRequest
from models.runs.run_control import RunStage
from models.workflow_ids import WORKFLOW_QUEUE, collection_id, refund_run_id
from settings import Settings
from tests.runs.control.test_restarted_run import is_at
from tests.runs.test_runs import totals
from tests.supervision.failing_activities import FailingActivities, Failure
from tests.support.builders import Merchant, declined
from tests.support.gateways import GatedGateway
from tests.support.run_control import duly_at, shape, until
from tests.support.running_duly import RunningDuly
from workflows import faults
from workflows.runs.refund_run import RefundRun


@pytest.fixture
def failing() -> FailingActivities:
    """Activities of which one is refused by a rule that nobody knows."""
    return FailingActivities(Failure.REFUSED)


@pytest.fixture
async def duly(
    temporal_server: Client,
    database: Database,
    gated: GatedGateway,
    settings: Settings,
    failing: FailingActivities,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RunningDuly]:
    """Duly on the development server, which stands still for a second only after a fault."""
    monkeypatch.setattr(faults, "FAULT_PAUSE", timedelta(seconds=1))
    config = temporal_server.config()
    config["interceptors"] = [*config["interceptors"], failing]
    environment = WorkflowEnvironment.from_client(Client(**config))
    async with duly_at(environment, database, gated, settings) as running:
        yield running
        gated.gate.set()


async def test_a_run_that_was_cancelled_and_resumed_is_not_paused_again_by_a_fault(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, failing: FailingActivities, period: str
) -> None:
    await shape(merchant, window=2, shards=1)
    for _ in range(2):
        await merchant.account(owes_minor=1000)
    run = await duly.start_run(period=period)
    await gated.arrived(2)
    await run.cancel(reason="wait a moment")
    await until(lambda: is_at(run, RunStage.PAUSED))
    await run.execute_update("resume", OperatorCommand("maria", "all is well"))

    failing.only("certify_run")
    gated.gate.set()
    certificate = await run.result()

    assert failing.failed.total() == 1
    assert totals(certificate) == {("charged", ""): (2, 2000)}
    assert [decision.partition("Z ")[2] for decision in certificate.decisions] == [
        "paused, says Temporal's Cancel: wait a moment",
        "resumed, says maria: all is well",
    ]


@pytest.mark.nightly
async def test_a_cancel_is_answered_by_a_collection_though_two_faults_come_before_its_answer_is_written(
    duly: RunningDuly, merchant: Merchant, gated: GatedGateway, failing: FailingActivities, period: str
) -> None:
    gated.gate.set()
    account = await merchant.account(owes_minor=2500, answers=[declined("insufficient_funds")])
    handle = await duly.start_collection(account, period)
    await handle.execute_update("first_outcome")
    failing.only("close_collection", times=2)

    await handle.cancel()
    await duly.client.get_workflow_handle(collection_id(account, period)).result()

    assert failing.failed.total() == 2
    assert await merchant.value("select reason from duly.collections") == "cancelled"


async def test_a_refund_run_that_was_paused_begins_with_nobody_after_a_fault(
    duly: RunningDuly, merchant: Merchant, failing: FailingActivities, period: str
) -> None:
    await merchant.account()
    # given a run of a day of its own, that is paused as it starts, and fails once it has its members
    failing.only("refund_certificate")
    day = date.fromisoformat(f"{period}-07")
    started = WithStartWorkflowOperation(
        RefundRun.run,
        RefundRunRequest("stripe", day, not_due_yet=True, over_nobody=True),
        id=refund_run_id("stripe", f"{day}"),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    await duly.client.execute_update_with_start_workflow(
        RefundRun.pause, OperatorCommand("maria", "the bank has called"), start_workflow_operation=started
    )
    first = await started.workflow_handle()

    # when it has gone on from its rows
    async def has_gone_on() -> bool:
        run = await duly.client.get_workflow_handle(first.id).describe()
        return run.run_id != first.first_execution_run_id

    await until(has_gone_on)
    run = duly.client.get_workflow_handle(first.id, result_type=RefundCertificate)
    status = await run.query(RefundRun.status)
    await run.execute_update(RefundRun.resume, OperatorCommand("maria", "all is well"))

    # then it stood still until it was resumed
    assert (failing.failed.total(), status.stage) == (1, "paused")
    assert [one.partition("Z ")[2] for one in status.decisions] == ["paused, says maria: the bank has called"]
    assert (await run.result()).totals == ()
