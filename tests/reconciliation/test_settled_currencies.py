"""A gateway account that settles in another currency than customers pay: its fees and balances are the ledger's."""

from collections import Counter

import pytest

from activities.reconciliation.balances import in_one_unit
from models.gateway.gateway_request import CollectResult
from models.reconciliation.reconciliation import BalanceComparison
from sandbox.reconciliation import clearing_balances
from sandbox.stripe.control.client import AccountSettings
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.payouts.test_payouts import AT_ONCE

CUSTOMERS = (("EUR", 2501), ("EUR", 99_999), ("EUR", 50), ("JPY", 1234), ("KWD", 7770))
RATES = {
    "usd": {"eur": 1.08371, "jpy": 0.64283, "kwd": 0.32517},
    "gbp": {"eur": 0.83459, "jpy": 0.51937, "kwd": 0.26019},
    "jpy": {"eur": 1.63127, "kwd": 0.48811},
}


async def paid_by_all(reconciling: ReconciliationClient, period: str) -> list[str]:
    """Let a customer pay in each currency; return the payments' gateway references."""
    references = []
    for currency, amount_minor in CUSTOMERS:
        account = await reconciling.merchant.account(currency=currency, owes_minor=amount_minor)
        handle = await reconciling.duly.start_collection(account, period)
        first = await handle.execute_update("first_outcome", result_type=CollectResult)
        references.append(first.gateway_reference)
    return references


async def fees_at_the_gateway(reconciling: ReconciliationClient) -> Counter[str]:
    """Every fee that the gateway has taken, by currency in its own units."""
    fees: Counter[str] = Counter()
    page = await reconciling.stripe.v1.balance_transactions.list_async({"limit": 100})
    async for booking in page.auto_paging_iter():
        fees[booking.currency.upper()] += booking.fee
    return +fees


async def fees_in_the_ledger(reconciling: ReconciliationClient) -> Counter[str]:
    rows = await reconciling.merchant.run(
        "select currency, sum(debit_minor - credit_minor)::bigint as minor from duly.ledger_entries"
        " where ledger_account = 'gateway_fees:stripe' group by 1"
    )
    return +Counter({row.currency: row.minor for row in rows})


async def cleared(reconciling: ReconciliationClient) -> dict[str, int]:
    clearing = await clearing_balances(reconciling.database, "stripe")
    return {currency: minor for currency, minor in clearing.items() if minor}


async def balances(reconciling: ReconciliationClient) -> dict[str, int]:
    found = await reconciling.gateway.balances()
    return {currency: minor for currency, minor in found.items() if minor}


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("settled", RATES)
async def test_fees_and_balances_of_every_kind_of_movement_are_those_of_the_gateway(
    reconciling: ReconciliationClient, period: str, settled: str
) -> None:
    sandbox = reconciling.sandbox
    sandbox.set_delays(AT_ONCE)
    sandbox.set_account_settings(AccountSettings(settlement_currency=settled, exchange_rates=RATES[settled]))
    first, second, third, *_ = await paid_by_all(reconciling, period)
    await reconciling.stripe.v1.refunds.create_async({"payment_intent": first, "amount": 777})
    returned = await reconciling.stripe.v1.refunds.create_async({"payment_intent": second, "amount": 12_345})
    sandbox.fail_refund(returned.id)
    charge = await reconciling.stripe.v1.payment_intents.retrieve_async(third)
    dispute = sandbox.create_dispute(str(charge.latest_charge))
    await reconciling.reconcile()
    sandbox.close_dispute(str(dispute["id"]), won=False)
    sandbox.pay_out()

    certificate = await reconciling.reconcile()

    assert certificate.open_discrepancies == 0
    assert [one.difference_minor for one in certificate.balances] == [0] * len(certificate.balances)
    assert await fees_in_the_ledger(reconciling) == await fees_at_the_gateway(reconciling) != Counter()
    assert await cleared(reconciling) == await balances(reconciling)
    assert await reconciling.merchant.run("select * from duly.invariant_violations") == []


def test_of_a_currency_in_which_the_gateway_is_finer_whole_units_and_parts_are_one_balance() -> None:
    whole = BalanceComparison("ISK", gateway_minor=5, ledger_minor=3, unbooked_minor=1)
    part = BalanceComparison("isk", gateway_minor=50, ledger_minor=130, unbooked_minor=20)
    euro = BalanceComparison("EUR", gateway_minor=7, ledger_minor=7, unbooked_minor=0)

    joined = in_one_unit({"ISK": whole, "isk": part, "EUR": euro})

    assert joined == {"EUR": euro, "isk": BalanceComparison("isk", 550, 430, 120)}
    assert joined["isk"].difference_minor == 0
