"""A refund run that the gateway keeps waiting hands its members over, and ends with a certificate all the same."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from activities.database import Database
from activities.reductions.reductions import open_reduction
from models.reductions.reduction import Award
from models.runs.refund_run import RefundCertificate, RefundRunRequest, RefundRunTotals
from models.workflow_ids import WORKFLOW_QUEUE, reduction_id, refund_run_id
from sandbox.stripe.control.client import Fault, FaultKind
from tests.fixtures.refunds import RefundClient
from tests.reductions.reduction_client import ReductionClient
from tests.refunds.test_refund_runs import counted, rewards, run
from workflows.runs import refund_run
from workflows.runs.refund_run import RefundRun

__all__ = ["rewards"]

REFUNDS = "POST /v1/refunds"
WINDOW = 5
MEMBERS = WINDOW + 3


async def awarded(refunds: RefundClient, database: Database, members: int = MEMBERS) -> list[str]:
    """A customer who has paid, and so many rewards of theirs that are due."""
    [payment] = await refunds.paid(2500)
    account = await refunds.account_of(payment)
    names = [f"award_{number:03}" for number in range(members)]
    for name in names:
        await open_reduction(database, Award(name, "cafe", account, 10, "EUR"))
    return names


def workflow_of(refunds: RefundClient, run_id: str) -> WorkflowHandle[Any, RefundCertificate]:
    return refunds.duly.client.get_workflow_handle(run_id, result_type=RefundCertificate)


async def executions(refunds: RefundClient, handle: WorkflowHandle[Any, RefundCertificate]) -> list[int]:
    """The lengths of the histories of a run that went on as new, the last one first."""
    lengths, run_id = [], (await handle.describe()).run_id
    while run_id:
        history = await refunds.duly.client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()
        lengths.append(len(history.events))
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return lengths


@pytest.mark.nightly
async def test_a_run_whose_window_is_full_hands_over_and_ends_with_its_certificate(
    rewards: ReductionClient, refunds: RefundClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refund_run, "WINDOW", WINDOW)
    names = await awarded(refunds, database)
    refunds.sandbox.add_fault(Fault(operation=REFUNDS, kind=FaultKind.UNAVAILABLE_503))

    certificate = await run(refunds)

    handle = workflow_of(refunds, certificate.run_id)
    totals = await handle.query("totals", result_type=RefundRunTotals)
    assert counted(certificate) == [("reward", "under_way", MEMBERS, 0)]
    assert (totals.members, totals.sent) == (MEMBERS, MEMBERS)
    assert totals.handed_over >= WINDOW

    refunds.sandbox.clear_faults()
    await refunds.duly.environment.sleep(timedelta(hours=7))

    states = await refunds.merchant.run("select state, count(*) from duly.reductions group by state")
    assert [tuple(row) for row in states] == [("refunding", len(names))]
    total = refunds.sandbox.movements().totals[0].refunds
    assert (total.count, total.amount_minor) == (MEMBERS, 10 * MEMBERS)
    assert await refunds.wrong() == []


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_run_goes_on_as_new_after_each_page_and_counts_everybody_once(
    rewards: ReductionClient, refunds: RefundClient, database: Database
) -> None:
    await awarded(refunds, database, members=105)

    certificate = await run(refunds)

    handle = workflow_of(refunds, certificate.run_id)
    lengths = await executions(refunds, handle)
    assert counted(certificate) == [("reward", "refunded", 105, 1050)]
    assert await handle.query("totals", result_type=RefundRunTotals) == RefundRunTotals(105, 105, 105)
    assert len(lengths) == 3
    assert max(lengths) < 3000
    assert await refunds.wrong() == []


@pytest.mark.nightly
async def test_what_a_schedule_starts_is_the_days_one_run(
    rewards: ReductionClient, refunds: RefundClient, database: Database
) -> None:
    await awarded(refunds, database, members=3)
    day = (await refunds.duly.environment.get_current_time()).date()
    scheduled = await refunds.duly.client.start_workflow(
        RefundRun.run,
        RefundRunRequest("stripe"),
        id=f"{refund_run_id('stripe', 'scheduled')}-2026-11-26T03:00:00Z",
        task_queue=WORKFLOW_QUEUE,
    )

    certificate = await scheduled.result()

    natural = workflow_of(refunds, refund_run_id("stripe", f"{day}"))
    assert (certificate.run_id, certificate) == (natural.id, await natural.result())
    assert counted(certificate) == [("reward", "refunded", 3, 30)]
    started = (await natural.describe()).parent_id
    assert started == scheduled.id


async def test_a_run_that_is_over_is_not_sent_again(
    rewards: ReductionClient, refunds: RefundClient, database: Database
) -> None:
    [name] = await awarded(refunds, database, members=1)
    first = await run(refunds)
    await refunds.duly.client.get_workflow_handle(reduction_id(name)).terminate("pressed by an operator")

    second = await run(refunds)

    # The refund that is still watched may have told its reward how it stands, and brought it back for that.
    reward = await refunds.duly.client.get_workflow_handle(reduction_id(name)).describe()
    asked_again = await workflow_of(refunds, second.run_id).describe()
    assert second == first
    assert reward.raw_info.parent_execution.run_id != asked_again.run_id
