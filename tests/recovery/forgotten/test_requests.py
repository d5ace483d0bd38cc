"""A payment request that a restored database has forgotten is found paid by whoever asks again: nobody pays twice."""

from dataclasses import dataclass, replace

import pytest

from activities.collections.collect import CollectActivities
from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.payments.payment_requests import PaymentRequestActivities
from models.gateway.gateway_request import CollectRequest
from models.payments.payment_request import PaymentRequestEnd, PaymentRequestInput, PaymentRequestState
from models.payments.request_terms import PaymentRequestTerms
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import SandboxControl
from tests.payments.paying_by_link import submit, terms
from tests.recovery.conftest import Backup, Books, Watching
from tests.recovery.steps import owner_of, recovered
from tests.support.attempts import charged, request_for
from tests.support.builders import Merchant

ID = "course-7"


async def ask(database: Database, wanted: PaymentRequestTerms) -> str:
    """Ask for a payment as a service does that repeats what it is not sure of; return the receivable's name."""
    return (
        await PaymentRequestActivities(database).open_payment_request(PaymentRequestInput(ID, "stripe", wanted))
    ).period


@dataclass
class Forgotten:
    """A shop that is restored to what it was before a payment request was made and paid."""

    merchant: Merchant
    database: Database
    gateway: StripeGateway
    watching: Watching
    backup: Backup
    server: PostgresServer

    async def paid(self, account: str, wanted: PaymentRequestTerms) -> Books:
        """Take a backup, let a request be made and paid, go back, and recover."""
        bring_back = await self.backup()
        await self.watching(self.database).compare()
        period = await ask(self.database, wanted)
        pages = PaymentPageActivities(
            self.database, self.gateway, Clocks(self.database, self.gateway), "https://duly.example/paid"
        )
        page = await pages.open_page(CollectRequest(account, period, "stripe", attempt=1))
        await submit(page.url)
        books = await bring_back()
        await self.watching(books.database).compare()
        await recovered(books, owner_of(books, self.server))
        return books


@pytest.fixture
def forgotten(
    merchant: Merchant, database: Database, gateway: StripeGateway, watching: Watching, backup: Backup,
    postgres_server: PostgresServer,
) -> Forgotten:  # fmt: skip
    return Forgotten(merchant, database, gateway, watching, backup, postgres_server)


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("of_invoices", [True, False])
@pytest.mark.parametrize("is_mailed", [True, False])
async def test_a_request_that_was_paid_before_the_restore_is_found_paid_by_whoever_asks_again(
    forgotten: Forgotten, stripe_sandbox: SandboxControl, of_invoices: bool, is_mailed: bool
) -> None:
    merchant = forgotten.merchant
    account = await merchant.account(owes_minor=2500)
    await merchant.run("update duly.accounts set email = 'payer@example.com' where id = :a", a=account)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    wanted = terms(account, 0, invoices=(invoice,)) if of_invoices else terms(account)
    wanted = replace(wanted, is_mailed=is_mailed)
    books = await forgotten.paid(account, wanted)

    first, again = [await ask(books.database, wanted) for _ in range(2)]
    stored = await PaymentRequestActivities(books.database).load_payment_request(ID)
    ended = await PaymentRequestActivities(books.database).end_payment_request(
        PaymentRequestEnd(ID, PaymentRequestState.EXPIRED, "expired")
    )

    mailed = await books.merchant.value("select count(*) from duly.messages where kind = 'payment_requested'")
    assert (first == again, stored.payable_minor, stored.amount_minor, mailed) == (True, 0, 2500, 0)
    assert (ended.state, ended.reason) == (PaymentRequestState.PAID, "paid")
    assert (charged(stripe_sandbox), await books.merchant.balance(account)) == ((1, 2500), 0)
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_what_was_paid_by_a_forgotten_page_settles_the_invoices_that_it_named_and_no_older_one(
    forgotten: Forgotten,
) -> None:
    account = await forgotten.merchant.account(owes_minor=2500)
    named = await forgotten.merchant.invoice(account, 900)

    books = await forgotten.paid(account, terms(account, 0, invoices=(named,)))

    unsettled = await books.merchant.run(
        "select transaction_id, allocated_minor from duly.open_items"
        " where account_id = :a and side = 'debit' and allocated_minor < amount_minor",
        a=account,
    )
    assert [(row.transaction_id == named, row.allocated_minor) for row in unsettled] == [(False, 0)]
    assert await books.merchant.run("select invoices from duly.gateway_requests") == [([named],)]
    assert await books.merchant.balance(account) == 2500
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_a_request_that_is_asked_for_again_in_another_month_is_found_paid(forgotten: Forgotten) -> None:
    account = await forgotten.merchant.account()
    books = await forgotten.paid(account, terms(account))
    await books.merchant.run(
        "update duly.gateway_requests set period = '2026-01-' || :id where kind = 'payment'", id=ID
    )

    period = await ask(books.database, terms(account))

    stored = await PaymentRequestActivities(books.database).load_payment_request(ID)
    assert (period, stored.payable_minor) == (f"2026-01-{ID}", 0)


async def test_a_charge_whose_receivable_ends_as_an_id_does_is_no_payment_of_a_request(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(owes_minor=2500)
    await collecting.collect(request_for(account, period=f"2026-10-{ID}"))

    await ask(database, terms(account, 700))

    assert (await PaymentRequestActivities(database).load_payment_request(ID)).payable_minor == 700
