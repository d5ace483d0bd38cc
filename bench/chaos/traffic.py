"""What a company does in its months: it bills, collects in runs and one by one, and imports what its bank brings."""

import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from psycopg.types.json import Jsonb
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from bench.chaos.company import BrittleCompany
from bench.chaos.families.families import Families
from bench.chaos.persistence import until_answered
from bench.chaos.returning import Returning
from models.collections.collection import CollectionRequest, CollectionResult, Stage
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.money import Money
from models.operator_command import OperatorCommand
from models.runs.process_run import RunRequest
from models.runs.run_control import RunStage
from models.workflow_ids import WORKFLOW_QUEUE, billing_run_id, collection_id, payment_run_id
from sandbox.customers.catalogue import ACCESS
from sandbox.customers.merchant import BILLING_DEFINITION, PAYMENT_DEFINITION
from sandbox.workers import ROOT
from workflows.collections.collection import Collection
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun
from workflows.visibility import collection_label

# Of the accounts so many are collected from one by one each month, beside the run.
ONE_BY_ONE = 0.2
# And so many pay something through the bank.
BY_BANK = 0.05
CONCURRENT = 32
RUN_SECONDS_MAX = 3600.0
ONE_SECONDS_MAX = 120.0
POLL_SECONDS = 0.5
# The longest wait for an answer of a run; the next round asks again.
ANSWER = timedelta(seconds=10)
# A round price in minor units that every gateway takes.
PRICES_MINOR = {"EUR": 1500, "JPY": 1500, "KWD": 2500}

_HEADER = "bank_reference,booked_on,amount,currency,account_id\n"


