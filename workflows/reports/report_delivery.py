"""A report that a calendar is due for: written from the books, kept once for its period, mailed to whom it is for."""

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from activities.messages.mailing import MailingActivities
from activities.reports.delivering import ReportActivities
from models import workflow_ids
from models.messages.message import MailingStart
from models.reports.delivery import (
    ReportDelivered,
    ReportDeliveryRequest,
    ReportDue,
    ReportMoment,
    ReportOrderOfDay,
)
from workflows import visibility
from workflows.inputs.checks import checked_init
from workflows.markdown import paragraphs
from workflows.options import DATABASE, REPORT

_SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name="ReportDelivery")
class ReportDelivery:
    """One period's report. Whatever is repeated, it is written once and nobody is sent it twice."""

    @checked_init
    def __init__(self, request: ReportDeliveryRequest) -> None:
        self._request = request

    @workflow.run
    async def run(self, request: ReportDeliveryRequest) -> ReportDelivered | None:
        """Write and keep the report, and let its mails go out; None where the calendar has nothing for the moment."""
        moment = workflow.info().typed_search_attributes.get(_SCHEDULED_AT, workflow.now())
        due = await workflow.execute_activity_method(
            ReportActivities.report_due,
            ReportMoment(request.schedule_id, request.period, moment),
            summary="which period, as of which day?",
            **DATABASE,
        )
        if due is None:
            workflow.set_current_details(f"`{request.schedule_id}` has no report for this moment: nothing is written.")
            return None
        workflow.set_current_details(f"Writes `{request.schedule_id}` for **{due.period}**, as of {due.today}.")
        delivered = await self._kept(due)
        if delivered is not None and delivered.recipients:
            await workflow.execute_activity_method(
                MailingActivities.start_mailing,
                MailingStart("", self._mailing(delivered), workflow_ids.WORKFLOW_QUEUE),
                summary=f"mail it to {delivered.recipients}",
                **DATABASE,
            )
        self._show(due, delivered)
        return delivered

    async def _kept(self, due: ReportDue) -> ReportDelivered | None:
        return await workflow.execute_activity_method(
            ReportActivities.keep_report,
            ReportOrderOfDay(self._request.schedule_id, due.period, due.today),
            summary=f"write the report of {due.period}",
            **REPORT,
        )

    def _mailing(self, delivered: ReportDelivered) -> str:
        name = workflow_ids.report_id(delivered.schedule_id, delivered.period)
        return workflow_ids.mailing_id(f"{name}/{delivered.tries}")

    def _show(self, due: ReportDue, delivered: ReportDelivered | None) -> None:
        if delivered is None:
            workflow.set_current_details(f"`{self._request.schedule_id}` was removed: nothing is written.")
            return
        kept = f"`{delivered.file}` with {delivered.rows} rows" if delivered.file else "**No file.**"
        by_hand = f"`duly reports schedule fetch {delivered.schedule_id} {delivered.period}` writes it to a file."
        mailed = f"Mailed to {delivered.recipients}." if delivered.recipients else "Nobody is mailed it."
        ties = "" if delivered.ties else "**The books and the report differ: `duly invariants`.**"
        workflow.set_current_details(
            paragraphs(
                f"**{delivered.title}**, {due.period}",
                kept,
                delivered.problem,
                ties,
                mailed,
                delivered.file and by_hand,
            )
        )
        if delivered.problem or not delivered.ties:
            reason = "report_not_written" if delivered.problem else "report_differs"
            workflow.upsert_search_attributes(
                [visibility.NEEDS_REVIEW.value_set(True), visibility.REVIEW_REASON.value_set(reason)]
            )
