"""Records the histories of what compares and checks the books, as `record.py` does for payments."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle

from models.bank.bank_refunds import BankRefundsRequest
from models.gateway.gateway_request import CollectResult
from models.operator_command import OperatorCommand
from models.reconciliation.reconciliation import ObjectCheckRequest, ReconciliationRequest
from models.reports.builtin import built_in
from models.reports.delivery import ReportDeliveryRequest
from models.workflow_ids import AUDIT, WORKFLOW_QUEUE, bank_refunds_id, object_check_id, reconciliation_id, report_id
from tests.replay.histories import keep
from tests.support.builders import PERIOD, Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.ledger.ledger_audit import LedgerAudit
from workflows.reconciliation.object_check import ObjectCheck
from workflows.reconciliation.reconciliation import Reconciliation
from workflows.refunds.bank_refunds import BankRefunds
from workflows.reports.report_delivery import ReportDelivery


async def test_reconciliation(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    handle = await duly.start_collection(account, PERIOD)
    paid = await handle.execute_update("first_outcome", result_type=CollectResult)
    await merchant.stripe.v1.refunds.create_async({"payment_intent": paid.gateway_reference, "amount": 1000})
    day = datetime.now(UTC).date()
    reconciliation = await duly.client.start_workflow(
        Reconciliation.run,
        ReconciliationRequest("stripe", day, young_minutes=0),
        id=reconciliation_id("stripe", f"{day}"),
        task_queue=WORKFLOW_QUEUE,
    )

    await reconciliation.result()

    await keep("reconciliation-a_refund_is_adopted", reconciliation)


async def test_object_check(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    handle = await duly.start_collection(account, PERIOD)
    paid = await handle.execute_update("first_outcome", result_type=CollectResult)
    made = await merchant.stripe.v1.refunds.create_async({"payment_intent": paid.gateway_reference, "amount": 1000})
    check = await duly.client.start_workflow(
        ObjectCheck.run,
        ObjectCheckRequest(made.id),
        id=object_check_id("stripe", made.id),
        task_queue=WORKFLOW_QUEUE,
    )

    await check.result()

    await keep("object_check-a_refund_of_the_dashboard", check)


async def test_ledger_audit(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.account(owes_minor=2500)
    audit = await duly.client.start_workflow(LedgerAudit.run, id=AUDIT, task_queue=WORKFLOW_QUEUE)

    await audit.result()

    await keep("ledger_audit-every_rule_holds", audit)


async def test_bank_refunds(duly: RunningDuly, merchant: Merchant) -> None:
    for account in [await merchant.account() for _ in range(2)]:
        await merchant.run("select duly.create_payment(:a, :a, 700, 'EUR', 'cash')", a=account)
    await begun_by_a_schedule(duly.client, "2026-09-01T06:00:00Z")
    [month] = await drafted(merchant)
    released = duly.client.get_workflow_handle(bank_refunds_id(month.period))
    await duly.environment.sleep(timedelta(days=8))
    await released.execute_update("release", OperatorCommand("maria", "as agreed"))
    await released.result()

    await keep("bank_refunds-begun_by_a_schedule", await begun_by_a_schedule(duly.client, "2026-09-01T06:01:00Z"))
    await keep("bank_refunds-asked_again_and_released", released)


async def test_bank_refunds_that_are_rejected(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.run("select duly.create_payment('cash', :a, 700, 'EUR', 'cash')", a=await merchant.account())
    month = await duly.client.start_workflow(
        BankRefunds.run,
        BankRefundsRequest("2026-08"),
        id=bank_refunds_id("2026-08"),
        task_queue=WORKFLOW_QUEUE,
    )
    await drafted(merchant)
    await month.execute_update("reject", OperatorCommand("maria", "another bank"))
    await month.result()

    await keep("bank_refunds-rejected", month)


async def test_reports_by_a_calendar(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.run(
        "select duly.set_report_schedule('due', cast(:definition as jsonb), 'csv',"
        """ '{"day": 1, "hour": 6, "minute": 0, "time_zone": "UTC"}', array['ada@example.com'], 'ada', '')""",
        definition=json.dumps(built_in("refunds-due").as_document()),
    )
    asked = {
        "report_delivery-written_and_mailed": ReportDeliveryRequest("due", "2026-08"),
        "report_delivery-no_schedule": ReportDeliveryRequest("removed", "2026-08"),
    }
    for name, request in asked.items():
        report = await duly.client.start_workflow(
            ReportDelivery.run,
            request,
            id=report_id(request.schedule_id, request.period),
            task_queue=WORKFLOW_QUEUE,
        )
        await report.result()

        await keep(name, report)


async def begun_by_a_schedule(client: Client, moment: str) -> WorkflowHandle[Any, Any]:
    """Run what a schedule starts to its end."""
    handle = await client.start_workflow(
        BankRefunds.run,
        BankRefundsRequest(),
        id=f"{bank_refunds_id('scheduled')}-{moment}",
        task_queue=WORKFLOW_QUEUE,
    )
    await handle.result()
    return handle


async def drafted(merchant: Merchant) -> Sequence[Any]:
    """Wait until a month waits for its release."""

    async def is_drafted() -> bool:
        return bool(await merchant.value("select count(*) from duly.bank_refund_months"))

    await until(is_drafted)
    return await merchant.run("select period from duly.bank_refund_months")
