"""An object that is under way when an event names it is looked at again, and not without end."""

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
    """What somebody has just sent and records in a moment: so many looks find it under way."""

    def __init__(self, moments: int) -> None:
        self.moments = moments
        self.looks = 0

    @activity.defn
    async def check_object(self, request: ObjectCheckRequest) -> CheckedObject:
        """Look once."""
        del request
        self.looks += 1
        return CheckedObject("waiting" if self.looks <= self.moments else "matched")


@pytest.mark.parametrize(("moments", "looks", "outcome"), [(2, 3, "matched"), (99, CHECKS_MAX + 1, "waiting")])
@pytest.mark.usefixtures("merchant")
async def test_an_object_is_looked_at_until_whoever_sent_it_has_recorded_it(
    time_skipping: WorkflowEnvironment, database: Database, moments: int, looks: int, outcome: str
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

    assert (checked.outcome, sent.looks) == (outcome, looks)
