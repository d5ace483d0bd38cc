"""Carries what was measured at one size to another: month after month, until something breaks.

Everything is arithmetic on measured units (bench/results/scale.json) and assumptions (parameters.toml): nothing is
drawn, and the same input gives the same table.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from activities.ledger.invariants import AUDIT_SECONDS
from activities.runs.payment_runs import SWEEP_SECONDS
from bench.process_costs import GATEWAY_WORKER, POSTGRESQL, TEMPORAL, WORKFLOW_WORKER
from bench.scale.figures import Scale
from bench.scale.parameters import Parameters
from bench.scale.storage import TableGrowth
from models.runs.window import shards_for

GIB = 2**30
HOURS_OF_MONTH = 730.0


@dataclass(frozen=True)
class UnitCosts:
    """What one account, invoice, payment or collection that was declined costs. Bytes, milliseconds, counts."""

    account_bytes: float
    invoice_bytes: float
    payment_bytes: float
    invoice_logged: float
    payment_logged: float
    invoices_per_second: float
    freeze_ms: float
    certify_ms: float
    audit_ms: float
    rule_ms: float
    payment_events: float
    payment_actions: float
    payment_writes: float
    payment_history: float
    declined_actions: float
    declined_history: float
    temporal_ms: float
    workers_ms: float
    postgresql_ms: float


def units_of(found: Scale, large: Scale) -> UnitCosts:
    """Return what one of everything costs: of a month measured, and the time of each statement in a large one."""
    billing, payments = found.billing, found.payments
    shards, run, declined = (found.history(kind) for kind in ("PaymentRunShard", "PaymentRun", "Collection"))
    done = payments.done
    return UnitCosts(
        account_bytes=_all_bytes(found.account_tables),
        invoice_bytes=_all_bytes(billing.frozen) + _all_bytes(billing.tables),
        payment_bytes=_all_bytes(payments.frozen) + _all_bytes(payments.tables),
        invoice_logged=billing.logged_bytes,
        payment_logged=payments.logged_bytes,
        invoices_per_second=large.billing.per_second,
        freeze_ms=1000 * max(run.freeze_seconds / run.members for run in (large.billing, large.payments)),
        certify_ms=1000 * max(run.certify_seconds / run.members for run in (large.billing, large.payments)),
        audit_ms=1000 * large.audit_seconds / (large.billing.done + large.payments.done),
        rule_ms=1000 * max(rule.seconds for rule in large.rules) / (large.billing.done + large.payments.done),
        payment_events=(shards.events + run.events) / done,
        payment_actions=(shards.all_actions + run.all_actions) / done,
        payment_writes=(shards.writes + run.writes) / done,
        payment_history=(shards.size_bytes + run.size_bytes) / done,
        declined_actions=declined.all_actions / max(1, declined.executions),
        declined_history=declined.size_bytes / max(1, declined.executions),
        temporal_ms=payments.cpu_ms[TEMPORAL],
        workers_ms=payments.cpu_ms[WORKFLOW_WORKER] + payments.cpu_ms[GATEWAY_WORKER],
        postgresql_ms=payments.cpu_ms[POSTGRESQL],
    )


def _all_bytes(tables: tuple[TableGrowth, ...]) -> float:
    return sum(table.all_bytes for table in tables)


@dataclass(frozen=True)
class MonthAtScale:
    """One month of a merchant with so many accounts; `month` counts from 1. Bytes, seconds, dollars."""

    month: int
    accounts: int
    declined: int
    billing_seconds: float
    collecting_seconds: float
    freeze_seconds: float
    certify_seconds: float
    audit_seconds: float
    rule_seconds: float
    actions: float
    actions_per_second: float
    writes_per_second: float
    retained_bytes: float
    active_bytes: float
    database_bytes: float
    grown_bytes: float
    logged_bytes: float
    logged_per_second: float
    temporal_cores: float
    worker_cores: float
    postgresql_cores: float


def months_of(accounts: int, unit: UnitCosts, given: Parameters) -> Iterator[MonthAtScale]:
    """Yield month after month of so many accounts: what stays in the ledger adds up, all else is each month's own."""
    rate = given.gateway_calls_per_second
    declined = round(accounts * given.declined_percent / 100)
    actions = accounts * (unit.payment_actions + given.heartbeats_per_payment) + declined * unit.declined_actions
    history = accounts * unit.payment_history + declined * unit.declined_history
    collecting = accounts / rate
    kept = accounts * unit.account_bytes
    postings = 0
    for month in range(1, given.months + 1):
        kept += accounts * (unit.invoice_bytes + unit.payment_bytes)
        postings += 2 * accounts
        yield MonthAtScale(
            month=month,
            accounts=accounts,
            declined=declined,
            billing_seconds=accounts / unit.invoices_per_second,
            collecting_seconds=collecting,
            freeze_seconds=accounts * unit.freeze_ms / 1000,
            certify_seconds=accounts * unit.certify_ms / 1000,
            audit_seconds=postings * unit.audit_ms / 1000,
            rule_seconds=postings * unit.rule_ms / 1000,
            actions=actions,
            actions_per_second=rate * (unit.payment_actions + given.heartbeats_per_payment),
            writes_per_second=rate * unit.payment_writes,
            retained_bytes=history * given.retention_days / 30,
            # What is open: one execution a shard, and half of the declined at any time.
            active_bytes=declined * unit.declined_history / 2,
            database_bytes=kept,
            grown_bytes=accounts * (unit.invoice_bytes + unit.payment_bytes),
            logged_bytes=accounts * (unit.invoice_logged + unit.payment_logged),
            logged_per_second=rate * unit.payment_logged,
            temporal_cores=rate * unit.temporal_ms / 1000 / given.busy_share,
            worker_cores=rate * unit.workers_ms / 1000 / given.busy_share,
            postgresql_cores=rate * unit.postgresql_ms / 1000 / given.busy_share,
        )


