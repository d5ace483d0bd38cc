"""Runs and their shards, to be pressed on: everybody is charged, billed or paid once, and the run is certified."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any

from sqlalchemy import text
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from models.runs.process_run import RunRequest
from models.runs.refund_run import RefundRunRequest
from models.workflow_ids import (
    WORKFLOW_QUEUE,
    billing_run_id,
    collection_id,
    payment_run_id,
    refund_id,
    refund_run_id,
    shard_id,
)
from tests.supervision.returns import REFUND_LISTS, REFUNDS
from tests.supervision.scenario import Moment, Opened, Scenario
from tests.support.attempts import CHARGES, LISTS
from tests.support.run_control import shape, until
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun
from workflows.runs.refund_run import RefundRun

MEMBERS = 3
DAY = date(2026, 11, 26)


class RunScenario(Scenario):
    """What is common to runs: a person starts again what they have ended."""

    is_alone = True
    workflow: Any = None
    table = "process_runs"

    async def start(self, workflow_id: str, request: object) -> None:
        """Start the run, unless it runs."""
        with suppress(WorkflowAlreadyStartedError, RPCError):
            await self.company.duly.client.start_workflow(
                self.workflow, request, id=workflow_id, task_queue=WORKFLOW_QUEUE
            )

    async def wrong_with(self, workflow_id: str, members: dict[str, int], table: str, items: str) -> str:
        """Say how a run differs from one that is certified with such members."""
        counted = f"select outcome, count(*) as members from duly.{items} where run_id = :id group by 1"
        rows = await self.company.merchant.run(counted, id=workflow_id)
        found = {str(row.outcome): row.members for row in rows}
        certified = await self.company.merchant.value(
            f"select count(*) from duly.{table} where id = :id and completed_at is not null", id=workflow_id
        )
        return "" if (found, certified) == (members, 1) else f"{workflow_id}: {found}, {certified} certified"


class PaymentRunScenario(RunScenario):
    """In the end everybody is charged once."""

    absent = {Moment.PAGE_OPEN: "a run opens no page"}
    call = CHARGES
    evidence = LISTS
    workflow = PaymentRun.run

    async def prepare(self, name: str) -> None:
        await shape(self.company.merchant, shards=1, window=MEMBERS + 1)
        for number in range(MEMBERS):
            await self.company.merchant.account(f"acc-{name}-{number}", owes_minor=1000)

    def hold_up(self, moment: Moment) -> None:
        # A run that is paused waits as long as somebody wants; the gateway has nothing to do with it.
        super().hold_up(Moment.BEFORE_CALL if moment is Moment.WAITING else moment)

    async def open(self, name: str, moment: Moment) -> Opened:
        company, run_id = self.company, payment_run_id("monthly", self.company.period)
        request = RunRequest("monthly", company.period, not_due_yet=True)
        await self.start(run_id, request)
        if moment is Moment.WAITING:
            await company.gateway.arrived(MEMBERS)
            await company.command(run_id, "pause")
        elif moment is Moment.OUTSTANDING:
            await until(self._are_asked)
        elif moment is Moment.DONE:
            await self.handle(run_id).result()
        accounts = [f"acc-{name}-{number}" for number in range(MEMBERS)]

        async def go_on() -> None:
            await self.start(run_id, request)
            await company.command(run_id, "resume")
            for account in accounts:
                await company.signal(collection_id(account, company.period))

        async def wrong() -> str:
            owed = {account: await company.merchant.balance(account) for account in accounts}
            certified = "select count(*) from duly.process_runs where completed_at is not null"
            is_over = await company.merchant.value(certified) == 1
            return "" if is_over and not any(owed.values()) else f"certified: {is_over}, owed: {owed}"

        return Opened(self.pressed(run_id), go_on, wrong)

    def pressed(self, run_id: str) -> str:
        """The workflow that is pressed on."""
        return run_id

    async def _are_asked(self) -> bool:
        return self.company.sandbox.request_counts().get(CHARGES, 0) >= MEMBERS


class ShardScenario(PaymentRunScenario):
    """The run's only shard."""

    def pressed(self, run_id: str) -> str:
        return shard_id(run_id, 0)


class BillingRunScenario(RunScenario):
    """In the end every subscription has one invoice."""

    absent = dict.fromkeys(
        (Moment.BEFORE_CALL, Moment.OUTSTANDING, Moment.PAGE_OPEN), "asks no gateway, and opens no page"
    )
    answers_cancel = False
    workflow = BillingRun.run

    async def prepare(self, name: str) -> None:
        await self.company.merchant.run("update duly.run_definitions set page_size = 1 where id = 'plans'")
        for number in range(MEMBERS):
            account = await self.company.merchant.account(f"acc-{name}-{number}", cards=[])
            await self.company.merchant.subscription(account, price_minor=1000)

    async def open(self, name: str, moment: Moment) -> Opened:
        company, run_id = self.company, billing_run_id("plans", self.company.period)
        request = RunRequest("plans", company.period, not_due_yet=True)
        await self.start(run_id, request)
        if moment is Moment.DONE:
            await self.handle(run_id).result()
        return Opened(
            run_id,
            lambda: self.start(run_id, request),
            lambda: self.wrong_with(run_id, {"billed": MEMBERS}, "process_runs", "run_items"),
        )


class RefundRunScenario(RunScenario):
    """In the end everybody in credit has their money back, once."""

    absent = {Moment.PAGE_OPEN: "nobody pays a refund", Moment.WAITING: "it waits for the gateway's answers alone"}
    call = REFUNDS
    evidence = REFUND_LISTS
    answers_cancel = False
    workflow = RefundRun.run

    async def prepare(self, name: str) -> None:
        company = self.company
        await company.merchant.configure("[refund_rules]\nrefunds_credit = true")
        for number in range(MEMBERS):
            account = await company.merchant.account(f"acc-{name}-{number}")
            await company.refunds.paid(700, account=account)
            await company.merchant.run(
                "select duly.create_payment(:key, :account, 700, 'EUR', 'cash')",
                key=f"again:{account}",
                account=account,
            )

    async def open(self, name: str, moment: Moment) -> Opened:
        company, run_id = self.company, refund_run_id("stripe", f"{DAY}")
        request = RefundRunRequest("stripe", DAY, not_due_yet=True)
        await self.start(run_id, request)
        if moment is Moment.OUTSTANDING:
            await until(self._are_asked)
        elif moment is Moment.DONE:
            await self.handle(run_id).result()

        async def go_on() -> None:
            await self.start(run_id, request)
            for row in await company.merchant.run("select id from duly.gateway_requests where kind = 'refund'"):
                await company.signal(refund_id(row.id))

        async def wrong() -> str:
            posted = "select count(*) from duly.gateway_requests where kind = 'refund' and state = 'posted'"
            paid = await company.merchant.value(posted)
            certified = await company.merchant.value(
                "select count(*) from duly.refund_runs where completed_at is not null"
            )
            return "" if (paid, certified) == (MEMBERS, 1) else f"{paid} paid, {certified} certified"

        return Opened(run_id, go_on, wrong)

    async def _are_asked(self) -> bool:
        return self.company.sandbox.request_counts().get(REFUNDS, 0) >= MEMBERS


@asynccontextmanager
async def locked(scenario: RunScenario, table: str) -> AsyncIterator[None]:
    """Keep everybody else from writing to a table."""
    async with scenario.company.merchant.engine.begin() as connection:
        await connection.execute(text(f"lock table duly.{table} in share mode"))
        yield
