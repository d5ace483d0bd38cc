"""Who pays more by a link than is owed pays the oldest invoices first; the rest is theirs, and can be given back."""

from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.fixtures.refunds import RefundClient
from tests.payments.paying_by_link import make, submit, terms
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly


async def test_more_than_is_owed_settles_the_oldest_invoices_and_its_rest_is_refunded(
    standing_duly: RunningDuly, merchant: Merchant, refunds: RefundClient, period: str
) -> None:
    account = await merchant.account(currency="KWD", cards=[])
    first, second = [await merchant.invoice(account, amount, currency="KWD") for amount in (1005, 2000)]
    handle, _ = await make(
        standing_duly,
        f"ahead-{period}",
        terms(account, 0, currency="KWD", least_minor=1000, most_minor=5000),
    )
    page: str = await handle.execute_update("open_page", {"amount_minor": 2500, "payer": 0}, result_type=str)
    await submit(page)
    await handle.signal("gateway_event")
    await handle.result()
    owed = await left(merchant)

    more, _ = await make(standing_duly, f"more-{period}", terms(account, 4000, currency="KWD"))
    await submit(await more.execute_update("open_page", result_type=str))
    await more.signal("gateway_event")
    await more.result()
    payment = await merchant.value("select transaction_id from duly.gateway_requests where amount_minor = 4000")
    refunds.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    credit = await merchant.balance(account)
    given_back = await refunds.start(payment, 3490)

    assert owed == {first: 0, second: 505}
    assert await left(merchant) == {first: 0, second: 0}
    assert (credit, given_back.outcome, await merchant.balance(account)) == (-3495, RefundOutcome.REFUNDED, -5)
    assert await refunds.wrong() == []


async def left(merchant: Merchant) -> dict[str, int]:
    """What of each invoice is not settled."""
    rows = await merchant.run(
        "select transaction_id, amount_minor - allocated_minor as minor from duly.open_items where side = 'debit'"
        " and transaction_id in (select id from duly.financial_transactions where classification = 'invoice')"
    )
    return {row.transaction_id: row.minor for row in rows}
