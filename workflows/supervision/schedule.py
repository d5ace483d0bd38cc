"""When the supervisor works by itself."""

from datetime import timedelta

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from models.supervision.supervision import SupervisionRequest
from models.workflow_ids import SUPERVISOR, WORKFLOW_QUEUE
from workflows.supervision.supervisor import Supervisor

# What has lost its workflow is found this soon.
SUPERVISE_EVERY = timedelta(minutes=15)


def supervisor_schedule() -> Schedule:
    """Return the schedule of the supervisor. What was missed is made good by the next one alone."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Supervisor.run,
            SupervisionRequest(),
            id=SUPERVISOR,
            task_queue=WORKFLOW_QUEUE,
            static_summary="Looks for what is open and has no workflow",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SUPERVISE_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=SUPERVISE_EVERY),
    )
