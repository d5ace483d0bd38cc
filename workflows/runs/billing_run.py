"""One billing run: a posted invoice for every subscription that is due in the period (F162)."""

from collections import Counter

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.runs.billing import BillingActivities
from models.runs.process_run import (
    BilledPage,
    BillingPageRequest,
    Certificate,
    ItemOutcome,
    RunPlan,
    RunRequest,
    ShardProgress,
)
from models.runs.run_control import sum_of
from workflows.faults import Refusal, broken_rule
from workflows.inputs.checks import checked_init
from workflows.options import DATABASE, DATABASE_SWEEP
from workflows.runs.payment_run_details import billing_statement
from workflows.runs.payment_run_state import COUNTS_ROWS, count_rows

# Pages of one execution: keeps a history below a thousand events whatever the number of subscriptions.
PAGES_PER_EXECUTION = 100


@workflow.defn(name="BillingRun")
class BillingRun:
    """Bills page by page. What cannot be billed is parked with its reason, and the run goes on."""

    @checked_init
    def __init__(self, request: RunRequest) -> None:
        self._request = request
        self._billed = request.billed
        self._parked = request.parked
        # Since the members were fixed: the plan counts those whom it passed over then.
        self._skipped = request.skipped

    @workflow.run
    async def run(self, request: RunRequest) -> Certificate:
        """Bill the period. Billing it twice changes nothing: every invoice has its key."""
        workflow.set_current_details("### freezing\n\n**Waits for** the database, which fixes what is due")
        plan = await self._freeze()
        if not request.after and workflow.patched(COUNTS_ROWS):
            self._begin_with(await count_rows(plan.run_id))
        after = request.after
        for _ in range(PAGES_PER_EXECUTION):
            page = await self._bill(plan, after)
            self._count(page, plan)
            if not page.after:
                return self._closed(await self._certify(plan))
            after = page.after
        workflow.continue_as_new(
            request.resumed_after(after, billed=self._billed, parked=self._parked, skipped=self._skipped)
        )

    @workflow.query(description="How many subscriptions have been billed and parked so far.")
    def totals(self) -> dict[str, int]:
        """Return the live totals."""
        return {"billed": self._billed, "parked": self._parked}

    async def _freeze(self) -> RunPlan:
        try:
            return await workflow.execute_activity_method(
                BillingActivities.freeze_billing_run,
                self._request,
                summary=f"freeze what is due in {self._request.period}",
                **DATABASE_SWEEP,
            )
        except ActivityError as error:
            if broken_rule(error) is None:
                raise
            raise Refusal(error) from error

    def _begin_with(self, counted: tuple[ShardProgress, ...]) -> None:
        """Count those whom an execution that was terminated has done."""
        done = sum_of([shard.tally for shard in counted])
        self._billed = done.get(ItemOutcome.BILLED, 0)
        self._parked = done.get(ItemOutcome.PARKED, 0)
        self._skipped = done.get(ItemOutcome.SKIPPED, 0)

    async def _bill(self, plan: RunPlan, after: str) -> BilledPage:
        return await workflow.execute_activity_method(
            BillingActivities.bill_page,
            BillingPageRequest(plan.run_id, self._request.period, after, plan.page),
            summary=f"{plan.page} subscriptions after {after or 'the start'}",
            **DATABASE,
        )

    async def _certify(self, plan: RunPlan) -> Certificate:
        return await workflow.execute_activity_method(
            BillingActivities.certify_billing_run,
            plan.run_id,
            summary="count every subscription once",
            **DATABASE_SWEEP,
        )

    def _count(self, page: BilledPage, plan: RunPlan) -> None:
        self._billed += page.billed
        self._parked += page.parked
        self._skipped += page.skipped
        done, skipped = self._billed + self._parked, plan.skipped + self._skipped
        workflow.set_current_details(
            f"### running: {done} of {plan.members - skipped} subscriptions done\n\n"
            f"{self._billed} billed, {self._parked} parked with their reason, {skipped} skipped with"
            " theirs\n\n**Waits for** the remaining pages, then the certificate"
        )

    def _closed(self, certificate: Certificate) -> Certificate:
        # A page whose answer was lost has said less than it billed.
        certified = Counter[str]()
        for total in certificate.totals:
            certified[total.outcome] += total.members
        self._billed, self._parked = certified[ItemOutcome.BILLED], certified[ItemOutcome.PARKED]
        workflow.set_current_details(billing_statement(certificate))
        return certificate
