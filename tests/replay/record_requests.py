"""Records the histories of payment requests, as `record.py` does those of collecting. By hand:

.venv/bin/pytest tests/replay/record_requests.py
"""

from datetime import timedelta

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl
from tests.payments.paying_by_link import ended, make, payer_at, reachable, submit, terms
from tests.payments.test_payment_request_ends import WHO, stage
from tests.replay.histories import keep
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest


async def test_paid(
    duly: RunningDuly,
    merchant: Merchant,
    database: Database,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "order-1", terms(account))
    async with payer_at(database, duly, gateway) as payer:
        page = await payer.press(link.path)
        stripe_sandbox.script_card("pm_card_visa", CardOutcome(answer=Answer.PROCESS, after_seconds=24 * 3600))
        await submit(page)
        await handle.signal(PaymentRequest.gateway_event)

        async def is_processing() -> bool:
            return await stage(handle) == "processing"

        await until(is_processing)
    stripe_sandbox.advance(timedelta(days=2).total_seconds())
    await ended(duly, handle)

    await keep("payment_request-paid_by_a_debit", handle)


async def test_expired(duly: RunningDuly, merchant: Merchant, database: Database, gateway: StripeGateway) -> None:
    account = await reachable(merchant, await merchant.account(owes_minor=2500))
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(duly, "order-2", terms(account, 0, invoices=(invoice,), is_mailed=True))
    async with payer_at(database, duly, gateway) as payer:
        await payer.press(link.path)
    await handle.execute_update(PaymentRequest.send_link, WHO)
    await ended(duly, handle)

    await keep("payment_request-reminded_and_expired", handle)


async def test_withdrawn(duly: RunningDuly, merchant: Merchant, database: Database, gateway: StripeGateway) -> None:
    account = await merchant.account()
    handle, link = await make(duly, "order-3", terms(account))
    async with payer_at(database, duly, gateway) as payer:
        await payer.press(link.path)
    await handle.execute_update(PaymentRequest.withdraw, WHO)
    await ended(duly, handle)

    await keep("payment_request-withdrawn", handle)
