"""The Temporal schedules of reports."""

from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleOverlapPolicy, SchedulePolicy

from models.reports.delivery import ReportDeliveryRequest
from models.runs.schedule import RunCalendar
from models.workflow_ids import WORKFLOW_QUEUE, report_id
from workflows.reports.report_delivery import ReportDelivery
from workflows.runs.calendar_spec import spec_of
from workflows.runs.schedules import CATCH_UP


def report_schedule_of(schedule_id: str, calendar: RunCalendar) -> Schedule:
    """Return the schedule of a report. One that runs long is followed by the next: each has a period of its own."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ReportDelivery.run,
            ReportDeliveryRequest(schedule_id),
            id=report_id(schedule_id, "scheduled"),
            task_queue=WORKFLOW_QUEUE,
            static_summary=f"Writes the report {schedule_id} for the {calendar.unit} that is due, and mails it",
        ),
        spec=spec_of(calendar),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL, catchup_window=CATCH_UP),
    )
