"""What a schedule starts: it works out the period from the scheduled time and starts that period's one run."""

from temporalio import workflow
from temporalio.common import SearchAttributeKey, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from models import workflow_ids
from models.period import Period
from models.runs.process_run import RunKind, RunRequest, ScheduledRunRequest
from workflows import visibility

_SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name="ScheduledRun")
class ScheduledRun:
    """Starts a period's run, whoever asks: schedule, backfill or trigger. A period that has its run is left alone."""

    @workflow.run
    async def run(self, request: ScheduledRunRequest) -> str:
        """Start the run and leave it to itself. Returns its id, also when it existed before."""
        due_at = workflow.info().typed_search_attributes.get(_SCHEDULED_AT, workflow.now())
        period = Period.at(due_at, request.time_zone)
        run_id = self._id_of(request, period)
        wanted = RunRequest(request.definition_id, str(period))
        workflow.set_current_details(f"Starts `{run_id}`, unless that period has its run already, and ends.")
        try:
            _ = await workflow.start_child_workflow(
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

    def _id_of(self, request: ScheduledRunRequest, period: Period) -> str:
        make = workflow_ids.billing_run_id if request.kind is RunKind.BILLING else workflow_ids.payment_run_id
        return make(request.definition_id, str(period))
