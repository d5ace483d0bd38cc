"""Activities of a billing run in the database: freezing what is due, posting a page of invoices, certifying the end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from temporalio import activity

from activities.business_events import announce
from activities.database import Database, RuleBrokenError
from activities.runs.payment_runs import CERTIFICATE, PLAN, SWEEP_SECONDS, period_of, require_due, run_ended
from models.operations.business_events import RunStarted
from models.operations.event_names import RunSort
from models.period import Period
from models.runs.billing import CannotBillError, DueSubscription, invoice_of
from models.runs.process_run import BilledPage, BillingPageRequest, Certificate, RunPlan, RunRequest
from models.subscriptions.billing import BillableSubscription
from models.subscriptions.documents import Bill, bill_of

# An account's bill is a dozen rows; its lock is held so long.
BILLS_OF_A_COMMIT = 200

log = structlog.get_logger(__name__)

_WHOLE_MONTH = TypeAdapter(DueSubscription)
_BY_DAY = TypeAdapter(BillableSubscription)
_BILL = TypeAdapter(Bill)

Post = Callable[[str, Sequence[dict[str, Any]]], Awaitable[int]]


@dataclass(frozen=True)
class Posted:
    """How many members of a batch have a document now, and how many were parked."""

    billed: int = 0
    parked: int = 0


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
        await require_due(self._database, request)
        plan = await self._database.call(
            "freeze_billing_run",
            timeout_seconds=SWEEP_SECONDS,
            run_id=activity.info().workflow_id,
            definition_id=request.definition_id,
            period=request.period,
            starts_on=period_of(request.period).starts_on,
            supplement=request.supplement,
            over_nobody=request.over_nobody,
        )
        frozen = PLAN.validate_python(plan)
        announce(RunStarted(RunSort.BILLING, frozen.run_id, frozen.members))
        return frozen

    @activity.defn
    async def bill_page(self, page: BillingPageRequest) -> BilledPage:
        """Post the documents of the next subscriptions; what cannot be billed is parked, and the others go on."""
        due = await self._due(page)
        invoices, bills, parked = await self._worked_out(page, due)
        whole = await self._post(page.run_id, invoices, self._bill_months)
        by_day = await self._post(page.run_id, bills, self._bill_by_day)
        after = due[-1].id if len(due) == page.limit else ""
        parked += whole.parked + by_day.parked
        billed = whole.billed + by_day.billed
        return BilledPage(after, billed=billed, parked=parked, skipped=len(due) - billed - parked)

    @activity.defn
    async def certify_billing_run(self, run_id: str) -> Certificate:
        """Make the bills of the accounts, and close the run: every subscription once, the same money as was posted."""
        after: str | None = ""
        while after is not None:
            after = await self._database.call("make_bills_of_run", run_id=run_id, after=after, limit=BILLS_OF_A_COMMIT)
        certificate = CERTIFICATE.validate_python(
            await self._database.call("certify_run", timeout_seconds=SWEEP_SECONDS, run_id=run_id)
        )
        announce(run_ended(RunSort.BILLING, certificate))
        return certificate

    async def _due(self, page: BillingPageRequest) -> list[DueSubscription | BillableSubscription]:
        found = await self._database.call(
            "subscriptions_to_bill", run_id=page.run_id, after=page.after, limit=page.limit
        )
        return [read_billable(one) for one in found]

    async def _worked_out(
        self, page: BillingPageRequest, due: Sequence[DueSubscription | BillableSubscription]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
        """Return the invoices of whole months, what is billed by day, and how many were parked."""
        invoices, bills, parked, period = [], [], 0, Period.parse(page.period)
        for subscription in due:
            try:
                if isinstance(subscription, DueSubscription):
                    invoices.append(invoice_of(subscription, period))
                else:
                    bills.append(_BILL.dump_python(bill_of(subscription, period), mode="json"))
            except CannotBillError as error:
                await self._park(page.run_id, subscription.id, error.rule)
                parked += 1
        return invoices, bills, parked

    async def _post(self, run_id: str, batch: Sequence[dict[str, Any]], post: Post) -> Posted:
        """Post all at once; when the ledger refuses one, post them one by one to find out which."""
        if not batch:
            return Posted()
        try:
            return Posted(billed=await post(run_id, batch))
        except RuleBrokenError as error:
            if len(batch) == 1:
                await self._park(run_id, batch[0]["member_id"], error.type or "refused")
                return Posted(parked=1)
        singly = [await self._post(run_id, [one], post) for one in batch]
        return Posted(sum(one.billed for one in singly), sum(one.parked for one in singly))

    async def _bill_months(self, run_id: str, invoices: Sequence[dict[str, Any]]) -> int:
        return int(await self._database.call("bill_members", run_id=run_id, batch=Jsonb(list(invoices))))

    async def _bill_by_day(self, run_id: str, bills: Sequence[dict[str, Any]]) -> int:
        return int(await self._database.call("bill_by_day", run_id=run_id, batch=Jsonb(list(bills))))

    async def _park(self, run_id: str, member_id: str, rule: str) -> None:
        log.warning("subscription_parked", run_id=run_id, subscription_id=member_id, rule=rule)
        await self._database.call("park_member", run_id=run_id, member_id=member_id, reason=rule)


def read_billable(one: Any) -> DueSubscription | BillableSubscription:
    """Read a subscription as it is billed: for a whole month, or by day."""
    if "by_day_from" in one:
        return _BY_DAY.validate_python(one)
    return _WHOLE_MONTH.validate_python(one)
