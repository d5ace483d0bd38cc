"""Records the histories of what compares and checks the books, as `record.py` does for payments."""

from datetime import UTC, datetime

from models.gateway.gateway_request import CollectResult
from models.reconciliation.reconciliation import ObjectCheckRequest, ReconciliationRequest
from models.workflow_ids import AUDIT, WORKFLOW_QUEUE, object_check_id, reconciliation_id
from tests.replay.histories import keep
from tests.support.builders import PERIOD, Merchant
from tests.support.running_duly import RunningDuly
from workflows.ledger.ledger_audit import LedgerAudit
from workflows.reconciliation.object_check import ObjectCheck
from workflows.reconciliation.reconciliation import Reconciliation


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
