"""What somebody else moved of a payment's transfer counts: nothing is taken back, or given again, a second time."""

from typing import Any

import pytest
from stripe import Transfer

from activities.merchants.transfers import TransferSettlement
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.disputes.test_disputes import charge_of
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.merchants.providers.destinations.conftest import books, customer_of, reconciled, retried, transfers
from tests.merchants.providers.test_application_fees import SHARE, assert_both_add_up, takes

AT_ONCE = STRIPES_DELAYS.model_copy(update={"funds": 0})


async def read_again(platform: Platform) -> None:
    """Let the transfers of every payment be read now, whatever is known of its refunds."""
    run = platform.own.merchant.run
    await run("update duly.merchant_transfers set state = 'pending', next_try_at = clock_timestamp()")
    await TransferSettlement(platform.database, platform.own.gateway).settle("stripe")


async def passed_on(platform: Platform) -> Transfer:
    """The one transfer that there is at the gateway."""
    [transfer] = (await platform.own.merchant.stripe.v1.transfers.list_async()).data
    return transfer


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_refund_of_the_dashboard_that_takes_its_transfer_back_is_not_taken_back_again(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    platform.sandbox.set_delays(AT_ONCE)
    account = await customer_of(platform, shop)
    [payment] = await platform.own.paid(2500, account=account)
    await read_again(platform)
    charge = await charge_of(platform.own, payment)
    refund: Any = {"charge": charge, "amount": 1000, "reverse_transfer": True}
    await platform.own.merchant.stripe.v1.refunds.create_async(refund)

    # Its reversal is read before anybody knows of the refund.
    await read_again(platform)
    meanwhile = await transfers(platform)
    for _ in range(2):
        await reconciled(platform, shop)
        await retried(platform)
    certificates = await reconciled(platform, shop)

    assert meanwhile == [("needs_review", 2500, 0, 0)]
    assert (await passed_on(platform)).amount_reversed == 1000
    assert await transfers(platform) == [("settled", 2500, 1000, 0)]
    assert await books(platform, "merchant_payables", "due_from_platform") == {}
    assert_both_add_up(certificates)


@pytest.mark.nightly
async def test_what_was_reversed_by_hand_is_no_more_there_for_a_refund_of_the_whole(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    platform.sandbox.set_delays(AT_ONCE)
    account = await customer_of(platform, shop)
    [payment] = await platform.own.paid(2500, account=account)
    await reconciled(platform, shop)
    sdk = platform.own.merchant.stripe
    await sdk.v1.transfers.reversals.create_async((await passed_on(platform)).id, {"amount": 300})
    await read_again(platform)

    await platform.own.start(payment)
    for _ in range(2):
        await reconciled(platform, shop)
        await retried(platform)
    certificates = await reconciled(platform, shop)

    assert (await passed_on(platform)).amount_reversed == 2500
    assert await transfers(platform) == [("settled", 2500, 2500, 0)]
    assert_both_add_up(certificates)


async def test_nothing_is_taken_back_of_a_transfer_in_another_currency(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    account = await customer_of(platform, shop)
    await platform.own.paid(2500, account=account)
    [id] = [row.id for row in await platform.own.merchant.run("select id from duly.merchant_transfers")]
    found = {"reference": "tr_1", "connected_reference": "py_1", "amount_minor": 2750, "currency": "USD", "key": ""}
    found |= {"moved_on": "2026-11-30", "is_of_payment": True, "reversals": []}

    order = await platform.database.call("record_transfers", id=id, found={"transfers": [found]})

    [row] = await platform.own.merchant.run("select state, code from duly.merchant_transfers")
    assert (order, tuple(row)) == (None, ("needs_review", "other_currency"))
    assert await books(platform, "merchant_payables") == {f"merchant_payables:{shop.id}": -2500}


@pytest.mark.nightly
async def test_a_fee_that_is_given_back_by_itself_reaches_both_books_by_its_event(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    platform.sandbox.set_delays(AT_ONCE)
    await takes(shop, SHARE + "true")
    account = await customer_of(platform, shop)
    await platform.own.paid(2500, account=account)
    await reconciled(platform, shop)
    sdk = platform.own.merchant.stripe
    [fee] = (await sdk.v1.application_fees.list_async()).data

    await sdk.v1.application_fees.refunds.create_async(fee.id, {"amount": 40})
    checked = await platform.database.call("check_fee", platform_id="stripe", fee=fee.id, charge=str(fee.charge))
    certificates = await reconciled(platform, shop)

    assert checked == {"outcome": "matched"}
    assert await books(platform, "platform_fees", "application_fees") == {
        f"platform_fees:{shop.id}": 48,
        "application_fees:stripe": -48,
    }
    assert_both_add_up(certificates)


async def test_nothing_is_taken_back_while_sending_is_held(platform: Platform, shop: ConnectedMerchant) -> None:
    platform.sandbox.set_delays(AT_ONCE)
    account = await customer_of(platform, shop)
    [payment] = await platform.own.paid(2500, account=account)
    await read_again(platform)
    await platform.own.start(payment, 1000)
    run = platform.own.merchant.run
    await run(
        "insert into duly.sending (provider_id, state, epoch, reason, forgot_since)"
        " values ('stripe', 'held', 1, 'a restore', now())"
    )

    await read_again(platform)
    held = ((await passed_on(platform)).amount_reversed, await transfers(platform))
    await run("delete from duly.sending")
    await read_again(platform)

    assert held == (0, [("pending", 2500, 1000, 0)])
    assert (await passed_on(platform)).amount_reversed == 1000
