"""Sweeps, audits and mailings, to be pressed on: whoever starts the next one has done all that was left."""

import json
from contextlib import suppress
from typing import Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from models.gateway.events import SweepRequest
from models.gateway.movements import MovementsRequest
from models.messages.message import MailingRequest
from models.reconciliation.reconciliation import ObjectCheckRequest, ReconciliationRequest
from models.reports.builtin import built_in
from models.reports.delivery import ReportDeliveryRequest
from models.runs.process_run import RunKind, ScheduledRunRequest
from models.supervision.supervision import SupervisionRequest
from models.workflow_ids import (
    AUDIT,
    REMINDERS,
    SUPERVISOR,
    WORKFLOW_QUEUE,
    collection_id,
    mailing_id,
    movements_id,
    object_check_id,
    reconciliation_id,
    report_id,
    scheduled_run_id,
    sweep_id,
)
from tests.supervision.scenario import Moment, Opened, Scenario
from workflows.events.event_sweep import EventSweep
from workflows.gateway.movements import GatewayMovements
from workflows.ledger.ledger_audit import LedgerAudit
from workflows.messages.mailing import Mailing
from workflows.messages.reminders import Reminders
from workflows.reconciliation.object_check import ObjectCheck
from workflows.reconciliation.reconciliation import Reconciliation
from workflows.reports.report_delivery import ReportDelivery
from workflows.runs.scheduled_run import ScheduledRun
from workflows.supervision.supervisor import Supervisor


class ErrandScenario(Scenario):
    """In the end another one has come to its end."""

    absent = {
        Moment.BEFORE_CALL: "sends nothing that moves money",
        Moment.OUTSTANDING: "sends nothing that moves money",
        Moment.PAGE_OPEN: "opens no page",
    }
    is_alone = True
    answers_cancel = False
    workflow: Any = None
    workflow_id = ""
    # What is enough in the end: one that waits for half a minute is not waited for.
    ended = frozenset({WorkflowExecutionStatus.COMPLETED})

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.id, self.requests = self.workflow_id, [self.request()]

    def request(self) -> object:
        """What it is started with."""
        return None

    async def open(self, name: str, moment: Moment) -> Opened:
        await self._start()
        if moment is Moment.DONE:
            await self.handle(self.id).result()
        return Opened(self.id, self._start_again, self._wrong)

    async def _start_again(self) -> None:
        if await self._wrong():
            await self._start()

    async def _start(self) -> None:
        requests = [one for one in self.requests if one is not None]
        with suppress(WorkflowAlreadyStartedError, RPCError):
            await self.company.duly.client.start_workflow(
                self.workflow, args=requests, id=self.id, task_queue=WORKFLOW_QUEUE
            )

    async def _wrong(self) -> str:
        try:
            status = (await self.handle(self.id).describe()).status
        except RPCError as error:
            return f"{self.id}: {error.message}"
        return "" if status in self.ended else f"{self.id} is {status}"


class EventSweepScenario(ErrandScenario):
    """The events of the gateway."""

    workflow, workflow_id = EventSweep.run, sweep_id("stripe")

    def request(self) -> object:
        return SweepRequest("stripe")


class MovementsScenario(ErrandScenario):
    """What the balance has moved: it gathers events for half a minute."""

    absent = ErrandScenario.absent | {Moment.DONE: "the next event starts it again: as an event sweep"}
    workflow, workflow_id = GatewayMovements.run, movements_id("stripe")
    ended = frozenset({WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.RUNNING})

    def request(self) -> object:
        return MovementsRequest("stripe")


class AuditScenario(ErrandScenario):
    """The nightly audit."""

    workflow, workflow_id = LedgerAudit.run, AUDIT


class MailingScenario(ErrandScenario):
    """What the outbox holds."""

    workflow = Mailing.run

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.id = mailing_id(f"pressed/{self.company.period}")

    def request(self) -> object:
        return MailingRequest()


