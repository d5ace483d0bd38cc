"""How long a refund run waits for the answers of what it has sent, and for whom it does not wait."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.configuration.providers import ProviderActivities
from activities.database import Database
from models.refunds.refund import RefundRequest
from models.runs.refund_run import (
    RefundCertificate,
    RefundMember,
    RefundPart,
    RefundRunRequest,
    RefundRunStart,
    RefundRunTotals,
)
from models.workflow_ids import WORKFLOW_QUEUE, refund_id, refund_run_id
from workflows.runs import refund_run
from workflows.runs.refund_run import RefundRun
from workflows.signals import signal_if_running

DAY = date(2026, 11, 26)
RUN = refund_run_id("stripe", f"{DAY}")
# The minutes of thirty days.
A_MONTH = 43_200


@workflow.defn(name="Refund", sandboxed=False)
class RefundThatTakesLong:
    """A refund whose name says after how many minutes it has an outcome: `rf-3-b` after three."""

    @workflow.run
    async def run(self, request: RefundRequest) -> None:
        await workflow.sleep(timedelta(minutes=int(request.refund_id.split("-")[1])))
        await signal_if_running(request.run_id, "member_answered", workflow.info().workflow_id)


class DayOfRefunds:
    """The members of a day, as the database has them."""

    def __init__(self, *members: tuple[str, ...]) -> None:
        self.certificate: RefundCertificate | None = None
        self.members = [
            RefundMember(f"m{number}", f"acc_{number}", refunds=tuple(RefundPart(id, f"p_{id}", 100) for id in refunds))
            for number, refunds in enumerate(members)
        ]

    @activity.defn
    async def freeze_refund_run(self, start: RefundRunStart) -> int:
        """Freeze them."""
        del start
        return len(self.members)

    @activity.defn
    async def refund_certificate(self, run_id: str) -> RefundCertificate | None:
        """Return what the day was closed with."""
        del run_id
        return self.certificate

    @activity.defn
    async def refund_page(self, run_id: str, after: str) -> list[RefundMember]:
        """Return those behind one."""
        del run_id
        return [one for one in self.members if one.member_id > after]

    @activity.defn
    async def certify_refund_run(self, run_id: str) -> RefundCertificate:
        """Close the day."""
        self.certificate = RefundCertificate(run_id, DAY, len(self.members), (), "seal")
        return self.certificate


async def run_of(client: Client, database: Database, day: DayOfRefunds) -> tuple[RefundRunTotals, timedelta]:
    """Run a day; return what the run has counted, and how long it took."""
    activities: list[Callable[..., Any]] = [
        day.freeze_refund_run, day.refund_certificate, day.refund_page, day.certify_refund_run,
        *ProviderActivities(database).all(),
    ]  # fmt: skip
    workflows = [RefundRun, RefundThatTakesLong]
    async with Worker(client, task_queue=WORKFLOW_QUEUE, workflows=workflows, activities=activities):
        run = await client.start_workflow(
            RefundRun.run, RefundRunRequest("stripe", DAY), id=RUN, task_queue=WORKFLOW_QUEUE
        )
        await run.result()
        totals = await run.query(RefundRun.totals)
        described = await run.describe()
    assert described.close_time
    return totals, described.close_time - described.start_time


@pytest.mark.usefixtures("merchant")
async def test_a_run_does_not_wait_for_a_refund_that_somebody_else_began(
    time_skipping: WorkflowEnvironment, database: Database
) -> None:
    theirs = RefundRequest(f"rf-{A_MONTH}")
    await time_skipping.client.start_workflow(
        "Refund", theirs, id=refund_id(theirs.refund_id), task_queue=WORKFLOW_QUEUE
    )

    totals, took = await run_of(time_skipping.client, database, DayOfRefunds((theirs.refund_id, "rf-5")))

    assert totals == RefundRunTotals(members=1, sent=1, answered=1)
    assert timedelta(minutes=5) <= took < timedelta(minutes=10)


@pytest.mark.usefixtures("merchant")
async def test_the_last_answers_are_waited_for_an_hour_and_what_is_left_then_is_under_way(
    time_skipping: WorkflowEnvironment, database: Database
) -> None:
    totals, took = await run_of(time_skipping.client, database, DayOfRefunds(("rf-50",), (f"rf-{A_MONTH}",)))

    assert totals == RefundRunTotals(members=2, sent=2, answered=1)
    assert timedelta(hours=1) <= took < timedelta(minutes=70)


@pytest.mark.usefixtures("merchant")
async def test_nobody_is_handed_over_while_others_of_the_window_are_answered(
    time_skipping: WorkflowEnvironment, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second member waits for room. Of the first one's refunds one is answered within two minutes, the others later.
    monkeypatch.setattr(refund_run, "WINDOW", 2)
    day = DayOfRefunds(("rf-1-a", "rf-3-b", "rf-3-c", "rf-3-d"), ("rf-1-e",))

    totals, _ = await run_of(time_skipping.client, database, day)

    assert totals == RefundRunTotals(members=2, sent=2, answered=5, handed_over=0)
