"""A month of a platform that takes its part of two merchants' payments, by rules of their own."""

from contextlib import AsyncExitStack

import pytest

from activities.payments.queries import PaymentQueries
from models.collections.collection import RetryCommand
from sandbox.stripe.control.client import STRIPES_DELAYS, CardOutcome
from tests.disputes.test_disputes import charge_of, workflow_of
from tests.merchants.providers.conftest import ConnectedMerchant, Platform, connected
from tests.merchants.providers.test_application_fees import (
    assert_both_add_up,
    balances,
    both_reconciled,
    takes,
)
from tests.payments.paying_by_link import make, submit, terms
from tests.runs.test_who_is_due import define
from tests.support.builders import declined
from tests.support.run_control import until

CAFE = 'percent = "2.5"\nfixed = { EUR = "0.25" }\nrefunded = true\n'
SHOP = 'percent = "1.25"\nminimum = { EUR = "0.30" }\nmaximum = { EUR = "0.60" }\nrefunded = false\n'


async def run_month(platform: Platform, merchant: ConnectedMerchant, *owes: int) -> list[str]:
    """Let the month's run charge customers of a merchant; return their accounts."""
    theirs = merchant.client.merchant
    accounts = [
        await theirs.account(f"{merchant.id}-{number}", owes_minor=amount) for number, amount in enumerate(owes)
    ]
    await define(theirs, f"due-{merchant.id}", provider_id=merchant.id)
    await (await platform.duly.start_run(f"due-{merchant.id}", platform.period)).result()
    return accounts


async def lose(platform: Platform, merchant: ConnectedMerchant, payment: str) -> None:
    """Let the cardholder dispute a payment on the merchant's account, and the bank agree."""
    client, of = merchant.client, merchant.account
    dispute = str(platform.sandbox.create_dispute(await charge_of(client, payment), account=of)["id"])
    platform.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await client.deliver_events()
    await workflow_of(client, dispute).execute_update("first_reading")
    platform.sandbox.close_dispute(dispute, won=False, account=of)
    await workflow_of(client, dispute).signal("gateway_event")
    await workflow_of(client, dispute).result()


@pytest.mark.nightly
@pytest.mark.slow
async def test_a_platform_and_two_merchants_with_rules_of_their_own_add_up_each_alone(platform: Platform) -> None:
    async with AsyncExitStack() as stack:
        cafe, shop = [
            await stack.enter_async_context(connected(platform, f"{name}-{platform.period}"))
            for name in ("cafe", "shop")
        ]
        await takes(cafe, CAFE)
        await takes(shop, SHOP)
        await run_month(platform, cafe, 2500, 1000)
        await run_month(platform, shop, 2500, 1000, 9900)
        await platform.own.paid(1000)
        [lost] = await cafe.client.paid(4000)
        await lose(platform, cafe, lost)
        [given_back] = await shop.client.paid(4000)
        await shop.client.start(given_back)

        certificates = await both_reconciled(platform, cafe, shop)

        # 63 + 25, 25 + 25 and 100 + 25: a lost dispute gives nothing back. 31, 30, 60 and 50, which is kept.
        assert await balances(platform, cafe.id) == {"platform_fees EUR": 88 + 50 + 125}
        assert await balances(platform, shop.id) == {"platform_fees EUR": 31 + 30 + 60 + 50}
        assert await balances(platform, "stripe") == {"application_fees EUR": -(88 + 50 + 125 + 31 + 30 + 60 + 50)}
        assert_both_add_up(certificates)
        for client in (cafe.client, shop.client, platform.own):
            assert await client.wrong() == []


@pytest.mark.nightly
async def test_an_attempt_after_a_decline_is_by_the_rule_of_its_own_day(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    theirs = cafe.client.merchant
    await takes(cafe, CAFE)
    account = await theirs.account(owes_minor=2500)
    platform.sandbox.script_card(
        await theirs.token(account), declined("insufficient_funds"), CardOutcome(), account=cafe.account
    )
    handle = await platform.duly.start_collection(account, platform.period, provider=cafe.id)
    await handle.execute_update("first_outcome")
    await takes(cafe, SHOP)
    await handle.execute_update("retry_now", RetryCommand("maria", "the customer called"))

    async def is_paid() -> bool:
        return await theirs.balance(account) == 0

    await until(is_paid)
    fees = await theirs.run(
        "select application_fee_minor as fee, refunds_application_fee as back, outcome from duly.gateway_attempts"
        " order by attempt"
    )
    certificates = await both_reconciled(platform, cafe)

    assert [tuple(row) for row in fees] == [(88, True, "declined"), (31, False, "succeeded")]
    assert await balances(platform, "stripe") == {"application_fees EUR": -31}
    assert_both_add_up(certificates)


@pytest.mark.nightly
async def test_a_payment_on_a_page_leaves_the_platforms_part_too(platform: Platform, cafe: ConnectedMerchant) -> None:
    await takes(cafe, CAFE)
    account = await cafe.client.merchant.account(cards=[])
    handle, _ = await make(platform.duly, f"link-{platform.period}", terms(account), cafe.id)
    page: str = await handle.execute_update("open_page", result_type=str)
    await submit(page)
    await handle.signal("gateway_event")
    await handle.result()
    platform.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    certificates = await both_reconciled(platform, cafe)
    [payment] = await PaymentQueries(platform.database).payments(
        [await cafe.client.merchant.value("select id from duly.gateway_requests where account_id = :a", a=account)], 1
    )

    assert payment.application_fee_minor == 88
    assert await balances(platform, cafe.id) == {"platform_fees EUR": 88}
    assert_both_add_up(certificates)


@pytest.mark.nightly
async def test_a_fee_of_a_charge_that_no_book_here_explains_is_listed_and_not_guessed(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    sdk = cafe.client.merchant.stripe
    await sdk.v1.payment_intents.create_async(
        {
            "amount": 2500,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://example.com",
            "application_fee_amount": 100,
        }
    )
    merchants, own = await both_reconciled(platform, cafe)
    rows = await platform.own.merchant.run("select provider_id, kind, state from duly.discrepancies order by kind")

    assert [tuple(row) for row in rows] == [
        (cafe.id, "foreign_charge", "open"),
        ("stripe", "unexpected_application_fee", "open"),
    ]
    assert [each.difference_minor for one in (merchants, own) for each in one.balances] == [0, 0]