class ObjectCheckScenario(ErrandScenario):
    """A refund that somebody made in the gateway's dashboard: in the end it is booked."""

    workflow = ObjectCheck.run

    async def prepare(self, name: str) -> None:
        account = await self.company.merchant.account(f"acc-{name}")
        await self.company.refunds.paid(2500, account=account)
        paid = "select gateway_reference from duly.gateway_requests where kind = 'payment'"
        reference = await self.company.merchant.value(paid)
        refunds = self.company.merchant.stripe.v1.refunds
        refund = await refunds.create_async({"payment_intent": reference, "amount": 500})
        self.id = object_check_id("stripe", refund.id)
        self.requests = [ObjectCheckRequest(refund.id, "stripe")]

    async def _wrong(self) -> str:
        booked = "select count(*) from duly.gateway_requests where kind = 'refund' and state = 'posted'"
        return await super()._wrong() or ("" if await self.company.merchant.value(booked) == 1 else "not booked")


class ReconciliationScenario(ErrandScenario):
    """The gateway's day, compared with the ledger."""

    workflow, workflow_id = Reconciliation.run, reconciliation_id("stripe", "scheduled")

    def request(self) -> object:
        return ReconciliationRequest("stripe")


class RemindersScenario(ErrandScenario):
    """The day's reminders."""

    workflow, workflow_id = Reminders.run, REMINDERS


class ReportDeliveryScenario(ErrandScenario):
    """The report of a month that is over: in the end its file is kept, and one mail of it is written."""

    workflow = ReportDelivery.run
    schedule = ""

    async def prepare(self, name: str) -> None:
        self.schedule = f"report-{self.company.period}"
        await self.company.merchant.run(
            "select duly.set_report_schedule(:id, cast(:definition as jsonb), 'csv', cast(:calendar as jsonb),"
            " array['ada@example.com'], 'ada', '')",
            id=self.schedule,
            definition=json.dumps(built_in("refunds-due").as_document()),
            calendar='{"day": 1, "hour": 6, "minute": 0, "time_zone": "UTC"}',
        )
        self.id = report_id(self.schedule, "2026-08")
        self.requests = [ReportDeliveryRequest(self.schedule, "2026-08")]

    async def _wrong(self) -> str:
        kept = "select count(*) from duly.report_deliveries where problem = '' and schedule_id = :id"
        mails = "select count(*) from duly.messages where kind = 'report_ready' and parameters ->> 'object' = :id"
        found = [await self.company.merchant.value(one, id=self.schedule) for one in (kept, mails)]
        return await super()._wrong() or ("" if found == [1, 1] else f"{found} files and mails")


class ScheduledRunScenario(ErrandScenario):
    """What a schedule starts: in the end the period has its run, which is over, and whoever owed has paid."""

    workflow = ScheduledRun.run
    account = ""

    async def prepare(self, name: str) -> None:
        definition = f"scheduled-{self.company.period}"
        # A scheduled run over nobody leaves its month open.
        self.account = await self.company.merchant.account(f"acc-{name}", owes_minor=1000)
        await self.company.merchant.run(
            "insert into duly.run_definitions (id, kind, name, provider_id) values (:id, 'payment', 'Own', 'stripe')",
            id=definition,
        )
        self.id = scheduled_run_id(definition)
        self.requests = [ScheduledRunRequest(definition, RunKind.PAYMENT, "Europe/Nicosia")]

    async def _start_again(self) -> None:
        await super()._start_again()
        # A run on a busy machine may have handed its member over.
        for row in await self.company.merchant.run("select account_id, period from duly.collections"):
            await self.company.signal(collection_id(row.account_id, row.period))

    async def _wrong(self) -> str:
        runs = await self.company.merchant.run("select completed_at is not null as is_over from duly.process_runs")
        owed = await self.company.merchant.balance(self.account)
        is_right = [row.is_over for row in runs] == [True] and owed == 0
        return await super()._wrong() or ("" if is_right else f"{runs} runs, {owed} owed")


class SupervisorScenario(ErrandScenario):
    """The comparison of what is open with its workflows."""

    workflow, workflow_id = Supervisor.run, SUPERVISOR

    def request(self) -> object:
        return SupervisionRequest()
