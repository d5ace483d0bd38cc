"""A payment that the platform takes for a merchant: passed on, with both books, to the minor unit."""

import pytest

from commands.merchants.payers import transfers_shown
from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import STRIPES_DELAYS, Fault, FaultKind
from tests.disputes.test_disputes import charge_of, workflow_of
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.merchants.providers.destinations.conftest import books, customer_of, reconciled, retried, transfers
from tests.merchants.providers.test_application_fees import SHARE, assert_both_add_up, both_reconciled, takes

FUNDS_AT_ONCE = STRIPES_DELAYS.model_copy(update={"funds": 0})
NAMES = ("merchant_payables", "due_from_platform", "platform_fees", "application_fees", "gateway_fees")


async def test_a_payment_goes_on_to_the_merchant_less_the_platforms_part(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    await takes(shop, SHARE + "true")
    account = await customer_of(platform, shop)

    await platform.own.paid(2500, account=account)
    owed = await books(platform, *NAMES)
    _, owed_to_it, unsettled = await transfers_shown(platform.database, shop.id)
    await platform.own.paid(1000)
    certificates = await reconciled(platform, shop)

    assert owed == {f"merchant_payables:{shop.id}": -2500, f"due_from_platform:{shop.id}": 2500}
    assert (owed_to_it, [row[1:4] for row in unsettled]) == (["25.00 EUR"], [("pending", "", "25.00 EUR")])
    assert (await transfers_shown(platform.database, shop.id))[1:] == ([], [])
    assert await books(platform, *NAMES) == {
        f"platform_fees:{shop.id}": 88,
        "application_fees:stripe": -88,
        "gateway_fees:stripe": 103 + 59,
    }
    assert await books(platform, "gateway_clearing") == {
        f"gateway_clearing:{shop.id}": 2500 - 88,
        "gateway_clearing:stripe": 2500 - 103 - 2500 + 88 + 1000 - 59,
    }
    assert_both_add_up(certificates)


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(("refunded", "left"), [("true", 53), ("false", 88)])
async def test_a_refund_is_taken_back_of_the_merchant_to_the_minor_unit(
    platform: Platform, shop: ConnectedMerchant, refunded: str, left: int
) -> None:
    await takes(shop, SHARE + refunded)
    account = await customer_of(platform, shop)
    whole, part = await platform.own.paid(2500, 2500, account=account)

    outcomes = [(await platform.own.start(whole)).outcome]
    outcomes += [(await platform.own.start(part, amount)).outcome for amount in (333, 667)]
    certificates = await reconciled(platform, shop)

    assert outcomes == [RefundOutcome.REFUNDED] * 3
    kept = left if refunded == "true" else 2 * left
    assert await books(platform, *NAMES) == {
        f"platform_fees:{shop.id}": kept,
        "application_fees:stripe": -kept,
        "gateway_fees:stripe": 2 * 103,
    }
    assert (await books(platform, "gateway_clearing"))[f"gateway_clearing:{shop.id}"] == 1500 - kept
    assert_both_add_up(certificates)
    assert await transfers(platform) == [("settled", 2500, 2500, 0), ("settled", 2500, 1000, 0)]


async def test_a_merchant_that_has_no_money_left_owes_it_until_it_has(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    platform.sandbox.set_delays(FUNDS_AT_ONCE)
    account = await customer_of(platform, shop)
    [payment] = await platform.own.paid(2500, account=account)
    await both_reconciled(platform)
    platform.sandbox.pay_out(shop.account)

    refunded = await platform.own.start(payment, 1000)
    await both_reconciled(platform)
    lacking = (await transfers(platform), await books(platform, "merchant_payables", "due_from_platform"))
    await platform.own.paid(4000, account=account)
    await both_reconciled(platform)
    await retried(platform)
    certificates = await reconciled(platform, shop)

    assert refunded.outcome is RefundOutcome.REFUNDED
    assert lacking == (
        [("lacks_balance", 2500, 1000, 0)],
        {f"merchant_payables:{shop.id}": 1000, f"due_from_platform:{shop.id}": -1000},
    )
    assert await transfers(platform) == [("settled", 2500, 1000, 0), ("settled", 4000, 0, 0)]
    assert await books(platform, "merchant_payables", "due_from_platform") == {}
    assert_both_add_up(certificates)


async def test_a_lost_dispute_is_taken_back_and_what_is_won_after_that_is_given_again(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    own, sandbox = platform.own, platform.sandbox
    sandbox.set_delays(FUNDS_AT_ONCE)
    await takes(shop, SHARE + "true")
    account = await customer_of(platform, shop)
    payment, _ = await own.paid(2500, 1000, account=account)
    await own.paid(9000)
    await both_reconciled(platform)
    dispute = str(sandbox.create_dispute(await charge_of(own, payment))["id"])
    sandbox.advance(STRIPES_DELAYS.withdrawal)
    await own.deliver_events()
    await workflow_of(own, dispute).execute_update("first_reading")
    sandbox.close_dispute(dispute, won=False)
    await workflow_of(own, dispute).signal("gateway_event")
    await workflow_of(own, dispute).result()
    await reconciled(platform, shop)
    lost = (await transfers(platform), await books(platform, "gateway_clearing"))

    sandbox.overturn_dispute(dispute)
    await own.deliver_events()
    await own.deliver_events()
    certificates = await reconciled(platform, shop)

    assert lost[0] == [("settled", 2500, 0, 2500), ("settled", 1000, 0, 0)]
    # The platform keeps its part of what was lost, as on merchants' own accounts.
    assert lost[1][f"gateway_clearing:{shop.id}"] == 1000 - 50 - 88
    assert await transfers(platform) == [("settled", 2500, 0, 0), ("settled", 1000, 0, 0)]
    assert (await books(platform, "gateway_clearing"))[f"gateway_clearing:{shop.id}"] == 3500 - 50 - 88
    assert_both_add_up(certificates)


@pytest.mark.nightly
async def test_an_attempt_whose_answer_was_lost_goes_on_to_the_same_merchant_once(
    platform: Platform, shop: ConnectedMerchant
) -> None:
    await takes(shop, SHARE + "true")
    account = await customer_of(platform, shop)
    platform.sandbox.add_fault(Fault(operation="POST /v1/payment_intents", kind=FaultKind.RESPONSE_LOST, times=1))

    await platform.own.paid(2500, account=account)
    # Whose payments are taken from now on changes nothing of what was.
    await platform.own.merchant.run("select duly.release_payer(:m, :a, 'maria', 'moved')", m=shop.id, a=account)
    certificates = await reconciled(platform, shop)
    [transfer] = (await platform.own.merchant.stripe.v1.transfers.list_async()).data

    assert platform.charges() == 1
    assert (transfer.destination, transfer.amount, transfer.amount_reversed) == (shop.account, 2500, 0)
    assert await transfers(platform) == [("settled", 2500, 0, 0)]
    assert_both_add_up(certificates)
