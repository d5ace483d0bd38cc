"""A platform gives a fee back by itself, in its dashboard: both books have it, once, whichever is reconciled first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.merchants.providers.test_application_fees import (
    SHARE,
    assert_both_add_up,
    balances,
    both_reconciled,
    takes,
)
from tests.merchants.providers.test_month import reconciled
from tests.reports.conftest import Reports
from tests.support.run_control import until

# Of a sandbox whose clock a test moves on.
A_YEAR = timedelta(days=365)


async def fees(platform: Platform) -> list[Any]:
    """What the platform has taken, the newest first."""
    return list((await platform.own.merchant.stripe.v1.application_fees.list_async()).data)


async def give_back(platform: Platform, fee: Any, amount: int) -> None:
    """Give a part of a fee back, as somebody does in the dashboard."""
    await platform.own.merchant.stripe.v1.application_fees.refunds.create_async(fee.id, {"amount": amount})


async def listed(platform: Platform) -> list[tuple[str, str, str]]:
    """Every discrepancy: provider, kind and state."""
    rows = await platform.own.merchant.run("select provider_id, kind, state from duly.discrepancies order by 1, 2, 3")
    return [tuple(row) for row in rows]


async def assert_both_have(platform: Platform, cafe: ConnectedMerchant, minor: int, currency: str = "EUR") -> None:
    assert await balances(platform, cafe.id) == {f"platform_fees {currency}": minor}
    assert await balances(platform, "stripe") == {f"application_fees {currency}": -minor}
    assert await cafe.client.wrong() == []
    assert await platform.own.wrong() == []


async def assert_reported(platform: Platform, cafe: ConnectedMerchant) -> None:
    """See that the report ties to the ledger, and that the platform has had what it took and did not give back."""
    today = datetime.now(UTC).date()
    report = await Reports(platform.database).run("application-fees", today - A_YEAR, today + A_YEAR)
    assert report.texts("merchant_id", "currency", "charges", "taken", "given_back", "net", "income") == [
        (cafe.id, "EUR", "1", "0.88", "0.18", "0.70", "0.70")
    ]


@pytest.mark.nightly
async def test_a_fee_given_back_by_itself_is_booked_in_both_books_and_operators_hear_of_it(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    await takes(cafe, SHARE + "true")
    await cafe.client.paid(2500)
    [fee] = await fees(platform)
    await give_back(platform, fee, 18)

    assert_both_add_up(await both_reconciled(platform, cafe))

    assert await listed(platform) == [(cafe.id, "application_fee_given_back", "mended")]
    await assert_both_have(platform, cafe, 88 - 18)
    await assert_reported(platform, cafe)


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("is_refund_first", [False, True])
async def test_its_event_has_it_booked_in_both_books_at_once_and_that_of_a_refund_books_nothing_more(
    platform: Platform, cafe: ConnectedMerchant, is_refund_first: bool
) -> None:
    await takes(cafe, SHARE + "true")
    [part] = await cafe.client.paid(2500)
    await both_reconciled(platform, cafe)
    [fee] = await fees(platform)

    # As much as the refund gives back: one event is of each, and only the merchant's account shows of which.
    if not is_refund_first:
        await give_back(platform, fee, 9)
        platform.sandbox.advance(2)
    assert (await cafe.client.start(part, 250)).outcome is RefundOutcome.REFUNDED
    if is_refund_first:
        platform.sandbox.advance(2)
        await give_back(platform, fee, 9)
    await platform.own.deliver_events()

    async def is_booked() -> bool:
        return await balances(platform, cafe.id) == {"platform_fees EUR": 88 - 2 * 9}

    await until(is_booked)
    assert await listed(platform) == [(cafe.id, "application_fee_given_back", "mended")]
    assert await balances(platform, "stripe") == {"application_fees EUR": -(88 - 2 * 9)}
    assert_both_add_up(await both_reconciled(platform, cafe))
    await assert_both_have(platform, cafe, 88 - 2 * 9)


@pytest.mark.nightly
@pytest.mark.parametrize("is_platform_first", [False, True])
async def test_what_a_refund_gives_back_of_a_fee_and_as_much_by_itself_are_both_booked_whoever_is_reconciled_first(
    platform: Platform, cafe: ConnectedMerchant, is_platform_first: bool
) -> None:
    await takes(cafe, SHARE + "true")
    [part] = await cafe.client.paid(2500)
    await both_reconciled(platform, cafe)
    [fee] = await fees(platform)

    # As much as the refund of a tenth gives back by itself, so that only their sum tells the two apart.
    await give_back(platform, fee, 9)
    assert (await cafe.client.start(part, 250)).outcome is RefundOutcome.REFUNDED
    if is_platform_first:
        await reconciled(platform, platform.own)
    first = await both_reconciled(platform, cafe)
    again = await both_reconciled(platform, cafe)

    assert_both_add_up(first)
    assert_both_add_up(again)
    assert (cafe.id, "application_fee_given_back", "mended") in await listed(platform)
    assert {state for _, _, state in await listed(platform)} <= {"mended", "gone"}
    await assert_both_have(platform, cafe, 88 - 2 * 9)
    await assert_reported(platform, cafe)


@pytest.mark.nightly
async def test_all_of_a_fee_in_three_decimals_goes_back_and_a_refund_gives_nothing_more(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    await takes(cafe, SHARE + "true")
    [payment] = await cafe.client.paid(10010, currency="KWD")
    await both_reconciled(platform, cafe)
    [fee] = await fees(platform)

    await give_back(platform, fee, fee.amount)
    certificates = await both_reconciled(platform, cafe)
    refunded = await cafe.client.start(payment)
    certificates += await both_reconciled(platform, cafe)

    assert refunded.outcome is RefundOutcome.REFUNDED
    assert_both_add_up(certificates)
    assert await balances(platform, cafe.id) == await balances(platform, "stripe") == {}
    assert await cafe.client.wrong() == []


@pytest.mark.nightly
async def test_a_fee_of_a_charge_that_no_book_has_is_given_back_and_listed_on_both_sides(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    await cafe.client.merchant.stripe.v1.payment_intents.create_async(
        {
            "amount": 2500,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://example.com",
            "application_fee_amount": 100,
        }
    )
    platform.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    [fee] = await fees(platform)
    await give_back(platform, fee, 100)

    await both_reconciled(platform, cafe)

    assert await listed(platform) == [
        (cafe.id, "foreign_charge", "open"),
        (cafe.id, "unexpected_application_fee_refund", "open"),
        ("stripe", "unexpected_application_fee", "open"),
        ("stripe", "unexpected_application_fee_refund", "open"),
    ]
    assert await balances(platform, cafe.id) == await balances(platform, "stripe") == {}
