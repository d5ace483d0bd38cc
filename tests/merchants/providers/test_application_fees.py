"""A platform takes its part of payments on its merchants' accounts, and both books say the same to the minor unit."""

from typing import Any

import pytest

from models.reconciliation.reconciliation import ReconciliationCertificate
from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import STRIPES_DELAYS, Fault, FaultKind
from tests.merchants.providers.conftest import ConnectedMerchant, Platform
from tests.merchants.providers.test_month import reconciled
from tests.support.builders import configure

RULE = """
[[providers]]
id = "{id}"
mode = "test"
merchant = "{id}"
currencies = ["EUR", "JPY", "KWD"]
payment_methods = ["{method}"]
[providers.application_fee]
{rule}
"""
SHARE = 'percent = "2.5"\nfixed = { EUR = "0.25" }\nrefunded = '


async def takes(merchant: ConnectedMerchant, rule: str) -> None:
    """Let the platform take a part of the merchant's payments from now on."""
    theirs = merchant.client.merchant
    await configure(theirs.engine, RULE.format(id=merchant.id, method=theirs.method, rule=rule))


async def both_reconciled(platform: Platform, *merchants: ConnectedMerchant) -> list[ReconciliationCertificate]:
    """Reconcile the merchants' accounts, and then the platform's."""
    platform.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    clients = [*(each.client for each in merchants), platform.own]
    return [await reconciled(platform, client) for client in clients]


async def balances(platform: Platform, provider: str) -> dict[str, int]:
    """The platform's part in a provider's book, by account and currency: debits less credits, in minor units."""
    rows = await platform.own.merchant.run(
        "select ledger_account, currency, debit_minor - credit_minor as minor from duly.trial_balance()"
        " where ledger_account = any(:names)",
        names=[f"platform_fees:{provider}", f"application_fees:{provider}"],
    )
    return {f"{row.ledger_account.split(':')[0]} {row.currency}": row.minor for row in rows if row.minor}


def assert_both_add_up(certificates: list[ReconciliationCertificate]) -> None:
    for one in certificates:
        assert one.open_discrepancies == 0
        assert [each.difference_minor for each in one.balances] == [0] * len(one.balances)


@pytest.mark.nightly
async def test_what_the_platform_takes_is_the_merchants_cost_and_the_platforms_income(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    await takes(cafe, SHARE + "true")

    await cafe.client.paid(2500)
    await cafe.client.paid(1000, currency="JPY")
    await cafe.client.paid(10010, currency="KWD")
    await platform.own.paid(1000)
    certificates = await both_reconciled(platform, cafe)

    assert await balances(platform, cafe.id) == {
        "platform_fees EUR": 88,
        "platform_fees JPY": 25,
        "platform_fees KWD": 250,
    }
    assert await balances(platform, "stripe") == {
        "application_fees EUR": -88,
        "application_fees JPY": -25,
        "application_fees KWD": -250,
    }
    assert_both_add_up(certificates)
    assert await cafe.client.wrong() == []
    assert await platform.own.wrong() == []


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(("refunded", "left"), [("true", 53), ("false", 88)])
async def test_a_refund_gives_the_fee_back_pro_rata_where_the_rule_says_so(
    platform: Platform, cafe: ConnectedMerchant, refunded: str, left: int
) -> None:
    await takes(cafe, SHARE + refunded)
    [whole] = await cafe.client.paid(2500)
    [part] = await cafe.client.paid(2500)
    # A rule that changes afterwards changes nothing of what was taken.
    await takes(cafe, SHARE + ("false" if refunded == "true" else "true"))

    outcomes = [(await cafe.client.start(whole)).outcome]
    outcomes += [(await cafe.client.start(part, amount)).outcome for amount in (500, 500)]
    certificates = await both_reconciled(platform, cafe)

    assert outcomes == [RefundOutcome.REFUNDED] * 3
    expected = left if refunded == "true" else 2 * left
    assert await balances(platform, cafe.id) == {"platform_fees EUR": expected}
    assert await balances(platform, "stripe") == {"application_fees EUR": -expected}
    assert_both_add_up(certificates)
    assert await cafe.client.wrong() == []
    assert await platform.own.wrong() == []


@pytest.mark.nightly
async def test_an_attempt_whose_answer_was_lost_is_sent_again_with_the_fee_that_it_had(
    platform: Platform, cafe: ConnectedMerchant
) -> None:
    await takes(cafe, SHARE + "true")
    platform.sandbox.add_fault(Fault(operation="POST /v1/payment_intents", kind=FaultKind.RESPONSE_LOST, times=1))

    await cafe.client.paid(2500)
    sent: Any = await platform.own.merchant.run(
        "select application_fee_minor, refunds_application_fee from duly.gateway_attempts"
    )
    certificates = await both_reconciled(platform, cafe)

    assert [(row.application_fee_minor, row.refunds_application_fee) for row in sent] == [(88, True)]
    assert platform.charges(cafe.account) == 1
    assert await balances(platform, "stripe") == {"application_fees EUR": -88}
    assert_both_add_up(certificates)