@dataclass(frozen=True)
class TableAtScale:
    """A table of the most accounts after all months, in bytes, and how long its vacuum takes, in seconds."""

    name: str
    table_bytes: float
    index_bytes: float
    vacuum_seconds: float

    @property
    def all_bytes(self) -> float:
        """The table and its indexes."""
        return self.table_bytes + self.index_bytes


def tables_of(found: Scale, large: Scale, given: Parameters) -> tuple[TableAtScale, ...]:
    """Return the tables as they are in the end, the largest first."""
    most = max(given.accounts)
    rows: dict[str, float] = {}
    indexes: dict[str, float] = {}
    monthly = (*found.billing.frozen, *found.billing.tables, *found.payments.frozen, *found.payments.tables)
    for growths, times in ((found.account_tables, 1), (monthly, given.months)):
        for one in growths:
            rows[one.name] = rows.get(one.name, 0.0) + one.row_bytes * most * times
            indexes[one.name] = indexes.get(one.name, 0.0) + one.index_bytes * most * times
    vacuumed = sum(one.table_bytes + one.index_bytes for one in large.vacuumed)
    a_byte = sum(one.seconds for one in large.vacuumed) / vacuumed
    at_scale = (TableAtScale(name, rows[name], indexes[name], (rows[name] + indexes[name]) * a_byte) for name in rows)
    return tuple(sorted(at_scale, key=lambda table: table.all_bytes, reverse=True))


@dataclass(frozen=True)
class CostOfMonth:
    """What a month costs in dollars: with Temporal Cloud, and with a cluster of one's own; PostgreSQL and workers."""

    cloud_actions: float
    cloud_storage: float
    cloud: float
    own_cluster: float
    workers: float
    postgresql: float


def cost_of(month: MonthAtScale, given: Parameters) -> CostOfMonth:
    """Return what a month costs. Machines are paid for the whole month, though they are busy for a part of it."""
    cloud, own = given.cloud, given.self_hosted
    actions = cloud.of_actions(month.actions * (1 + cloud.fairness_percent / 100))
    storage = (
        HOURS_OF_MONTH
        / GIB
        * (month.active_bytes * cloud.active_gib_hour + month.retained_bytes * cloud.retained_gib_hour)
    )
    core_month, disk = own.core_hour * HOURS_OF_MONTH, own.ssd_gib_month * own.copies / GIB
    return CostOfMonth(
        cloud_actions=actions,
        cloud_storage=storage,
        cloud=cloud.with_support(actions + storage),
        own_cluster=math.ceil(month.temporal_cores) * own.copies * core_month
        + (month.retained_bytes + month.active_bytes) * disk,
        workers=math.ceil(month.worker_cores) * core_month,
        postgresql=math.ceil(month.postgresql_cores) * own.copies * core_month + month.database_bytes * disk,
    )


@dataclass(frozen=True)
class ClusterSize:
    """How a Temporal cluster is set up for a rate; shards of a cluster are fixed for good."""

    run_shards: int
    history_shards: int
    partitions: int
    gateway_workers: int
    connections: int


def cluster_for(unit: UnitCosts, given: Parameters) -> ClusterSize:
    """Return the sizes that a rate of gateway calls needs."""
    rate, cluster = given.gateway_calls_per_second, given.cluster
    wanted = 2 * rate * unit.payment_writes / cluster.writes_per_shard_and_second
    workers = max(2, math.ceil(rate * unit.workers_ms / 1000 / given.busy_share))
    return ClusterSize(
        run_shards=shards_for(math.ceil(rate)),
        history_shards=max(cluster.shards_least, 2 ** math.ceil(math.log2(wanted))),
        partitions=max(cluster.partitions_least, math.ceil(rate / cluster.tasks_per_partition_and_second)),
        gateway_workers=workers,
        connections=workers * given.database.pool,
    )


@dataclass(frozen=True)
class Limit:
    """Something that breaks, and from how many accounts on; `month` is in which month that is so at the most accounts.

    None where it does not happen within the months that are looked at.
    """

    what: str
    accounts: float
    month: int | None


def limits(unit: UnitCosts, given: Parameters) -> tuple[Limit, ...]:
    """Return what breaks, first what breaks first."""
    most = max(given.accounts)
    months = list(months_of(most, unit, given))
    last = months[-1]
    found = [
        Limit(
            f"one rule of the audit reaches its time-out ({AUDIT_SECONDS / 60:g} min) after {given.months} months",
            most * AUDIT_SECONDS / last.rule_seconds,
            next((each.month for each in months if each.rule_seconds > AUDIT_SECONDS), None),
        ),
        *(
            Limit(
                f"{what} reaches its time-out ({SWEEP_SECONDS / 60:g} min)",
                most * SWEEP_SECONDS / seconds,
                1 if seconds > SWEEP_SECONDS else None,
            )
            for what, seconds in (("freezing a run", last.freeze_seconds), ("a certificate", last.certify_seconds))
        ),
        Limit(
            "billing, page after page, takes more than a day",
            unit.invoices_per_second * 86_400,
            1 if last.billing_seconds > 86_400 else None,
        ),
        Limit(
            f"collecting at {given.gateway_calls_per_second:g} calls/s takes more than a day",
            given.gateway_calls_per_second * 86_400,
            1 if last.collecting_seconds > 86_400 else None,
        ),
    ]
    return tuple(sorted(found, key=lambda each: each.accounts))
