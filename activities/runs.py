"""What a payment run asks of the database: freezing its members, paging through them, certifying the end."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.database import Database, RuleBrokenError
from models.money import Money
from models.period import InvalidPeriodError, Period
from models.process_run import Certificate, Due, DuePage, PageRequest, RunPlan, RunRequest

SWEEP_SECONDS = 25 * 60.0

PLAN = TypeAdapter(RunPlan)
CERTIFICATE = TypeAdapter(Certificate)


class RunActivities:
    """Reads and commits of payment runs; each is safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.freeze_payment_run, self.due_page, self.certify_run]

    @activity.defn
    async def freeze_payment_run(self, request: RunRequest) -> RunPlan:
        """Fix who is in the run, once. Raises RuleBrokenError: definition unknown or not effective, period run."""
        plan = await self._database.call(
            "freeze_payment_run",
            timeout_seconds=SWEEP_SECONDS,
            run_id=activity.info().workflow_id,
            definition_id=request.definition_id,
            period=request.period,
            ends_on=period_of(request).ends_on,
        )
        return PLAN.validate_python(plan)

    @activity.defn
    async def due_page(self, page: PageRequest) -> DuePage:
        """Read the next members of a shard that have no outcome yet."""
        rows = await self._database.rows(
            "select * from duly.due_page(:run_id, :shard, :after, :limit)",
            run_id=page.run_id,
            shard=page.shard,
            after=page.after,
            limit=page.limit,
        )
        return DuePage(
            tuple(
                Due(
                    row.member_id,
                    f"{row.member_id}: {Money(row.amount_minor, row.currency)}, {row.card_label}",
                )
                for row in rows
            )
        )

    @activity.defn
    async def certify_run(self, run_id: str) -> Certificate:
        """Close the run. Raises RuleBrokenError when its members and the ledger do not add up to the same money."""
        return CERTIFICATE.validate_python(
            await self._database.call("certify_run", timeout_seconds=SWEEP_SECONDS, run_id=run_id)
        )


def period_of(request: RunRequest) -> Period:
    """Read the period of a request; a wrong one is refused for good."""
    try:
        return Period.parse(request.period)
    except InvalidPeriodError as error:
        raise RuleBrokenError("period_is_a_month", str(error)) from error
