"""What is stopped, or done at a gateway, on a platform's account and on a merchant's is booked once, where it was."""

import pytest

from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.runs.providers.stopped_customers import REFUNDS, Customer, moved, quiet_passes, stop, until_owed, wrong
from tests.support.attempts import never_answer
from tests.support.run_control import until

pytestmark = pytest.mark.nightly

HOW = pytest.mark.parametrize("how", ["terminate", "cancel"])


@HOW
async def test_what_a_stopped_collection_had_taken_is_booked_on_either_account(
    platform: Platform, cafe: ConnectedMerchant, how: str
) -> None:
    both = [
        Customer(client, await client.merchant.account(currency="JPY", owes_minor=7000))
        for client in (platform.own, cafe.client)
    ]
    never_answer(platform.sandbox)
    handles = [
        await platform.duly.start_collection(one.account, platform.period, provider=one.client.provider) for one in both
    ]
    for one in both:
        await until(one.has_moved)
    for handle in handles:
        await stop(handle, how)
    platform.sandbox.clear_faults()
    await quiet_passes(both)

    await until_owed(both, 0, 0)

    assert moved(both) == [(1, 7000, 0, 0)] * 2
    assert await wrong(both) == []


@HOW
async def test_refunds_that_were_stopped_and_refunds_of_a_dashboard_are_booked_on_either_account(
    platform: Platform, cafe: ConnectedMerchant, how: str
) -> None:
    both = []
    for client in (platform.own, cafe.client):
        [payment] = await client.paid(7000, currency="JPY")
        both.append(Customer(client, await client.account_of(payment)))
    never_answer(platform.sandbox, operation=REFUNDS)
    for one in both:
        await one.client.start(await one.payment(), 1000, name=one.refund)
    for one in both:
        await stop(one.client.workflow(one.refund), how)
    platform.sandbox.clear_faults()
    for one in both:
        reference = await one.client.merchant.value("select gateway_reference from duly.gateway_requests"
            " where account_id = :a and kind = 'payment'", a=one.account)  # fmt: skip
        await one.client.merchant.stripe.v1.refunds.create_async({"payment_intent": reference, "amount": 2000})
    await quiet_passes(both)

    await until_owed(both, 3000, 3000)

    assert moved(both) == [(1, 7000, 2, 3000)] * 2
    assert await wrong(both) == []
