"""What a company does in its months, as tests of recoveries take it."""

import asyncio

from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from activities.reductions.merchants import Merchants, MerchantsDocument
from docs.examples.give_reward import give_reward
from models.collections.collection import RetryCommand
from models.gateway.gateway_request import CollectResult
from models.reductions.reduction import Award
from models.refunds.refund import RefundOrder, RefundRequest, RefundResult
from models.workflow_ids import WORKFLOW_QUEUE, refund_id
from sandbox.stripe.control.client import SandboxControl
from tests.recovery.backups.shop import Shop
from tests.support.attempts import charged
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.refunds.refund import Refund

CUSTOMERS = 8
CAFE = {"id": "cafe", "name": "Café", "currency": "EUR", "account": "acc_cafe", "reduction": {}}


def months_from(period: str, *, count: int = 3) -> list[str]:
    """So many months that no other test on the server has."""
    year, month = map(int, period.split("-"))
    return [f"{year + 50 * later}-{month:02}" for later in range(count)]


async def invoice_all(shop: Shop, accounts: list[str]) -> None:
    """Bill everybody."""
    for number, account in enumerate(accounts):
        await shop.merchant.invoice(account, 1000 + number)


async def month(shop: Shop, duly: RunningDuly, accounts: list[str], period: str) -> None:
    """Bill everybody, and let everybody pay."""
    await invoice_all(shop, accounts)
    await duly.run(period=period)
    await shop.all_paid()


async def first_month(shop: Shop, duly: RunningDuly, period: str) -> list[str]:
    """A month that everybody has paid, before any backup; a café gives rewards from now on."""
    accounts = [await shop.merchant.account(f"acc-{period}-{number}") for number in range(CUSTOMERS)]
    await month(shop, duly, accounts, period)
    await shop.merchant.account("acc_cafe", cards=[])
    async with shop.database() as database:
        await Merchants(database).apply(MerchantsDocument.model_validate({"merchants": [CAFE]}))
    return accounts


async def refund(duly: RunningDuly, name: str, payment: str, amount_minor: int) -> RefundResult:
    """Ask for a refund as a service does that may ask twice."""
    order = RefundOrder(name, payment, amount_minor, is_acknowledged=True, actor="maria", reason="as agreed")
    start = WithStartWorkflowOperation[Refund, RefundResult](
        Refund.run,
        RefundRequest(name, "stripe", order),
        id=refund_id(name),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    first: RefundResult = await duly.client.execute_update_with_start_workflow(
        "first_outcome", start_workflow_operation=start, result_type=RefundResult
    )
    return first


async def give_back(shop: Shop, duly: RunningDuly, accounts: list[str], period: str) -> None:
    """Ask for a refund of the first month's payment and for a reward; asked again they are the same ones."""
    paid = "select transaction_id from duly.gateway_requests where account_id = :account and period = :period"
    payment = str(await shop.merchant.value(paid, account=accounts[1], period=period))
    await refund(duly, f"rf-{period}", payment, 400)
    await give_reward(duly.client, Award(f"award-{period}", "cafe", accounts[2], 300, "EUR"))
    await until_refunded(shop, 700)


async def retry_now(duly: RunningDuly, account: str, period: str) -> None:
    """Let an operator have a collection that waits make its next attempt."""
    handle = duly.collection(account, period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    await handle.execute_update("retry_now", RetryCommand("maria", "the card is good by now"))


async def until_charged(sandbox: SandboxControl, payments: int) -> None:
    async def are_charged() -> bool:
        return charged(sandbox)[0] >= payments

    async with asyncio.timeout(90):
        await until(are_charged)


async def until_refunded(shop: Shop, amount_minor: int) -> None:
    async def are_refunded() -> bool:
        return shop.refunded() >= amount_minor

    async with asyncio.timeout(90):
        await until(are_refunded)
