"""A month of a platform, a merchant on its own account and one that the platform pays: each adds up alone."""

from contextlib import AsyncExitStack

import pytest

from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import STRIPES_DELAYS, Fault, FaultKind
from tests.disputes.test_disputes import charge_of, workflow_of
from tests.merchants.providers.conftest import Platform, connected
from tests.merchants.providers.destinations.conftest import (
    books,
    customer_of,
    paid_by_the_platform,
    reconciled,
    retried,
    transfers,
)
from tests.merchants.providers.test_application_fees import assert_both_add_up, both_reconciled, takes
from tests.merchants.providers.test_fees_of_a_month import CAFE, SHOP, run_month
from tests.payments.paying_by_link import make, submit, terms

REVERSALS = "POST /v1/transfers/{id}/reversals"
AT_ONCE = STRIPES_DELAYS.model_copy(update={"funds": 0})


async def lose(platform: Platform, payment: str) -> None:
    """Let the cardholder dispute a payment on the platform's account, and the bank agree."""
    own, sandbox = platform.own, platform.sandbox
    dispute = str(sandbox.create_dispute(await charge_of(own, payment))["id"])
    sandbox.advance(STRIPES_DELAYS.withdrawal)
    await own.deliver_events()
    await workflow_of(own, dispute).execute_update("first_reading")
    sandbox.close_dispute(dispute, won=False)
    await workflow_of(own, dispute).signal("gateway_event")
    await workflow_of(own, dispute).result()


# Each of its parts is a shorter test in test_destination_charges, test_killed_anywhere and test_moved_by_others.
@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [FaultKind.RESPONSE_LOST, FaultKind.STORED_500_AFTER_EFFECT, FaultKind.STORED_500, None]
)
async def test_both_flows_and_the_platform_add_up_each_alone(platform: Platform, fault: FaultKind | None) -> None:
    sandbox, own = platform.sandbox, platform.own
    sandbox.set_delays(AT_ONCE)
    async with AsyncExitStack() as stack:
        cafe = await stack.enter_async_context(connected(platform, f"cafe-{platform.period}"))
        shop = await stack.enter_async_context(paid_by_the_platform(platform, f"shop-{platform.period}"))
        await takes(cafe, CAFE)
        await takes(shop, SHOP.replace("false", "true"))
        if fault:
            sandbox.add_fault(Fault(operation=REVERSALS, kind=fault, times=2))
        await run_month(platform, cafe, 2500, 1000)
        await own.paid(1500)
        account = await customer_of(platform, shop)
        whole, part, lost, _ = await own.paid(2500, 3300, 1700, 9900, account=account)
        await reconciled(platform, shop, cafe)
        outcomes = [(await own.start(whole)).outcome, (await own.start(part, 1111)).outcome]
        await lose(platform, lost)

        for _ in range(3):
            await reconciled(platform, shop, cafe)
            await retried(platform)
        certificates = await reconciled(platform, shop, cafe)

        assert outcomes == [RefundOutcome.REFUNDED] * 2
        assert await transfers(platform) == [
            ("settled", 2500, 2500, 0),
            ("settled", 3300, 1111, 0),
            ("settled", 1700, 0, 1700),
            ("settled", 9900, 0, 0),
        ]
        # 1.25 %, between 0.30 and 0.60, of which the refunds have given their part back.
        kept = 31 + 41 + 30 + 60 - 31 - 14
        assert await books(platform, "merchant_payables", "due_from_platform") == {}
        assert await books(platform, "platform_fees") == {
            f"platform_fees:{shop.id}": kept,
            f"platform_fees:{cafe.id}": 88 + 50,
        }
        assert await books(platform, "application_fees") == {"application_fees:stripe": -(kept + 88 + 50)}
        lying = await books(platform, "gateway_clearing")
        assert lying[f"gateway_clearing:{shop.id}"] == 2500 + 3300 + 1700 + 9900 - 2500 - 1111 - 1700 - kept
        assert_both_add_up(certificates)
        listed = await own.merchant.run("select kind from duly.discrepancies where state = 'open'")
        assert [row.kind for row in listed] == []
        reversed_minor = sum(
            each.amount_reversed for each in (await own.merchant.stripe.v1.transfers.list_async({"limit": 100})).data
        )
        assert reversed_minor == 2500 + 1111 + 1700
        assert await own.wrong() == []


@pytest.mark.nightly
async def test_a_payment_on_a_page_goes_on_too_and_what_somebody_reverses_reaches_a_person(platform: Platform) -> None:
    async with paid_by_the_platform(platform, f"shop-{platform.period}") as shop:
        account = await customer_of(platform, shop, await platform.own.merchant.account(cards=[]))
        handle, _ = await make(platform.duly, f"link-{platform.period}", terms(account), "stripe")
        page: str = await handle.execute_update("open_page", result_type=str)
        await submit(page)
        await handle.signal("gateway_event")
        await handle.result()
        await reconciled(platform, shop)
        paid = await transfers(platform)
        sdk = platform.own.merchant.stripe
        [transfer] = (await sdk.v1.transfers.list_async()).data
        await sdk.v1.transfers.reversals.create_async(transfer.id, {"amount": 300})
        await both_reconciled(platform)
        certificates = await reconciled(platform, shop)
        listed = await platform.own.merchant.run(
            "select kind, evidence ->> 'code' as code from duly.discrepancies where state = 'open'"
        )

    assert paid == [("settled", 2500, 0, 0)]
    assert [tuple(row) for row in listed] == [("transfer_not_made", "moved_outside")]
    assert await books(platform, "merchant_payables") == {f"merchant_payables:{shop.id}": -300}
    assert [each.difference_minor for one in certificates for each in one.balances] == [0, 0]
