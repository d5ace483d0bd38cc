"""Dry runs and shadow runs: who would be charged, and a gateway that does nothing. Neither touches money."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.database import Database
from activities.runs.billing import read_billable
from activities.runs.payment_runs import period_of, run_period_of
from models.gateway.gateway_request import CollectRequest, CollectResult
from models.period import Period
from models.runs.billing import CannotBillError, DueSubscription, monthly_price
from models.runs.dry_run import BillingDryRunMember, Difference, DryRunPage, DryRunRequest
from models.runs.process_run import RunKind
from models.subscriptions.billing import BillableSubscription
from models.subscriptions.documents import bill_of

_PAGE = TypeAdapter(DryRunPage)
_RESULT = TypeAdapter(CollectResult)
_DIFFERENCES = TypeAdapter(tuple[Difference, ...])

# Why a billing run passes a subscription over when it is frozen (functions/runs/billing.sql).
PASSED_OVER = frozenset({"account_terminated", "billed_before"})


class DryRunActivities:
    """Activities of dry runs and shadow runs in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.dry_run_page, self.shadow_collect]

    @activity.defn
    async def dry_run_page(self, request: DryRunRequest) -> DryRunPage:
        """Return who would be charged now, and why others would not. Raises RuleBrokenError: wrong definition."""
        page = await self._database.call(
            "dry_run_page",
            definition_id=request.definition_id,
            ends_on=run_period_of(request.period).ends_on,
            after=request.after,
            limit=request.limit,
            supplement=request.supplement,
            period=request.period,
            counted=request.counted,
        )
        return _PAGE.validate_python(page)

    @activity.defn
    async def shadow_collect(self, request: CollectRequest) -> CollectResult:
        """Stand in for `collect` in a shadow run: evaluate the member again, and approve. Safe to repeat."""
        return _RESULT.validate_python(
            await self._database.call("shadow_collect", run_id=request.run_id, account_id=request.account_id)
        )

    async def billing_page(self, request: DryRunRequest) -> Sequence[BillingDryRunMember]:
        """Return what would be billed now, and why some would not be. Raises RuleBrokenError: wrong definition."""
        period = period_of(request.period)
        found = await self._database.call(
            "billing_dry_run_page",
            definition_id=request.definition_id,
            starts_on=period.starts_on,
            supplement=request.supplement,
            after=request.after,
            limit=request.limit,
        )
        return [_billed(one, period) for one in found]

    async def is_over_nobody(self, kind: RunKind, request: DryRunRequest) -> bool:
        """Say whether a run would find nobody to charge or bill. Raises RuleBrokenError: wrong definition."""
        if kind is RunKind.BILLING:
            after = request.after
            while due := await self.billing_page(replace(request, after=after)):
                # What cannot be billed is parked by the run itself.
                if any(one.reason not in PASSED_OVER for one in due):
                    return False
                after = due[-1].subscription_id
            return True
        page = await self.dry_run_page(request)
        while page.after:
            if any(member.is_taken_on for member in page.members):
                return False
            page = await self.dry_run_page(replace(request, after=page.after, counted=page.counted))
        return True

    async def differences(self, run_id: str, *, after: str = "", limit: int = 500) -> Sequence[Difference]:
        """Return the accounts behind one in which a shadow run differs from the last certified run."""
        rows = await self._database.rows(
            "select * from duly.shadow_differences(:run_id, :after, :limit)", run_id=run_id, after=after, limit=limit
        )
        return _DIFFERENCES.validate_python([dict(row._mapping) for row in rows])  # noqa: SLF001


def _billed(one: Mapping[str, Any], period: Period) -> BillingDryRunMember:
    net_minor, tax_minor, total_minor, reason = one["net_minor"], None, None, one["reason"]
    if not reason:
        try:
            net_minor, tax_minor, reason = _worked_out(read_billable(one["billable"]), period)
        except CannotBillError as error:
            reason = error.rule
        else:
            total_minor, tax_minor = (None, None) if reason else (net_minor + tax_minor, tax_minor)
    return BillingDryRunMember(one["id"], one["account_id"], one["currency"], net_minor, tax_minor, total_minor, reason)


def _worked_out(due: DueSubscription | BillableSubscription, period: Period) -> tuple[int, int, str]:
    """Return net and tax of what a run would post, less what it would credit, or why it would post nothing."""
    if isinstance(due, DueSubscription):
        price = monthly_price(due)
        return price.net_minor + price.untaxed_minor, price.tax_minor, ""
    bill = bill_of(due, period)
    if bill.invoice is None and bill.credit_note is None:
        return 0, 0, bill.reason
    net, tax = (_sum_of(bill.invoice, name) - _sum_of(bill.credit_note, name) for name in ("net_minor", "tax_minor"))
    return net, tax, ""


def _sum_of(document: Mapping[str, Any] | None, name: str) -> int:
    return sum(line[name] for line in document["lines"]) if document else 0
