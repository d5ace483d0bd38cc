"""A merchant is disconnected in the middle of payments: what is under way ends properly, and nothing new is taken."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.collections.stopped_pages import signal_stopped_pages
from activities.database import RuleBrokenError
from activities.gateway.stripe_gateway import StripeGateway
from commands.payments.create import OrderOptions, place
from models.operator_command import OperatorCommand
from models.payments.card_payment import CardPayment
from sandbox.stripe.control.client import AccountReview, Fault, FaultKind
from tests.merchants.onboarding import connect, stands
from tests.merchants.providers.conftest import READY, ConnectedMerchant, Platform
from tests.payments.paying_by_link import Requested, make, payer_at, submit, terms
from tests.support.attempts import quiet_period_passes
from tests.support.builders import declined
from tests.support.run_control import until
from workflows.merchants.merchant_connection import MerchantConnection
from workflows.payments.payment_request import PaymentRequest

WHO = OperatorCommand("maria", "it has closed")


async def disconnect(cafe: ConnectedMerchant) -> None:
    await cafe.connection.execute_update(MerchantConnection.disconnect, WHO)
    await cafe.connection.result()


async def has_page(handle: Requested) -> bool:
    return (await handle.query(PaymentRequest.status)).has_page


async def test_a_page_that_nobody_has_paid_is_closed_and_its_link_is_good_again_once_reconnected(
    platform: Platform, cafe: ConnectedMerchant, gateway: StripeGateway
) -> None:
    account = await cafe.client.merchant.account(cards=[])
    handle, link = await make(platform.duly, f"link-{platform.period}", terms(account), cafe.id)
    async with payer_at(platform.database, platform.duly, gateway) as payer:
        page = await payer.press(link.path)

        await disconnect(cafe)

        async def is_closed() -> bool:
            return not await has_page(handle)

        await until(is_closed)
        by_hand = OrderOptions("", account, cafe.id, "5", (), "", "", False, "maria", "on the phone", prepays=True)
        with pytest.raises(RuleBrokenError, match="merchants reconnect") as refused:
            await place(platform.database, by_hand)
        with pytest.raises(WorkflowUpdateFailedError) as unpaid:
            await handle.execute_update(PaymentRequest.pay, CardPayment("maria", "on the phone"))
        closed = await submit(page)
        pressed = await payer.browser.post(link.path)
        again, _ = await connect(platform.duly, cafe.id, gateway_account=cafe.account)
        await stands(again, "successful")
        paid = await payer.pay(link.path)
    await handle.signal("gateway_event")
    await handle.result()

    assert refused.value.type == getattr(unpaid.value.cause, "type", "") == "provider_effective"
    assert (closed, pressed.status_code, paid) == (410, 503, 303)
    assert platform.charges(cafe.account) == 1
    assert await cafe.client.merchant.balance(account) == -2500
    assert await cafe.client.wrong() == []


@pytest.mark.nightly
async def test_a_page_is_closed_at_once_when_the_gateway_stops_the_merchant_and_is_good_again_after_that(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    account = await cafe.client.merchant.account(cards=[])
    handle, _ = await make(platform.duly, f"link-{platform.period}", terms(account), cafe.id)
    page: str = await handle.execute_update("open_page", result_type=str)

    platform.sandbox.review_account(cafe.account, AccountReview(capability="inactive", disabled_reason="listed"))
    await cafe.connection.signal("gateway_event")
    await stands(cafe.connection, "restricted")

    async def is_closed() -> bool:
        return not await has_page(handle)

    await until(is_closed)
    closed = await submit(page)
    platform.sandbox.review_account(cafe.account, READY)
    await cafe.connection.signal("gateway_event")
    await stands(cafe.connection, "successful")
    paid = await submit(await handle.execute_update("open_page", result_type=str))
    await handle.signal("gateway_event")

    assert ((await handle.result()).state, closed, paid) == ("paid", 410, 303)
    assert platform.charges(cafe.account) == 1
    assert await cafe.client.wrong() == []


@pytest.mark.nightly
async def test_who_paid_in_the_same_moment_has_paid(platform: Platform, cafe: ConnectedMerchant) -> None:
    account = await cafe.client.merchant.account(cards=[])
    handle, _ = await make(platform.duly, f"link-{platform.period}", terms(account), cafe.id)
    page: str = await handle.execute_update("open_page", result_type=str)
    platform.sandbox.add_fault(
        Fault(operation="GET /v1/checkout/sessions/{id}", kind=FaultKind.UNAVAILABLE_503, calls=(1, 2))
    )

    await disconnect(cafe)
    await submit(page)
    await handle.signal("gateway_event")

    assert (await handle.result()).state == "paid"
    assert await cafe.client.merchant.balance(account) == -2500
    assert await cafe.client.wrong() == []


@pytest.mark.nightly
async def test_a_page_of_a_collection_is_closed_for_a_merchant_that_is_switched_off(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    theirs = cafe.client.merchant
    account = await theirs.account(owes_minor=2500)
    platform.sandbox.script_card(await theirs.token(account), declined("insufficient_funds"), account=cafe.account)
    handle = await platform.duly.start_collection(account, platform.period, provider=cafe.id)
    await handle.execute_update("first_outcome")
    page: str = await handle.execute_update("open_page", result_type=str)

    await theirs.run("select duly.switch_merchant_payments(:id, false, 'maria', 'a pause')", id=cafe.id)
    signalled = await signal_stopped_pages(platform.database, platform.duly.client)

    async def is_over() -> bool:
        return not await theirs.run("select from duly.stopped_pages(10)")

    await until(is_over)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("open_page")

    assert signalled == 1
    assert await submit(page) == 410
    assert getattr(refused.value.cause, "type", "") == "provider_effective"
    assert platform.charges(cafe.account) == 0


@pytest.mark.nightly
async def test_a_charge_whose_answer_is_outstanding_is_booked_and_no_other_is_made(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    theirs = cafe.client.merchant
    took, waits = [await theirs.account(owes_minor=2500) for _ in range(2)]
    for operation, kind in (
        ("GET /v1/payment_intents", FaultKind.UNAVAILABLE_503),
        ("POST /v1/payment_intents", FaultKind.RESPONSE_LOST),
    ):
        platform.sandbox.add_fault(Fault(operation=operation, kind=kind, probability=1.0))
    first = await platform.duly.start_collection(took, platform.period, provider=cafe.id)

    async def is_charged() -> bool:
        return platform.charges(cafe.account) == 1

    await until(is_charged)
    await disconnect(cafe)
    platform.sandbox.clear_faults()
    await quiet_period_passes(cafe.client.owner_engine)
    await first.signal("gateway_event")

    async def is_booked() -> bool:
        return await theirs.balance(took) == 0

    await until(is_booked)
    second = await platform.duly.start_collection(waits, platform.period, provider=cafe.id)
    outcome = (await second.execute_update("first_outcome"))["outcome"]

    assert outcome == "provider_not_effective"
    assert (platform.charges(cafe.account), await theirs.balance(waits)) == (1, 2500)
    assert await cafe.client.wrong() == []


@pytest.mark.nightly
async def test_a_refund_of_an_account_that_shut_us_out_is_finished_when_it_lets_us_in(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    [payment] = await cafe.client.paid(2500)
    account = await cafe.client.account_of(payment)
    for operation, kind in (
        ("GET /v1/refunds", FaultKind.UNAVAILABLE_503),
        ("POST /v1/refunds", FaultKind.RESPONSE_LOST),
    ):
        platform.sandbox.add_fault(Fault(operation=operation, kind=kind, probability=1.0))
    name = f"rf-{platform.period}"
    asked = await cafe.client.start(payment, 500, name=name)
    platform.sandbox.disconnect(cafe.account)
    await cafe.connection.signal("gateway_event")
    ended = await cafe.connection.result()
    platform.sandbox.clear_faults()
    await cafe.client.workflow(name).signal("gateway_event")
    platform.sandbox.let_in(cafe.account)
    again, _ = await connect(platform.duly, cafe.id, gateway_account=cafe.account)
    await stands(again, "successful")

    async def is_back() -> bool:
        await cafe.client.workflow(name).signal("gateway_event")
        return await cafe.client.merchant.balance(account) == 500

    await until(is_back)

    assert (asked.outcome, ended.reason) == ("unknown", "shut_out")
    assert await cafe.client.wrong() == []
