"""What should happen by itself, day and night, and when it last did: what is missing there is seen nowhere else."""

import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
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


class RegularWork:
    """Reads when regular work was last done. `providers` are those whose calls need a worker, as last read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._missed: list[Measure] = []
        self._missed_at = float("-inf")
        self.providers: tuple[str, ...] = ()

    async def in_database(self) -> AsyncIterator[Measure]:
        """Yield what the rows say. Where something was never done, its age is that of the provider."""
        provider = ProviderRow
        providers = await self._database.read(
            select(provider.id, provider.gateway, provider.created_at).where(provider.state == EFFECTIVE)
        )
        self.providers = tuple(one.id for one in providers)
        for one in providers:
            # A bank has no events and no books to ask for.
            if one.gateway != BANK_DEBITS:
                yield await self._swept(one.id, one.created_at)
                yield await self._reconciled(one.id, one.created_at)
        for missed in await self._missed_runs():
            yield missed

    async def _swept(self, provider: str, since: datetime) -> Measure:
        mark = await self._database.read_first(
            select(EventMarkRow.swept_until).where(EventMarkRow.provider_id == provider)
        )
        return Measure(Measured.SWEPT, (provider,), await self._age(mark.swept_until if mark else since))

    async def _reconciled(self, provider: str, since: datetime) -> Measure:
        of_provider = ReconciliationRow.provider_id == provider
        last = await self._database.read_first(
            select(ReconciliationRow.completed_at)
            .where(of_provider, ReconciliationRow.certificate.is_not(None))
            .order_by(ReconciliationRow.day.desc())
            .limit(1)
        )
        return Measure(Measured.RECONCILED, (provider,), await self._age(last.completed_at if last else since))

    async def _missed_runs(self) -> Sequence[Measure]:
        if time.monotonic() - self._missed_at >= MISSED_SECONDS:
            missed = await read_missed_months(self._database, datetime.now(UTC))
            self._missed = [
                Measure(Measured.MISSED_RUNS, (kind,), sum(one.kind is kind for one in missed))
                for kind in (RunKind.BILLING, RunKind.PAYMENT)
            ]
            self._missed_at = time.monotonic()
        return self._missed

    async def _age(self, moment: datetime) -> float:
        """Return the seconds since a moment, by the database's clock; a mark may be a little ahead."""
        row = await self._database.read_first(
            select(func.extract("epoch", func.clock_timestamp() - moment).label("age"))
        )
        return max(float(row.age), 0.0) if row else 0.0


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
