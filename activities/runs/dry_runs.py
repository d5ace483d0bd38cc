"""Dry runs and shadow runs: who would be charged, and a gateway that does nothing. Neither touches money."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity

from activities.database import Database
from activities.runs.payment_runs import period_of
from models.gateway.gateway_request import CollectRequest, CollectResult
from models.runs.dry_run import Difference, DryRunPage, DryRunRequest

_PAGE = TypeAdapter(DryRunPage)
_RESULT = TypeAdapter(CollectResult)
_DIFFERENCES = TypeAdapter(tuple[Difference, ...])


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
            ends_on=period_of(request.period).ends_on,
            after=request.after,
            limit=request.limit,
        )
        return _PAGE.validate_python(page)

    @activity.defn
    async def shadow_collect(self, request: CollectRequest) -> CollectResult:
        """Stand in for `collect` in a shadow run: evaluate the member again, and approve. Safe to repeat."""
        return _RESULT.validate_python(
            await self._database.call("shadow_collect", run_id=request.run_id, account_id=request.account_id)
        )

    async def differences(self, run_id: str, *, after: str = "", limit: int = 500) -> Sequence[Difference]:
        """Return the accounts behind one in which a shadow run differs from the last certified run."""
        rows = await self._database.rows(
            "select * from duly.shadow_differences(:run_id, :after, :limit)", run_id=run_id, after=after, limit=limit
        )
        return _DIFFERENCES.validate_python([dict(row._mapping) for row in rows])  # noqa: SLF001
