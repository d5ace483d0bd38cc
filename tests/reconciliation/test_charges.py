"""Charges and refunds at the gateway against the ledger: what agrees is certified, what nobody booked is found."""

import asyncio

import pytest
from sqlalchemy import text

from activities.reconciliation import confirming
from models.workflow_ids import mailing_id, reconciliation_id, refund_id
from sandbox.stripe.control.client import Delays
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay, pay_in_the_dashboard
from tests.support.attempts import never_answer


async def test_a_day_on_which_everything_is_booked_agrees(reconciling: ReconciliationClient, period: str) -> None:
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)

    certificate = await reconciling.reconcile()

    assert [(t.kind, t.state, t.movements, t.amount_minor) for t in certificate.totals] == [
        ("charge", "matched", 1, 2500)
    ]
    assert (certificate.open_discrepancies, [one.difference_minor for one in certificate.balances]) == (0, [0])
    assert await reconciling.discrepancies() == []


@pytest.mark.nightly
async def test_twice_is_once(reconciling: ReconciliationClient, period: str) -> None:
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)

    first = await reconciling.reconcile()
    second = await reconciling.reconcile()

    assert (first.round, second.round, first.totals) == (1, 2, second.totals)


async def test_a_fee_that_came_late_is_booked(reconciling: ReconciliationClient, period: str) -> None:
    reconciling.sandbox.set_delays(Delays(balance_transaction=60))
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)
    reconciling.sandbox.advance(61)

    certificate = await reconciling.reconcile()

    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])
    assert await reconciling.discrepancies() == []


async def test_what_a_terminated_collection_had_taken_is_adopted(
    reconciling: ReconciliationClient, period: str
) -> None:
    sandbox = reconciling.sandbox
    account = await reconciling.merchant.account(owes_minor=2500)
    never_answer(sandbox)
    handle = await reconciling.duly.start_collection(account, period)
    while not sandbox.movements().totals:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await handle.terminate("it hangs")
    sandbox.clear_faults()
    await backdate_attempts(reconciling)

    certificate = await reconciling.reconcile()

    assert [(d.kind, d.state, d.account_id) for d in await reconciling.discrepancies()] == [
        ("unbooked_charge", "mended", account)
    ]
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])
    assert await reconciling.merchant.balance(account) == 0


async def backdate_attempts(reconciling: ReconciliationClient) -> None:
    """Let the attempts have been sent before what counts as under way."""
    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(text("update duly.gateway_attempts set sent_at = sent_at - interval '20 minutes'"))


async def test_a_payment_made_in_the_dashboard_is_booked_to_its_customer(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account(owes_minor=2500)
    await pay_in_the_dashboard(reconciling, account, 2500)

    certificate = await reconciling.reconcile()

    assert [(d.kind, d.state) for d in await reconciling.discrepancies()] == [("unbooked_charge", "mended")]
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])
    assert await reconciling.merchant.balance(account) == 0


async def test_a_payment_that_nobody_booked_settles_the_invoice_that_the_gateway_keeps_with_it(
    reconciling: ReconciliationClient,
) -> None:
    account = await reconciling.merchant.account(owes_minor=2500)
    named = await reconciling.merchant.invoice(account, 900)
    number = await reconciling.merchant.value(
        "select number from duly.transaction_numbers where transaction_id = :id", id=named
    )
    await pay_in_the_dashboard(reconciling, account, 900, metadata={"duly_invoices": number})

    await reconciling.reconcile()

    settled = await reconciling.merchant.run(
        "select transaction_id from duly.open_items where account_id = :a and side = 'debit' and allocated_minor > 0",
        a=account,
    )
    assert [row.transaction_id for row in settled] == [named]


async def test_payments_of_no_customer_of_ours_are_listed_on_whichever_page_and_not_booked(
    reconciling: ReconciliationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirming, "CANDIDATES", 1)
    stranger = await reconciling.stripe.v1.customers.create_async({})
    for amount_minor in (900, 700):
        await pay(reconciling, stranger.id, amount_minor)

    certificate = await reconciling.reconcile()

    found = [(d.kind, d.state, d.amount_minor) for d in await reconciling.discrepancies()]
    assert sorted(found) == [("foreign_charge", "open", 700), ("foreign_charge", "open", 900)]
    assert certificate.open_discrepancies == 2


async def test_operators_are_notified_of_what_each_round_of_a_day_finds(reconciling: ReconciliationClient) -> None:
    stranger, notified = await reconciling.stripe.v1.customers.create_async({}), []
    for amount_minor in (900, 700):
        await pay(reconciling, stranger.id, amount_minor)
        certificate = await reconciling.reconcile()
        name = f"{reconciliation_id('stripe', f'{certificate.day}')}/{certificate.round}"
        mailing = reconciling.duly.client.get_workflow_handle(mailing_id(name))
        notified.append((certificate.round, certificate.open_discrepancies, (await mailing.describe()).workflow_type))

    assert notified == [(1, 1, "Mailing"), (2, 2, "Mailing")]


async def test_a_receivable_that_is_paid_twice_is_listed_with_what_to_refund(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    reference = await reconciling.paid(account, period)
    intent = await reconciling.stripe.v1.payment_intents.retrieve_async(reference)
    await pay_in_the_dashboard(reconciling, account, 2500, metadata=intent.metadata.to_dict())

    await reconciling.reconcile()

    (found,) = await reconciling.discrepancies()
    assert (found.kind, found.state, found.amount_minor, found.account_id) == ("double_charge", "open", 2500, account)
    assert (await reconciling.merchant.balance(account), await reconciling.wrong()) == (-2500, [])


async def test_a_refund_made_in_the_dashboard_is_booked_on_its_payment(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    reference = await reconciling.paid(account, period)
    await reconciling.stripe.v1.refunds.create_async({"payment_intent": reference, "amount": 1000})

    certificate = await reconciling.reconcile()
    await reconciling.until_owed(account, 1000)

    assert [(d.kind, d.state) for d in await reconciling.discrepancies()] == [("unbooked_refund", "mended")]
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])


async def test_a_refund_in_the_dashboard_whose_money_has_not_moved_is_watched_from_then_on(
    reconciling: ReconciliationClient, period: str
) -> None:
    reference = await reconciling.paid(await reconciling.merchant.account(), period)
    reconciling.sandbox.set_delays(Delays(balance_transaction=3600))
    await reconciling.stripe.v1.refunds.create_async({"payment_intent": reference, "amount": 500})

    await reconciling.reconcile()

    name = await reconciling.merchant.value("select id from duly.gateway_requests where kind = 'refund'")
    watched = await reconciling.duly.client.get_workflow_handle(refund_id(name)).describe()
    assert watched.workflow_type == "Refund"
