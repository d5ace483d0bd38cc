"""Open business objects compared with their workflows: when Temporal has lost all of them, and when all are at work."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psutil
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from activities.database import Database, create_engine
from activities.supervision.supervision import Progress, Supervision
from bench import process_costs
from bench.machine import Machine, this_machine
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from sandbox.customers.merchant import configure
from sandbox.servers.temporal import client_of
from sandbox.stack import StackOptions, running_stack
from workflows.namespace import register_attributes
from workflows.supervision.resumption import resumable_of

# A million in ten minutes.
TARGET_PER_SECOND = 1_700
TARGET_GROWTH = 0.25
ACCOUNTS_AT_ONCE = 10_000
REALLY = SupervisionRequest()

_ACCOUNTS = """
    select duly.open_account('acc_' || lpad(n::text, 7, '0'), 'EUR', 'Ada Lovelace')
    from generate_series(cast(:first as integer), cast(:last as integer)) n"""
_OPEN = """
    insert into duly.collections (account_id, period, provider_id, owner, policy_id, policy_version, currency,
        amount_minor, invoices, opened_at)
    select a.id, '2026-11', 'stripe', 'gone', 'standard', 1, 'EUR', 2500, '{}', now() - interval '1 day'
    from duly.accounts a where a.kind = 'customer'"""


@dataclass(frozen=True)
class Compared:
    """One comparison: how many had a workflow, how many were resumed, in which time, and what each object cost.

    CPU is in milliseconds per object, by part of the stack.
    """

    open: int
    running: int
    resumed: int
    seconds: float
    cpu_ms: dict[str, float]
    foreign_cores: float

    @property
    def per_second(self) -> float:
        """Objects a second."""
        return round(self.open / self.seconds, 1)


@dataclass(frozen=True)
class SupervisedObjects:
    """So many open collections: all of them resumed, then all of them found at work."""

    machine: Machine
    objects: int
    lost: Compared
    at_work: Compared
    first_mib: float
    last_mib: float

    @property
    def growth(self) -> float:
        """The memory of the comparing process at the end over that at the beginning, as a share."""
        return round(self.last_mib / self.first_mib - 1, 3)


@dataclass(frozen=True)
class ObjectsChecked:
    """So many open collections of which Temporal knows none: what the supervisor would do, without doing it."""

    machine: Machine
    objects: int
    checked: Compared
    longest_statement_ms: float
    first_mib: float
    last_mib: float

    @property
    def growth(self) -> float:
        """The memory of the comparing process at the end over that at the beginning, as a share."""
        return round(self.last_mib / self.first_mib - 1, 3)


async def measure_supervise(*, objects: int) -> SupervisedObjects:
    """Open so many collections that have no workflow, and compare twice. No worker runs: workflows are only started."""
    async with _opened(objects) as (engine, client):
        database = Database(engine, timeout_seconds=60)
        first = _resident_mib()
        lost = await _compare(database, client)
        at_work = await _compare(database, client)
        return SupervisedObjects(
            machine=await this_machine(database),
            objects=objects,
            lost=lost,
            at_work=at_work,
            first_mib=first,
            last_mib=_resident_mib(),
        )


async def measure_checking(*, objects: int) -> ObjectsChecked:
    """Open so many collections without a workflow, and ask what the supervisor would do, as `doctor --workflows`."""
    async with _opened(objects) as (engine, client):
        database, longest = Database(engine, timeout_seconds=60), _Longest(engine)
        first = _resident_mib()
        checked = await _compare(database, client, SupervisionRequest(is_dry_run=True))
        return ObjectsChecked(
            machine=await this_machine(database),
            objects=objects,
            checked=checked,
            longest_statement_ms=round(longest.seconds * 1000, 1),
            first_mib=first,
            last_mib=_resident_mib(),
        )


class _Longest:
    """The longest statement that was sent over an engine, in seconds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.seconds = 0.0
        self._began = 0.0
        event.listen(engine.sync_engine, "before_cursor_execute", self._begin)
        event.listen(engine.sync_engine, "after_cursor_execute", self._end)

    def _begin(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _end(self, *_: Any) -> None:
        self.seconds = max(self.seconds, time.perf_counter() - self._began)


@contextlib.asynccontextmanager
async def _opened(objects: int) -> AsyncIterator[tuple[AsyncEngine, Client]]:
    """Run a stack without workers in which so many collections are open and have no workflow."""
    async with running_stack(StackOptions(ui=False)) as stack:
        engine = create_engine(stack.settings.database_url, pool=16)
        try:
            await configure(Database(engine))
            await _open(stack.settings.migration_database_url, objects)
            client = await client_of(stack.settings)
            _ = await register_attributes(client)
            yield engine, client
        finally:
            await engine.dispose()


def _resident_mib() -> float:
    """Return the memory of this process, which compares."""
    return round(psutil.Process().memory_info().rss / 2**20, 1)


async def _open(url: str, objects: int) -> None:
    owner = create_engine(url, pool=1, timeout_seconds=600)
    async with owner.connect() as connection:
        for first in range(1, objects + 1, ACCOUNTS_AT_ONCE):
            last = min(objects, first + ACCOUNTS_AT_ONCE - 1)
            await connection.execute(text(_ACCOUNTS), {"first": first, "last": last})
        await connection.execute(text(_OPEN))
        await connection.execute(text("vacuum analyze"))
    await owner.dispose()


async def _compare(
    database: Database,
    client: Client,
    request: SupervisionRequest = REALLY,
) -> Compared:
    """Compare every kind, as the supervisor does."""
    supervision = Supervision(database, client, resumable_of, young=timedelta(0))
    before, found = process_costs.read(), []
    for kind in ObjectKind:
        begun = Progress((), Supervised(kind))
        found.append(await supervision.compare(kind, request, begun=begun, beat=lambda _: None))
    after = process_costs.read()
    used, compared = process_costs.cost(before, after), sum(one.open for one in found)
    return Compared(
        open=compared,
        running=sum(one.running for one in found),
        resumed=sum(one.resumed for one in found),
        seconds=round(after.at - before.at, 2),
        cpu_ms=used.per_payment_ms(compared),
        foreign_cores=used.foreign_cores,
    )
