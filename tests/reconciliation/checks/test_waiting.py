"""An object that an event names is checked until whoever sent it has recorded it, and whoever waits for it is woken."""

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.database import Database
from models.reconciliation.reconciliation import CheckedObject, ObjectCheckRequest
from models.workflow_ids import WORKFLOW_QUEUE, gateway_queue, object_check_id
from worker import workflow_worker
from workflows.reconciliation.object_check import CHECKS_MAX, ObjectCheck

# A history is long in a test after so many events.
LONG = 40


class UnderWay:
    """What somebody has just sent and records in a moment: so many checks find it under way."""

    def __init__(self, moments: int, *, wake: str = "") -> None:
        self.moments = moments
        self.wake = wake
        self.checks = 0

    @activity.defn
    async def check_object(self, request: ObjectCheckRequest) -> CheckedObject:
        """Check once."""
        del request
        self.checks += 1
        return CheckedObject("waiting" if self.checks <= self.moments else "matched", wake=self.wake)


async def check(client: Client, database: Database, sent: UnderWay, name: str) -> CheckedObject:
    """Let an object be checked that so many looks find under way."""
    at_the_gateway = Worker(client, task_queue=gateway_queue("stripe"), activities=[sent.check_object])
    async with workflow_worker(client, database), at_the_gateway:
        return await client.execute_workflow(
            ObjectCheck.run,
            ObjectCheckRequest(name, "stripe"),
            id=object_check_id("stripe", name),
            task_queue=WORKFLOW_QUEUE,
        )


async def signals_of(client: Client, workflow_id: str) -> list[str]:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return [
        event.workflow_execution_signaled_event_attributes.signal_name
        for event in history.events
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]


@pytest.mark.parametrize(("moments", "checks", "outcome"), [(2, 3, "matched"), (99, CHECKS_MAX + 1, "waiting")])
@pytest.mark.usefixtures("merchant")
async def test_an_object_is_checked_until_whoever_sent_it_has_recorded_it(
    time_skipping: WorkflowEnvironment, database: Database, moments: int, checks: int, outcome: str
) -> None:
    sent = UnderWay(moments)

    checked = await check(time_skipping.client, database, sent, f"pi_{moments}")

    assert (checked.outcome, sent.checks) == (outcome, checks)


@pytest.mark.usefixtures("merchant")
async def test_events_without_end_let_an_object_be_checked_no_longer(
    time_skipping: WorkflowEnvironment, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given histories that are long after a few checks, so that the check goes on as new over and over
    monkeypatch.setattr(
        workflow.Info, "is_continue_as_new_suggested", lambda info: info.get_current_history_length() > LONG
    )
    sent = UnderWay(moments=3 * CHECKS_MAX)

    checked = await check(time_skipping.client, database, sent, "pi_of_many_events")

    # then each execution may look once more as it begins, and it waits no more often than for any other object
    last = time_skipping.client.get_workflow_handle(object_check_id("stripe", "pi_of_many_events"))
    began = (await last.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert began.continued_execution_run_id
    assert (checked.outcome, sent.checks < 2 * CHECKS_MAX) == ("waiting", True)


@pytest.mark.parametrize(
    ("wake", "workflow_id", "signals"),
    [
        # What was reset to a task before its page was opened knows of no page, and looks at what is owed.
        ("collection/acc_1/2026-11", "collection/acc_1/2026-11", ["gateway_event", "receivable_changed"]),
        ("payment-request/req_1", "payment-request/req_1", ["gateway_event", "receivable_changed"]),
        ("refund/rf_1", "refund/rf_1", ["gateway_event"]),
        # Money that names nobody has settled it: there is nothing of it to ask the gateway for.
        ("receivable:collection/acc_1/2026-12", "collection/acc_1/2026-12", ["receivable_changed"]),
    ],
)
@pytest.mark.usefixtures("merchant")
async def test_who_waits_for_what_was_found_hears_of_it_and_who_looks_after_a_receivable_of_what_is_owed(
    time_skipping: WorkflowEnvironment, database: Database, wake: str, workflow_id: str, signals: list[str]
) -> None:
    client = time_skipping.client
    await client.start_workflow("Waiting", id=workflow_id, task_queue="of-no-worker")

    await check(client, database, UnderWay(moments=0, wake=wake), f"pi_for_{workflow_id}")

    assert await signals_of(client, workflow_id) == signals
