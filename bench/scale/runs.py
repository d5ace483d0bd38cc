"""One billing run and one payment run over every account, each timed in its parts."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.client import WorkflowHandle

from activities.database import Database
from bench import process_costs
from bench.figures.throughput import FIRST_PERIOD
from bench.merchant import Merchant
from bench.process_costs import Cost
from bench.scale.histories import ActivityTime, times_of_activities
from bench.scale.storage import StorageReading, TableGrowth, growth, read_storage
from models.operator_command import OperatorCommand
from models.runs.process_run import Certificate, RunRequest
from models.runs.run_control import RunStatus
from models.workflow_ids import WORKFLOW_QUEUE, billing_run_id, payment_run_id
from sandbox.customers.merchant import BILLING_DEFINITION, PAYMENT_DEFINITION
from sandbox.servers.processes import ServiceError
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun

POLL_SECONDS = 0.1
MEMBERS_SECONDS_MAX = 1_500.0

_DONE = """
    select count(*) as members, count(*) filter (where outcome = any (:outcomes)) as done,
        min(finished_at) filter (where outcome = any (:outcomes)) as first_at,
        max(finished_at) filter (where outcome = any (:outcomes)) as last_at
    from duly.run_items where run_id = :run_id"""
_IS_FROZEN = "select exists (select from duly.run_items where run_id = :run_id)"


@dataclass(frozen=True)
class RunTimes:
    """What one run over many members took, in seconds, and what each member that was done cost.

    `freeze`, `release` and `certify` are the time of their activity; `first` is from the start of the run until the
    first member was done, and `work` from there to the last. CPU is in milliseconds, the log in bytes.
    """

    members: int
    done: int
    freeze_seconds: float
    first_seconds: float
    work_seconds: float
    release_seconds: float
    certify_seconds: float
    cpu_ms: dict[str, float]
    logged_bytes: float
    foreign_cores: float
    frozen: tuple[TableGrowth, ...]
    tables: tuple[TableGrowth, ...]

    @property
    def per_second(self) -> float:
        """Members a second between the first that was done and the last."""
        return round(self.done / self.work_seconds, 1) if self.work_seconds else 0.0


@dataclass(frozen=True)
class _Parts:
    """What was read when the run was frozen, and when its work was over."""

    frozen: StorageReading
    worked: StorageReading
    used: Cost


async def bill_all(merchant: Merchant) -> RunTimes:
    """Bill the first period to its certificate."""
    run_id = billing_run_id(BILLING_DEFINITION, FIRST_PERIOD)
    before = await read_storage(merchant.database)
    handle = await merchant.client.start_workflow(
        BillingRun.run,
        RunRequest(BILLING_DEFINITION, FIRST_PERIOD, not_due_yet=True),
        id=run_id,
        task_queue=WORKFLOW_QUEUE,
    )
    frozen = await _until_frozen(merchant.database, run_id)
    began = process_costs.read()
    await handle.result()
    parts = _Parts(frozen, await read_storage(merchant.database), process_costs.cost(began, process_costs.read()))
    first = await times_of_activities(merchant.client, run_id, handle.first_execution_run_id)
    last = await times_of_activities(merchant.client, run_id)
    times = last | {"freeze": first["freeze_billing_run"], "certify": last["certify_billing_run"]}
    return await _times(merchant, handle, times, before, parts, ("billed",))


async def collect_some(merchant: Merchant, *, seconds_max: float) -> RunTimes:
    """Collect the first period, for so many seconds at most; who is left then is released, as `runs abort` does it."""
    run_id = payment_run_id(PAYMENT_DEFINITION, FIRST_PERIOD)
    before = await read_storage(merchant.database)
    handle = await merchant.client.start_workflow(
        PaymentRun.run,
        RunRequest(PAYMENT_DEFINITION, FIRST_PERIOD, not_due_yet=True),
        id=run_id,
        task_queue=WORKFLOW_QUEUE,
    )
    frozen = await _until_frozen(merchant.database, run_id)
    began = process_costs.read()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds_max):
            await handle.result()
    parts = _Parts(frozen, await read_storage(merchant.database), process_costs.cost(began, process_costs.read()))
    if (await handle.describe()).close_time is None:
        command = OperatorCommand("bench", "the time that the measurement has is over")
        await handle.execute_update("abort", command, result_type=RunStatus)
    await handle.result()
    found = await times_of_activities(merchant.client, run_id)
    times = found | {"freeze": found["freeze_payment_run"], "certify": found["certify_run"]}
    return await _times(merchant, handle, times, before, parts, ("charged", "in_dunning"))


async def _until_frozen(database: Database, run_id: str) -> StorageReading:
    deadline = time.monotonic() + MEMBERS_SECONDS_MAX
    while time.monotonic() < deadline:
        [[is_frozen]] = await database.rows(_IS_FROZEN, run_id=run_id)
        if is_frozen:
            return await read_storage(database)
        await asyncio.sleep(POLL_SECONDS)
    raise TimeoutError(f"{run_id}: its members were not frozen within {MEMBERS_SECONDS_MAX:g} s")


async def _times(
    merchant: Merchant,
    handle: WorkflowHandle[Any, Certificate],
    activities: dict[str, ActivityTime],
    before: StorageReading,
    parts: _Parts,
    outcomes: tuple[str, ...],
) -> RunTimes:
    [row] = await merchant.database.rows(_DONE, run_id=handle.id, outcomes=list(outcomes))
    first = merchant.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    started_at = (await first.describe()).start_time
    if not (done := int(row.done)):
        raise ServiceError(handle.id, "there was too little time for it", what="did nothing for anybody")
    return RunTimes(
        members=int(row.members),
        done=done,
        freeze_seconds=activities["freeze"].seconds,
        first_seconds=_seconds(started_at, row.first_at),
        work_seconds=_seconds(row.first_at, row.last_at),
        release_seconds=activities["release_members"].seconds if "release_members" in activities else 0.0,
        certify_seconds=activities["certify"].seconds,
        cpu_ms=parts.used.per_payment_ms(done),
        logged_bytes=round((parts.worked.logged_bytes - parts.frozen.logged_bytes) / done, 1),
        foreign_cores=parts.used.foreign_cores,
        frozen=growth(before, parts.frozen, int(row.members)),
        tables=growth(parts.frozen, parts.worked, done),
    )


def _seconds(begin: datetime, end: datetime) -> float:
    return round((end - begin).total_seconds(), 2)