@dataclass
class Traffic:
    """The months of one company, from a seed, and what it was told is done."""

    company: BrittleCompany
    seed: int
    returning: Returning
    counted: Counter[str] = field(default_factory=Counter)
    paid: set[tuple[str, str]] = field(default_factory=set)
    from_bank: Counter[str] = field(default_factory=Counter)
    # How long each part of a month took, in seconds; those between billing and what goes back are beside each other.
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        """Begin what the company does beside its plans."""
        self.families = Families(self.company, self.seed, run=self.payment_run, invoice=self._invoice)

    async def payment_run(self, definition: str, period: str) -> None:
        """See a payment run through, also one that has nobody to charge."""
        await self._run(PaymentRun.run, definition, period, payment_run_id(definition, period))

    async def month(self, period: str, is_through: asyncio.Event) -> None:
        """Bill and collect a month, with everything that happens beside it.

        `is_through` once what is collected one by one is: then it waits for its run and whatever is tried again.
        """
        rng = Random(f"{self.seed}:{period}")
        accounts = await self._accounts()
        chosen = rng.sample(accounts, max(1, round(len(accounts) * ONE_BY_ONE)))
        await self._timed(
            "billing",
            self._run(BillingRun.run, BILLING_DEFINITION, period, billing_run_id(BILLING_DEFINITION, period)),
        )
        beside = {
            "run": self.payment_run(PAYMENT_DEFINITION, period),
            "one by one": self._collect_one_by_one(chosen, period, is_through),
            "bank": self._import_bank_file(rng, accounts, period),
            "families": self.families.month(accounts, period),
        }
        async with asyncio.TaskGroup() as group:
            for part, work in beside.items():
                group.create_task(self._timed(part, work))
        await self._timed("given back", self.returning.give_back(rng))

    async def _timed(self, part: str, work: Awaitable[None]) -> None:
        began = time.monotonic()
        await work
        self.seconds[part] += time.monotonic() - began

    async def collect_again(self) -> int:
        """Collect once more what an operator had cancelled: that ends a collection, and leaves the receivable owed."""
        let_go = await self.company.database.rows(
            "select c.account_id, c.period, c.provider_id from duly.collections c where c.reason = 'cancelled'"
            " and c.closed_at is not null and exists (select from duly.open_items i"
            " where i.transaction_id = any (c.invoices) and i.allocated_minor < i.amount_minor)"
            # What a payment request has let go, runs ask for.
            " and not exists (select from duly.payment_requests q"
            " where (q.account_id, q.period) = (c.account_id, c.period))"
        )
        for row in let_go:
            await self._start_collection(CollectionRequest(row.account_id, row.period, row.provider_id))
        return len(let_go)

    async def _run(self, run: Any, definition: str, period: str, id: str) -> None:
        """See a run through to its certificate, and start it again whenever somebody has ended it."""
        request = RunRequest(definition, period, not_due_yet=True, over_nobody=True)

        async def start() -> object:
            return await self.company.client.start_workflow(
                run,
                request,
                id=id,
                task_queue=WORKFLOW_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            )

        async with asyncio.timeout(RUN_SECONDS_MAX):
            while not await self._is_certified(id):
                await until_answered(start, seconds=60)
                if run is PaymentRun.run:
                    await self._resume_if_paused(id)
                await asyncio.sleep(POLL_SECONDS)
        self.counted[run.__qualname__.partition(".")[0]] += 1

    async def _resume_if_paused(self, id: str) -> None:
        """Resume a run that a Cancel has paused, as its operator does."""
        handle = self.company.client.get_workflow_handle(id)
        with suppress(RPCError, WorkflowQueryFailedError, WorkflowUpdateFailedError):
            status = await handle.query(PaymentRun.status, rpc_timeout=ANSWER)
            if status.stage is RunStage.PAUSED:
                command = OperatorCommand("maria", "it was cancelled by mistake")
                await handle.execute_update("resume", command, rpc_timeout=ANSWER)

    async def _is_certified(self, id: str) -> bool:
        certified = "select completed_at is not null from duly.process_runs where id = :id"
        rows = await until_answered(lambda: self.company.database.rows(certified, id=id), seconds=60)
        return bool(rows and rows[0][0])

    async def _accounts(self) -> Sequence[tuple[str, str]]:
        """Return those that are billed, with their currency: neither who pays by debits alone, nor whom a link made."""
        query = "select id, currency from duly.accounts where id like 'acc%' and state = 'active' order by id"
        rows = await until_answered(lambda: self.company.database.rows(query), seconds=60)
        assert rows, "the database has not answered for a minute"
        return [(str(row.id), str(row.currency)) for row in rows]

    async def _collect_one_by_one(
        self, accounts: Sequence[tuple[str, str]], period: str, is_through: asyncio.Event
    ) -> None:
        slots = asyncio.Semaphore(CONCURRENT)

        async def collect(account: str, currency: str) -> None:
            async with slots:
                await self._invoice(account, currency, period)
                await self._collect(account, f"{period}-order")

        async with asyncio.TaskGroup() as group:
            for account, currency in accounts:
                group.create_task(collect(account, currency))
        is_through.set()

    async def _invoice(self, account: str, currency: str, period: str) -> None:
        price = PRICES_MINOR[currency]
        product = ACCESS[currency][0].product_id
        line = {"product_id": product, "description": "Order", "quantity": 1, "unit_price_minor": price}
        amounts = {"discount_minor": 0, "net_minor": price, "tax_minor": 0, "total_minor": price}
        await until_answered(
            lambda: self.company.database.rows(
                "select duly.create_invoice(:key, :account, :currency, :lines)",
                key=f"order:{account}:{period}",
                account=account,
                currency=currency,
                lines=Jsonb([{**line, **amounts}]),
            ),
            seconds=60,
        )

    async def _collect(self, account: str, name: str) -> None:
        """Collect one receivable now; what is answered as settled must be in the ledger for ever."""
        request = CollectionRequest(account, name)

        async def first_outcome() -> CollectResult:
            start = WithStartWorkflowOperation(
                Collection.run,
                request,
                id=collection_id(account, name),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                task_queue=WORKFLOW_QUEUE,
                **collection_label(request),
            )
            return await self.company.client.execute_update_with_start_workflow(
                Collection.first_outcome, start_workflow_operation=start
            )

        try:
            result = await until_answered(first_outcome, seconds=ONE_SECONDS_MAX)
        except WorkflowAlreadyStartedError:
            # The answer to an earlier call was lost, and the collection has ended since.
            await self._ended(account, name)
            return
        self.counted["first outcomes"] += result is not None
        if result is not None and result.outcome is CollectOutcome.SETTLED:
            self.paid.add((account, name))

    async def _ended(self, account: str, name: str) -> None:
        handle: WorkflowHandle[Collection, CollectionResult] = self.company.client.get_workflow_handle(
            collection_id(account, name), result_type=CollectionResult
        )
        result = await until_answered(handle.result, seconds=ONE_SECONDS_MAX)
        self.counted["collections ended before they were asked again"] += 1
        if result is not None and result.stage is Stage.SETTLED:
            self.paid.add((account, name))

    async def _start_collection(self, request: CollectionRequest) -> None:
        await until_answered(
            lambda: self.company.client.start_workflow(
                Collection.run,
                request,
                id=collection_id(request.account_id, request.period),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                task_queue=WORKFLOW_QUEUE,
                **collection_label(request),
            ),
            seconds=60,
        )

    async def _import_bank_file(self, rng: Random, accounts: Sequence[tuple[str, str]], period: str) -> None:
        """Import a statement with the command line, until it says that all is done: each line is money once."""
        payers = rng.sample(accounts, max(1, round(len(accounts) * BY_BANK)))
        lines = {f"bank-{period}-{account}": (account, currency) for account, currency in payers}
        file = self.company.stack.folder.path / f"statement-{period}.csv"
        today = datetime.now(UTC).date()
        written = [
            f"{reference},{today},{Money(PRICES_MINOR[currency], currency).to_decimal()},{currency},{account}\n"
            for reference, (account, currency) in lines.items()
        ]
        file.write_text(_HEADER + "".join(written), encoding="utf-8")
        for _ in range(20):
            if await self._command("import", "bank", str(file), "--actor", "maria") == 0:
                for account, currency in payers:
                    self.from_bank[account] += PRICES_MINOR[currency]
                self.counted["bank lines"] += len(payers)
                return
        raise RuntimeError(f"{file} was not imported in twenty tries")

    async def _command(self, *words: str) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "starter.py"),
            *words,
            env=dict(self.company.stack.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await process.wait()
