"""What should happen by itself, day and night, and when it last did: what is missing there is seen nowhere else."""

import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from temporalio.client import Client

from activities.database import Database
from activities.operations.measured import Measure, Measured
from activities.operations.pollers import gateway_work, pollers_of
from activities.runs.month_queries import read_missed_months
from models.runs.process_run import RunKind
from models.tables.collecting import EventMarkRow
from models.tables.configuration import BANK_DEBITS, EFFECTIVE, ProviderRow
from models.tables.reconciliation import ReconciliationRow

# Months are long: what has no run is looked for so often, and not for every scrape.
MISSED_SECONDS = 600.0

QUESTION_TIMEOUT = timedelta(seconds=5)

_SUPERVISED = "WorkflowType = 'Supervisor' AND ExecutionStatus = 'Completed'"


def age_of(moment: ColumnElement[Any] | Any) -> ColumnElement[Any]:
    """Return the seconds since a moment, by the database's clock; 0 when there is none."""
    return func.coalesce(func.extract("epoch", func.clock_timestamp() - moment), 0)


_RECONCILED_AT = (
    select(ReconciliationRow.completed_at)
    .where(ReconciliationRow.provider_id == ProviderRow.id, ReconciliationRow.certificate.is_not(None))
    .order_by(ReconciliationRow.day.desc())
    .limit(1)
    .correlate(ProviderRow)
    .scalar_subquery()
)
_PROVIDERS = (
    select(
        ProviderRow.id,
        ProviderRow.gateway,
        age_of(func.coalesce(EventMarkRow.swept_until, ProviderRow.created_at)).label("swept_age"),
        age_of(func.coalesce(_RECONCILED_AT, ProviderRow.created_at)).label("reconciled_age"),
    )
    .outerjoin(EventMarkRow, EventMarkRow.provider_id == ProviderRow.id)
    .where(ProviderRow.state == EFFECTIVE)
)


class RegularWork:
    """Reads when regular work was last done. `providers` are those whose calls need a worker, as last read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._missed: list[Measure] = []
        self._missed_at = float("-inf")
        self.providers: tuple[str, ...] = ()

    async def in_database(self) -> AsyncIterator[Measure]:
        """Yield what the rows say. Where something was never done, its age is that of the provider."""
        found = await self._database.read(_PROVIDERS)
        self.providers = tuple(one.id for one in found)
        for one in found:
            # A bank has no events and no books to ask for.
            if one.gateway != BANK_DEBITS:
                # A mark may be a little ahead of the database's clock.
                yield Measure(Measured.SWEPT, (one.id,), max(float(one.swept_age), 0.0))
                yield Measure(Measured.RECONCILED, (one.id,), max(float(one.reconciled_age), 0.0))
        for missed in await self._missed_runs():
            yield missed

    async def _missed_runs(self) -> Sequence[Measure]:
        if time.monotonic() - self._missed_at >= MISSED_SECONDS:
            missed = await read_missed_months(self._database, datetime.now(UTC))
            self._missed = [
                Measure(Measured.MISSED_RUNS, (kind,), sum(one.kind is kind for one in missed))
                for kind in (RunKind.BILLING, RunKind.PAYMENT)
            ]
            self._missed_at = time.monotonic()
        return self._missed


async def at_temporal(client: Client, providers: Sequence[str]) -> list[Measure]:
    """Read whether the supervisor works, and who polls the queues of the providers' calls. Raises RPCError.

    Where Temporal knows of no supervisor that was ever done, its age is endless.
    """
    found = [
        Measure(Measured.GATEWAY_POLLERS, (provider,), await pollers_of(client, gateway_work(provider)))
        for provider in providers
    ]
    done = client.list_workflows(_SUPERVISED, limit=1, page_size=1, rpc_timeout=QUESTION_TIMEOUT)
    age = float("inf")
    async for one in done:
        age = max((datetime.now(UTC) - (one.close_time or one.start_time)).total_seconds(), 0.0)
    return [*found, Measure(Measured.SUPERVISED, (), age)]
