"""A restored database forgets attempts that the gateway had: they are found by their names, and nobody pays twice."""

import httpx
import pytest
import stripe
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.collections.collect import CollectActivities
from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database, RuleBrokenError
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.gateway_request import CollectOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.recovery.conftest import Backup, Books
from tests.support.attempts import CHARGES, attempts, charged, request_for, until_answered
from tests.support.builders import PERIOD, Merchant, declined


@pytest.fixture
def pages(database: Database, gateway: StripeGateway) -> PaymentPageActivities:
    """The activities of hosted pages."""
    return PaymentPageActivities(database, gateway, Clocks(database, gateway), "https://duly.example/paid")


async def keys(merchant: Merchant) -> list[str]:
    """The idempotency keys of all attempts, without what they begin with: the installation's id."""
    rows = await merchant.run(
        "select substr(a.idempotency_key, length(i.id) + 2) as key from duly.gateway_attempts a, duly.installation i"
        " order by started_at"
    )
    return [row.key for row in rows]


async def pay_on(url: str) -> None:
    async with httpx.AsyncClient() as browser:
        assert (await browser.post(url, data={"card": "pm_card_visa"})).status_code == 303


async def test_keys_and_names_are_made_of_what_the_business_knows(
    merchant: Merchant, collecting: CollectActivities, pages: PaymentPageActivities, stripe_client: stripe.StripeClient
) -> None:
    account = await merchant.account("acc/1", answers=[declined("insufficient_funds")], owes_minor=2500)

    await collecting.collect(request_for(account))
    await pages.open_page(request_for(account, attempt=2))

    installation = await merchant.value("select id from duly.installation")
    (intent,) = (await stripe_client.v1.payment_intents.list_async()).data
    assert await keys(merchant) == ["pay/acc%2F1/2026-11/1", "pay/acc%2F1/2026-11/2"]
    assert intent.metadata.to_dict() == {
        "duly_installation": installation,
        "duly_purpose": "payment",
        "duly_account": "acc/1",
        "duly_period": PERIOD,
        "duly_request": "pay/acc%2F1/2026-11",
        "duly_attempt": f"{installation}/pay/acc%2F1/2026-11/1",
        "duly_invoices": await merchant.value("select number from duly.transaction_numbers where number like 'I%'"),
    }


async def test_a_key_that_no_header_can_carry_is_known_by_its_hash(owner_engine: AsyncEngine) -> None:
    key = text("select duly.attempt_key(:subject, 2)")

    async with owner_engine.connect() as connection:
        long = (await connection.execute(key, {"subject": "pay/acc/" + "x" * 250})).scalar_one()
        foreign = (await connection.execute(key, {"subject": "pay/acc/März"})).scalar_one()

    assert len(long) < 100
    assert foreign.isascii()
    assert len({long, foreign}) == 2


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("decline_code", ["", "insufficient_funds"])
async def test_what_was_forgotten_is_answered_again_under_the_same_key(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, backup: Backup, decline_code: str
) -> None:
    answers = [declined(decline_code)] if decline_code else []
    account = await merchant.account(answers=answers, owes_minor=2500)
    bring_back = await backup()
    was = await collecting.collect(request_for(account))
    books = await bring_back()

    again = await books.collecting.collect(request_for(account))

    assert (again.outcome, again.gateway_reference) == (was.outcome, was.gateway_reference)
    assert charged(stripe_sandbox) == ((0, 0) if decline_code else (1, 2500))
    assert await books.wrong() == []


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(("more", "balance"), [(-500, -500), (900, 900)])
async def test_a_forgotten_payment_of_another_amount_is_booked_as_it_was(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, backup: Backup,
    more: int, balance: int,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await collecting.collect(request_for(account))
    books = await bring_back()
    if more > 0:
        await books.merchant.invoice(account, more)
    else:
        await books.merchant.transfer(account, -more)

    found = await until_answered(books.collecting, request_for(account))

    assert (found.outcome, found.amount_minor) == (CollectOutcome.SETTLED, 2500)
    assert charged(stripe_sandbox) == (1, 2500)
    assert await books.merchant.balance(account) == balance
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_forgotten_attempts_are_found_one_after_the_other_until_the_payment_among_them(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, backup: Backup
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    bring_back = await backup()
    for attempt in (1, 2):
        await collecting.collect(request_for(account, attempt))
    books = await bring_back()
    await books.merchant.invoice(account, 900)

    found = [await until_answered(books.collecting, request_for(account, attempt)) for attempt in (1, 2)]

    assert [each.outcome for each in found] == [CollectOutcome.DECLINED, CollectOutcome.SETTLED]
    assert charged(stripe_sandbox) == (1, 2500)
    assert await books.merchant.balance(account) == 900
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_a_payment_on_a_forgotten_page_is_found_by_the_charge_that_has_its_number(
    merchant: Merchant, collecting: CollectActivities, pages: PaymentPageActivities, stripe_sandbox: SandboxControl,
    backup: Backup,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await pay_on((await pages.open_page(request_for(account))).url)
    books = await bring_back()

    found = await until_answered(books.collecting, request_for(account))

    assert found.outcome == CollectOutcome.SETTLED
    assert charged(stripe_sandbox) == (1, 2500)
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_a_forgotten_page_that_could_still_be_paid_is_closed_before_another_attempt(
    merchant: Merchant, pages: PaymentPageActivities, stripe_sandbox: SandboxControl, backup: Backup
) -> None:
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    page = await pages.open_page(request_for(account))
    books = await bring_back()

    closed = await until_answered(books.collecting, request_for(account))
    charge = await books.collecting.collect(request_for(account, 2))

    async with httpx.AsyncClient() as browser:
        assert (await browser.post(page.url, data={"card": "pm_card_visa"})).status_code >= 400
    assert (closed.outcome, charge.outcome) == (CollectOutcome.DID_NOT_HAPPEN, CollectOutcome.SETTLED)
    assert charged(stripe_sandbox) == (1, 2500)
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_no_page_is_opened_where_a_forgotten_charge_has_paid(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, backup: Backup
) -> None:
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await collecting.collect(request_for(account))
    books = await bring_back()

    with pytest.raises(RuleBrokenError, match="attempt 1 was made before: succeeded"):
        await books.pages.open_page(request_for(account))

    assert await attempts(books.merchant, account) == [(1, "succeeded")]
    assert await books.merchant.balance(account) == 0
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_a_key_that_was_used_for_another_customer_is_never_believed_to_be_absent(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, backup: Backup,
    stripe_client: stripe.StripeClient,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await collecting.collect(request_for(account))
    books = await bring_back()
    await new_customer(books, account, stripe_client)

    refused = [await failure_of(books, account) for _ in range(3)]

    assert refused == ["key_used"] * 3
    assert await attempts(books.merchant, account) == [(1, "unknown")]
    assert charged(stripe_sandbox) == (1, 2500)
    assert stripe_sandbox.request_counts()[CHARGES] == 2


async def new_customer(books: Books, account: str, client: stripe.StripeClient) -> None:
    """Let the account have another customer at the gateway, and another card, than it had."""
    customer = await client.v1.customers.create_async({})
    known = await books.merchant.value(
        "select customer_reference from duly.gateway_customers where account_id = :account", account=account
    )
    await books.database.call(
        "note_customer", provider_id="stripe", account_id=account, customer=customer.id, deleted=known
    )
    await books.merchant.card(account, "pm_card_visa")


async def failure_of(books: Books, account: str) -> str:
    with pytest.raises(ApplicationError) as failed:
        await books.collecting.collect(request_for(account))
    return failed.value.message
