"""A million accounts: billed, frozen, collected from as far as the time allows, certified and audited."""

import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from activities.ledger.invariants import AUDIT_SECONDS, RULES, check_rules
from bench import process_costs
from bench.machine import Machine, this_machine
from bench.merchant import Merchant, empty_merchant
from bench.scale.customers import open_accounts
from bench.scale.histories import HistoryCost, cost_of_histories
from bench.scale.memory import Memory, memory_of, sampled_memory
from bench.scale.runs import RunTimes, bill_all, collect_some
from bench.scale.statements import NEAR_SHARE, SlowStatement, watched_statements
from bench.scale.storage import TableGrowth, VacuumedTable, growth, read_storage, vacuum_largest
from sandbox.workers import running_worker

TARGET_EVENTS = 10_000
TARGET_GROWTH = 0.15
TARGET_SHARE_OF_TIMEOUT = NEAR_SHARE

# What is measured unless another size is asked for, and how long it is collected from: as far as two cores come.
ACCOUNTS = 1_000_000
COLLECT_SECONDS = 420.0
# The documents are written from a measurement of so many at the least.
SMALL = 20_000

# Far above what two cores can do, and what a large merchant's gateway might allow: ten shards.
RATE = 500.0
# More than the defaults, as a server for this size would have; fsync and its like stay on.
POSTGRES = {"shared_buffers": "2GB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_buffers": "64MB"}
TABLES_VACUUMED = 6
WORKFLOWS = ("BillingRun", "PaymentRun", "PaymentRunShard", "Collection")


@dataclass(frozen=True)
class AuditedRule:
    """How long one rule of the ledger took to be checked against all of it."""

    rule: str
    seconds: float


@dataclass(frozen=True)
class Scale:
    """A month of very many accounts, each with one subscription and one card.

    `load_seconds` is how long it took to open them, `account_tables` what each account holds then. `seal_seconds` and
    `rules` are how long the audit took afterwards: to sum and seal what was posted, and to check each rule of the
    ledger; `violations` were found. `vacuumed` are the largest tables, when all was done.
    """

    machine: Machine
    accounts: int
    load_seconds: float
    account_tables: tuple[TableGrowth, ...]
    billing: RunTimes
    payments: RunTimes
    seal_seconds: float
    rules: tuple[AuditedRule, ...]
    violations: int
    vacuumed: tuple[VacuumedTable, ...]
    connections: int
    statements: tuple[SlowStatement, ...]
    histories: tuple[HistoryCost, ...]
    memory: tuple[Memory, ...]

    @property
    def foreign_cores(self) -> float:
        """The most cores that other programs kept busy during one of the runs."""
        return max(self.billing.foreign_cores, self.payments.foreign_cores)

    @property
    def audit_seconds(self) -> float:
        """How long all rules of the ledger took together."""
        return round(sum(rule.seconds for rule in self.rules), 2)

    @property
    def events_max(self) -> int:
        """Events of the longest history."""
        return max(history.events_max for history in self.histories)

    @property
    def growth_max(self) -> float:
        """The most by which the memory of a worker grew during a run, as a share."""
        return max(memory.growth for memory in self.memory)

    def history(self, workflow: str) -> HistoryCost:
        """Return what the histories of one kind of workflow came to."""
        return next(history for history in self.histories if history.workflow == workflow)


async def measure_scale(*, accounts: int, seconds_max: float) -> Scale:
    """Open so many accounts, bill all of them, and collect for so many seconds at most; certify and audit all."""
    async with empty_merchant(POSTGRES) as merchant, AsyncExitStack() as running:
        began = time.monotonic()
        before = await read_storage(merchant.database)
        await open_accounts(merchant.database, accounts)
        account_tables = growth(before, await read_storage(merchant.database), accounts)
        load_seconds = _say("accounts open", began)
        stack = merchant.workers(rate=RATE)
        await running.enter_async_context(running_worker(stack, "workflow"))
        instant = (sys.executable, "-m", "bench.instant_worker")
        await running.enter_async_context(running_worker(stack, "gateway", argv=instant))
        async with watched_statements(merchant.database) as watched:
            async with sampled_memory() as while_billing:
                billing = await bill_all(merchant)
            _say("billed", began)
            async with sampled_memory() as while_collecting:
                payments = await collect_some(merchant, seconds_max=seconds_max)
            _say("collected and certified", began)
            seal_seconds = await _seal(merchant)
            rules, violations = await _audit(merchant)
        _say("audited", began)
        tables = (await read_storage(merchant.database)).tables
        vacuumed = await vacuum_largest(merchant.stack.settings.owner_database_url, tables, TABLES_VACUUMED)
        _say("vacuumed", began)
        return Scale(
            machine=await this_machine(merchant.database),
            accounts=accounts,
            load_seconds=load_seconds,
            account_tables=account_tables,
            billing=billing,
            payments=payments,
            seal_seconds=seal_seconds,
            rules=rules,
            violations=violations,
            vacuumed=vacuumed,
            connections=watched.connections,
            statements=watched.slowest(),
            histories=tuple([await cost_of_histories(merchant.client, kind) for kind in WORKFLOWS]),
            memory=(
                memory_of("billing", process_costs.WORKFLOW_WORKER, while_billing),
                *(memory_of("collecting", part, while_collecting) for part in process_costs.WORKERS),
            ),
        )


async def _seal(merchant: Merchant) -> float:
    began = time.monotonic()
    await merchant.database.call("mark_roll_up")
    await merchant.database.call("fill_roll_ups", timeout_seconds=AUDIT_SECONDS)
    return round(time.monotonic() - began, 2)


async def _audit(merchant: Merchant) -> tuple[tuple[AuditedRule, ...], int]:
    rules, violations, began = [], 0, time.monotonic()
    async for checked, broken in check_rules(merchant.database):
        rules.append(AuditedRule(RULES[checked - 1], round(time.monotonic() - began, 2)))
        violations += len(broken)
        began = time.monotonic()
    return tuple(rules), violations


def _say(what: str, began: float) -> float:
    """Print how far it is, for whoever waits for it; return the seconds since the beginning."""
    seconds = round(time.monotonic() - began, 1)
    print(f"{seconds:8.1f} s: {what}", file=sys.stderr, flush=True)
    return seconds
