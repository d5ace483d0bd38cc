"""A payment request goes on from its row: what was paid or credited while no workflow looked after it is paid."""

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import ActivityEnvironment

from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.pace import GatewayPace
from activities.gateway.stripe_gateway import StripeGateway
from activities.payments.request_pages import RequestPageActivities
from models.gateway.gateway_request import CollectRequest
from models.payments.payment_request import PaymentRequestState
from tests.payments.paying_by_link import Payer, Requested, make, payer_at, reachable, submit, terms
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest


@pytest.fixture
async def payer(database: Database, duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Somebody with a browser."""
    async with payer_at(database, duly, gateway) as somebody:
        yield somebody


async def has_ended(merchant: Merchant, id: str) -> str:
    """Wait until a request is over, on a clock that does not jump to its end; return why it is."""

    async def is_over() -> bool:
        closed = "select count(*) from duly.payment_requests where id = :id and closed_at is not null"
        return bool(await merchant.value(closed, id=id))

    await until(is_over)
    [row] = await merchant.run("select state, end_reason from duly.payment_requests where id = :id", id=id)
    assert row.state == PaymentRequestState.PAID
    return str(row.end_reason)


async def test_a_payment_that_was_recorded_when_its_workflow_was_gone_ends_the_request_at_once(
    duly: RunningDuly, merchant: Merchant, payer: Payer, database: Database, gateway: StripeGateway
) -> None:
    account = await reachable(merchant, await merchant.account())
    wanted = terms(account, is_mailed=True)
    handle, link = await make(duly, "gone-2", wanted)
    page = await payer.press(link.path)
    await handle.terminate("pressed by maria")
    await submit(page)
    # The reading that was in flight when somebody pressed Terminate finishes, and is recorded.
    reading = RequestPageActivities(database, gateway, Clocks(database, gateway), GatewayPace(20))
    period = await merchant.value("select period from duly.payment_requests")
    await ActivityEnvironment().run(reading.read_page, CollectRequest(account, period, "stripe", attempt=1))
    shown = await payer.visit(link.path)

    await make(duly, "gone-2", wanted)

    assert await has_ended(merchant, "gone-2") == "paid"
    assert await merchant.balance(account) == -2500
    assert "<form" not in shown.text


async def test_an_invoice_that_was_paid_in_cash_when_the_workflow_was_gone_ends_the_request_at_once(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    wanted = terms(account, 0, invoices=(invoice,))
    handle, _ = await make(duly, "gone-3", wanted)
    await handle.terminate("pressed by maria")
    await merchant.run("select duly.create_payment('cash-1', :account, 2500, 'EUR', 'cash')", account=account)

    await make(duly, "gone-3", wanted)

    assert await has_ended(merchant, "gone-3") == "paid_elsewhere"


async def test_a_page_that_asks_for_more_than_is_owed_by_now_is_closed_by_whoever_goes_on(
    duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    wanted = terms(account, 0, invoices=(invoice,))
    handle, link = await make(duly, "gone-4", wanted)
    page = await payer.press(link.path)
    await handle.terminate("pressed by maria")
    await merchant.run("select duly.create_payment('cash-2', :account, 1000, 'EUR', 'cash')", account=account)

    again, _ = await make(duly, "gone-4", wanted)
    await until(lambda: _waits_without_page(again))

    assert await submit(page) == 410
    await payer.pay(link.path)
    await again.signal(PaymentRequest.gateway_event)
    assert await has_ended(merchant, "gone-4") == "paid"
    assert await merchant.balance(account) == 0


async def _waits_without_page(handle: Requested) -> bool:
    status = await handle.query(PaymentRequest.status)
    return not status.has_page and "waits for its payer" in status.next_action
