"""An object that is under way when an event names it is checked again, and not without end."""

import pytest
from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.database import Database
from models.reconciliation.reconciliation import CheckedObject, ObjectCheckRequest
from models.workflow_ids import WORKFLOW_QUEUE, gateway_queue, object_check_id
from worker import workflow_worker
from workflows.reconciliation.object_check import CHECKS_MAX, ObjectCheck


class UnderWay:
    """What somebody has just sent and records in a moment: so many checks find it under way."""

    def __init__(self, moments: int) -> None:
        self.moments = moments
        self.checks = 0

    @activity.defn
    async def check_object(self, request: ObjectCheckRequest) -> CheckedObject:
        """Check once."""
        del request
        self.checks += 1
        return CheckedObject("waiting" if self.checks <= self.moments else "matched")


@pytest.mark.parametrize(("moments", "checks", "outcome"), [(2, 3, "matched"), (99, CHECKS_MAX + 1, "waiting")])
@pytest.mark.usefixtures("merchant")
async def test_an_object_is_checked_until_whoever_sent_it_has_recorded_it(
    time_skipping: WorkflowEnvironment, database: Database, moments: int, checks: int, outcome: str
) -> None:
    name = f"pi_{moments}"
    client, sent = time_skipping.client, UnderWay(moments)
    at_the_gateway = Worker(client, task_queue=gateway_queue("stripe"), activities=[sent.check_object])

    async with workflow_worker(client, database), at_the_gateway:
        checked = await client.execute_workflow(
            ObjectCheck.run,
            ObjectCheckRequest(name, "stripe"),
            id=object_check_id("stripe", name),
            task_queue=WORKFLOW_QUEUE,
        )

    assert (checked.outcome, sent.checks) == (outcome, checks)
