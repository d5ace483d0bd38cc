"""Who pays more than is owed pays the oldest invoices first; the rest is theirs, and can be given back."""

import pytest

from activities.database import Database
from activities.payments.lookup import PaymentLookup
from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import STRIPES_DELAYS, Answer, CardOutcome
from tests.fixtures.refunds import RefundClient
from tests.payments.paying_by_link import make, submit, terms
from tests.runs.test_who_is_due import freeze, frozen
from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly

BECAUSE = ("--actor", "maria", "--reason", "pays ahead")


async def test_more_than_is_owed_settles_the_oldest_invoices_and_its_rest_is_refunded(
    standing_duly: RunningDuly, merchant: Merchant, refunds: RefundClient, database: Database, period: str
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

    # By each of Stripe's ids, of the refund too, before and after it is booked.
    named = await merchant.run(
        "select a.gateway_reference, a.charge_reference from duly.gateway_attempts a"
        " join duly.gateway_requests r on r.id = a.request_id where r.account_id = :account and r.amount_minor <> 2500",
        account=account,
    )
    payments_by = {word[:3]: await PaymentLookup(database).ids(word) for row in named for word in row if word}

    paid_by = await merchant.value("select id from duly.gateway_requests where amount_minor = 4000")
    assert payments_by == {"pi_": [paid_by], "ch_": [paid_by], "re_": [paid_by]}
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


@pytest.mark.usefixtures("workers")
async def test_by_hand_more_than_is_owed_is_charged_when_it_is_said_and_is_refused_otherwise(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    account, free = await merchant.account(owes_minor=2000), await merchant.account()
    asked = ("payments", "create", account, "--amount", "50.00")

    refused = [
        await cli(*asked, "--json", *BECAUSE),
        await cli(*asked, "--prepay", "--hand-over", "--json", *BECAUSE),
        await cli("payments", "create", free, "--amount", "10", "--json", *BECAUSE),
        await cli("payments", "create", free, "--amount", "0.10", "--prepay", "--json", *BECAUSE),
        await cli("payments", "create", free, "--invoice", "INV-1", "--prepay", "--json", *BECAUSE),
        await cli("payments", "create", free, "--amount", "1000000", "--prepay", "--json", *BECAUSE),
    ]
    paid = await cli.json(*asked, "--prepay", "--id", "ahead", *BECAUSE)
    again = await cli.json(*asked, "--prepay", "--id", "ahead", *BECAUSE)
    other = await cli(*asked, "--id", "ahead", "--json", *BECAUSE)
    nothing_owed = await cli.json("payments", "create", free, "--amount", "10", "--prepay", *BECAUSE)
    await freeze(database)

    assert [one.rules[0][1] for one in (*refused, other)] == [
        "amount_collectable",
        "prepayment_of_amount",
        "something_owed",
        "amount_at_least",
        "prepayment_of_amount",
        "amount_at_most",
        "id_means_one_payment",
    ]
    assert "--prepay" in refused[0].stderr
    assert [one["state"] for one in (paid, again, nothing_owed)] == ["succeeded"] * 3
    assert paid["payment"]["number"] == again["payment"]["number"]
    assert [await merchant.balance(each) for each in (account, free)] == [-3000, -1000]
    assert await left(merchant) == dict.fromkeys(await left(merchant), 0)
    assert await frozen(merchant) == {}


@pytest.mark.usefixtures("workers")
async def test_a_prepayment_claims_what_is_owed_and_a_decline_frees_it(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    slow = await merchant.account(answers=[CardOutcome(answer=Answer.PROCESS, after_seconds=3600)], owes_minor=2500)
    broke = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)

    waits = await cli.json("payments", "create", slow, "--amount", "40", "--prepay", *BECAUSE)
    # Paid in another way meanwhile, all of the prepayment is credit.
    await merchant.transfer(slow, 2500)
    lost = await cli.json("payments", "create", broke, "--amount", "40", "--prepay", *BECAUSE)
    await freeze(database)

    assert (waits["state"], lost["state"]) == ("processing", "canceled")
    assert await merchant.value("select count(*) from duly.claims where account_id = :id", id=slow) == 1
    assert await frozen(merchant) == {broke: "2500 EUR, visa 4242"}
