"""What people do in the dashboards of two gateways is found at each, with its provider and currency."""

from typing import Any

import pytest

from tests.fixtures.refunds import RefundClient
from tests.reconciliation.payouts.test_payouts import AT_ONCE
from tests.runs.providers.conftest import TwoProviders
from tests.runs.providers.test_two_providers import reconciled
from tests.support.run_control import until

Discrepancy = tuple[str, str, str, str, int, str]


async def listed(two: TwoProviders) -> set[Discrepancy]:
    """Each discrepancy: its provider, kind and state, whose it is, and how much."""
    rows = await two.first.merchant.run(
        "select provider_id, kind, state, account_id, amount_minor, currency from duly.discrepancies"
    )
    return {tuple(row) for row in rows}


async def paid(two: TwoProviders, client: RefundClient, account: str) -> str:
    """Let an account pay what it owes; return the gateway's payment."""
    handle = await two.duly.start_collection(account, two.period, provider=client.provider)
    await handle.result()
    return str(
        await client.merchant.value(
            "select gateway_reference from duly.gateway_requests where account_id = :a and kind = 'payment'", a=account
        )
    )


async def charge(client: RefundClient, account: str, amount: int, currency: str) -> None:
    """Charge an account's customer in the dashboard."""
    customer = await client.merchant.value(
        "select customer_reference from duly.gateway_customers where account_id = :a", a=account
    )
    asked: Any = {
        "amount": amount,
        "currency": currency.lower(),
        "customer": customer,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "payment_method": await client.merchant.token(account),
    }
    await client.merchant.stripe.v1.payment_intents.create_async(asked)


async def test_payments_and_refunds_made_in_two_dashboards_are_booked_where_they_were_made(two: TwoProviders) -> None:
    euros = await two.first.merchant.account(owes_minor=5000)
    yen = await two.second.merchant.account(currency="JPY", owes_minor=7000)
    references = [await paid(two, two.first, euros), await paid(two, two.second, yen)]
    for client, reference, amount in zip((two.first, two.second), references, (1000, 2000), strict=True):
        await client.merchant.stripe.v1.refunds.create_async({"payment_intent": reference, "amount": amount})
    await charge(two.first, euros, 900, "EUR")
    await charge(two.second, yen, 800, "JPY")

    certificates = [await reconciled(two, client) for client in (two.first, two.second)]

    async def balances() -> tuple[int, int]:
        return await two.first.merchant.balance(euros), await two.first.merchant.balance(yen)

    async def is_posted() -> bool:
        return await balances() == (100, 1200)

    await until(is_posted)
    assert await listed(two) == {
        ("stripe", "unbooked_charge", "mended", euros, 900, "EUR"),
        ("stripe", "unbooked_refund", "mended", euros, 1000, "EUR"),
        ("other", "unbooked_charge", "mended", yen, 800, "JPY"),
        ("other", "unbooked_refund", "mended", yen, 2000, "JPY"),
    }
    assert [one.open_discrepancies for one in certificates] == [0, 0]
    assert (await two.first.wrong(), await two.second.wrong()) == ([], [])


@pytest.mark.nightly
async def test_a_dispute_and_a_payout_of_the_second_gateway_are_found_there(two: TwoProviders) -> None:
    yen = await two.second.merchant.account(currency="JPY", owes_minor=7000)
    two.second.sandbox.set_delays(AT_ONCE)
    reference = await paid(two, two.second, yen)
    sdk = two.second.merchant.stripe.v1
    (payout,) = two.second.sandbox.pay_out()
    intent = await sdk.payment_intents.retrieve_async(reference)
    two.second.sandbox.create_dispute(str(intent.latest_charge))

    certificates = [await reconciled(two, client) for client in (two.first, two.second)]
    # The reconciliation starts the dispute's workflow, which reads it then.
    await until(lambda: two.first.merchant.value("select exists (select from duly.disputes)"))
    disputes = await two.first.merchant.run("select provider_id, state from duly.disputes")
    payouts = await two.first.merchant.run("select provider_id, id, currency from duly.gateway_payouts")

    assert [tuple(row) for row in disputes] == [("other", "open")]
    assert [tuple(row) for row in payouts] == [("other", payout["id"], "JPY")]
    assert {found[:2] for found in await listed(two)} == {("other", "unbooked_dispute")}
    assert certificates[0].discrepancies == ()
    assert certificates[1].in_transit[0].currency == "JPY"
