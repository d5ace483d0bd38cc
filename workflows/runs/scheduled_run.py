"""What a schedule starts: it works out the period from the scheduled time and starts that period's one run."""

from temporalio import workflow
from temporalio.common import SearchAttributeKey, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from models import workflow_ids
from models.runs.process_run import RunKind, RunRequest, ScheduledRunRequest
from models.runs.run_period import PeriodUnit, RunPeriod, is_counted
from workflows import visibility

_SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name="ScheduledRun")
class ScheduledRun:
    """Starts a period's run, whoever asks: schedule, backfill or trigger. A period that has its run is left alone."""

    @workflow.run
    async def run(self, request: ScheduledRunRequest) -> str:
        """Start the run and leave it to itself. Returns its id, also when it existed before; nothing between two."""
        due_at = workflow.info().typed_search_attributes.get(_SCHEDULED_AT, workflow.now())
        period = RunPeriod.at(due_at, request.time_zone, request.unit, request.every)
        if request.unit is not PeriodUnit.MINUTES and not is_counted(period, request.counted_from, request.every):
            # Temporal's calendars know no second week and no third day: those between are left out here.
            workflow.set_current_details(
                f"Starts nothing: {period} lies between two periods of `{request.definition_id}`."
            )
            return ""
        run_id = self._id_of(request, period)
        # A week or a day in which nobody is due is nothing to see to; a month may not have been billed.
        wanted = RunRequest(request.definition_id, str(period), over_nobody=request.unit is not PeriodUnit.MONTH)
        workflow.set_current_details(f"Starts `{run_id}`, unless that period has its run already, and ends.")
        try:
            started = await workflow.start_child_workflow(
                "BillingRun" if request.kind is RunKind.BILLING else "PaymentRun",
                wanted,
                id=run_id,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                **visibility.run_label(request.kind, wanted, run_id),
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("run_already_started", extra={"run_id": run_id})
            return run_id
        if request.unit is PeriodUnit.MINUTES:
            # The next one is soon: the schedule skips it while this one still runs, and pauses when it fails.
            workflow.set_current_details(
                f"Waits for `{run_id}`, so that the next one does not begin before it is over."
            )
            await started
        return run_id

    def _id_of(self, request: ScheduledRunRequest, period: RunPeriod) -> str:
        make = workflow_ids.billing_run_id if request.kind is RunKind.BILLING else workflow_ids.payment_run_id
        return make(request.definition_id, str(period))
