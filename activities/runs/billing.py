"""Activities of a billing run in the database: freezing what is due, posting a page of invoices, certifying the end."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from psycopg.types.json import Jsonb
from temporalio import activity

from activities.database import Database, RuleBrokenError
from activities.runs.payment_runs import CERTIFICATE, PLAN, SWEEP_SECONDS, period_of
from models.period import Period
from models.runs.billing import CannotBillError, DueSubscription, invoice_of
from models.runs.process_run import BilledPage, BillingPageRequest, Certificate, RunPlan, RunRequest

log = structlog.get_logger(__name__)


class BillingActivities:
    """Reads and commits of billing runs; each is safe to repeat, since every invoice has its key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.freeze_billing_run, self.bill_page, self.certify_billing_run]

    @activity.defn
    async def freeze_billing_run(self, request: RunRequest) -> RunPlan:
        """Fix what is due in the period, once. Raises RuleBrokenError as for payment runs."""
        plan = await self._database.call(
            "freeze_billing_run",
            timeout_seconds=SWEEP_SECONDS,
            run_id=activity.info().workflow_id,
            definition_id=request.definition_id,
            period=request.period,
            starts_on=period_of(request.period).starts_on,
        )
        return PLAN.validate_python(plan)

    @activity.defn
    async def bill_page(self, page: BillingPageRequest) -> BilledPage:
        """Post the invoices of the next subscriptions; what cannot be billed is parked, and the others go on."""
        due = await self._due(page)
        invoices = await self._invoices(page, due)
        billed = await self._post(page.run_id, invoices)
        after = due[-1].id if len(due) == page.limit else ""
        return BilledPage(after, billed=billed, parked=len(due) - billed)

    @activity.defn
    async def certify_billing_run(self, run_id: str) -> Certificate:
        """Close the run: every subscription once, the same money as the ledger posted."""
        return CERTIFICATE.validate_python(
            await self._database.call("certify_run", timeout_seconds=SWEEP_SECONDS, run_id=run_id)
        )

    async def _due(self, page: BillingPageRequest) -> list[DueSubscription]:
        rows = await self._database.rows(
            "select * from duly.billing_page(:run_id, :after, :limit)",
            run_id=page.run_id,
            after=page.after,
            limit=page.limit,
        )
        return [DueSubscription(*tuple(row)) for row in rows]

    async def _invoices(self, page: BillingPageRequest, due: Sequence[DueSubscription]) -> list[dict[str, Any]]:
        invoices = []
        for subscription in due:
            try:
                invoices.append(invoice_of(subscription, Period.parse(page.period)))
            except CannotBillError as error:
                await self._park(page.run_id, subscription.id, error.rule)
        return invoices

    async def _post(self, run_id: str, invoices: Sequence[dict[str, Any]]) -> int:
        """Post all at once; when the ledger refuses one, post them one by one to find out which."""
        if not invoices:
            return 0
        try:
            return await self._bill_members(run_id, invoices)
        except RuleBrokenError as error:
            if len(invoices) == 1:
                await self._park(run_id, invoices[0]["member_id"], error.type or "refused")
                return 0
        return sum([await self._post(run_id, [invoice]) for invoice in invoices])

    async def _bill_members(self, run_id: str, invoices: Sequence[dict[str, Any]]) -> int:
        return int(await self._database.call("bill_members", run_id=run_id, batch=Jsonb(list(invoices))))

    async def _park(self, run_id: str, member_id: str, rule: str) -> None:
        log.warning("subscription_parked", run_id=run_id, subscription_id=member_id, rule=rule)
        await self._database.call("park_member", run_id=run_id, member_id=member_id, reason=rule)
