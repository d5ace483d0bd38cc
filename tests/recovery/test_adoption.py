"""What a restored database has forgotten is read at the gateway and written down again, then sending goes on."""

from datetime import timedelta

import pytest
import stripe
from aiolimiter import AsyncLimiter

from activities.collections.collect import CollectActivities
from activities.collections.payment_pages import PaymentPageActivities
from activities.database import Database
from activities.gateway.clocks import Clocks
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.adoption import Adoption
from activities.refunds.refunds import RefundActivities
from models.gateway.gateway_request import CollectOutcome
from models.refunds.refund import RefundAttempt, RefundOrder
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import STRIPES_DELAYS, SandboxControl
from tests.recovery.conftest import Backup, Watching
from tests.recovery.steps import declare, owner_of, pass_time, recovered, release, rule_of, state
from tests.support.attempts import attempts, charged, request_for
from tests.support.builders import Merchant, declined

RUN = "run/monthly/2026-11"
OPEN = "select duly.open_collection(:account, '2026-11', 'stripe', '', '{}', :owner)"


@pytest.fixture
def refunds(database: Database, gateway: StripeGateway) -> RefundActivities:
    """The activities of refunds."""
    return RefundActivities(database, gateway, Clocks(database, gateway), AsyncLimiter(1000, 1), "stripe")


async def cancelled(merchant: Merchant, collecting: CollectActivities) -> str:
    """An account whose collection was cancelled after a decline, with its draft."""
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=900)
    await merchant.run(OPEN, account=account, owner="the first")
    await collecting.collect(request_for(account))
    await merchant.run(
        "select duly.close_collection(:account, '2026-11', 'given_up', 'cancelled', 'nothing')", account=account
    )
    return account


async def test_payments_refunds_and_declines_that_were_forgotten_are_written_down_again(
    merchant: Merchant, collecting: CollectActivities, refunds: RefundActivities, watching: Watching, backup: Backup,
    database: Database, stripe_sandbox: SandboxControl, postgres_server: PostgresServer,
) -> None:  # fmt: skip
    before = await merchant.account(owes_minor=4000)
    paid = await merchant.account(owes_minor=2500)
    retried = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=1500)
    refused = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=700)
    await collecting.collect(request_for(before))
    payment = await merchant.value("select transaction_id from duly.gateway_requests")
    opened_again, opened_in_gap = [await cancelled(merchant, collecting) for _ in range(2)]
    await merchant.run(OPEN, account=opened_again, owner="the second")
    bring_back = await backup()
    await watching(database).compare()
    await merchant.run(OPEN, account=opened_in_gap, owner="the second")
    for account, attempt in (
        (paid, 1), (retried, 1), (retried, 2), (refused, 1), (opened_again, 2), (opened_in_gap, 2),
    ):  # fmt: skip
        await collecting.collect(request_for(account, attempt))
    await refunds.refund(RefundAttempt(RefundOrder("rf_1", payment, 1000, is_acknowledged=True)))
    stripe_sandbox.advance(STRIPES_DELAYS.balance_transaction)
    books = await bring_back()
    await watching(books.database).compare()

    read = await recovered(books, owner_of(books, postgres_server))

    assert read["left"] == []
    assert read["adopted"] == 7
    assert await attempts(books.merchant, retried) == [(1, "declined"), (2, "succeeded")]
    assert await attempts(books.merchant, refused) == [(1, "declined")]
    # The draft of what was cancelled was rejected with it: there is none any more that the payment could overtake.
    assert await attempts(books.merchant, opened_again) == [(1, "declined"), (2, "succeeded")]
    assert await attempts(books.merchant, opened_in_gap) == [(1, "declined"), (2, "succeeded")]
    everybody = (before, paid, retried, refused, opened_again, opened_in_gap)
    assert [await books.merchant.balance(account) for account in everybody] == [1000, 0, 0, 700, 0, 0]
    assert charged(stripe_sandbox) == (5, 9800)
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_an_invoice_of_a_run_whose_decline_was_forgotten_is_still_collected(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    postgres_server: PostgresServer, stripe_sandbox: SandboxControl,
) -> None:  # fmt: skip
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=1500)
    await merchant.run("select duly.freeze_payment_run(:run, 'monthly', '2026-11', '2026-12-01')", run=RUN)
    bring_back = await backup()
    await watching(database).compare()
    await collecting.collect(request_for(account, run_id=RUN))
    books = await bring_back()
    await watching(books.database).compare()
    await recovered(books, owner_of(books, postgres_server))

    again = await books.collecting.collect(request_for(account, 2, run_id=RUN))

    assert again.outcome is CollectOutcome.SETTLED
    assert charged(stripe_sandbox) == (1, 1500)


async def test_what_was_forgotten_long_ago_is_not_charged_again_by_the_next_month(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    stripe_sandbox: SandboxControl, postgres_server: PostgresServer,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await watching(database).compare()
    await collecting.collect(request_for(account))
    stripe_sandbox.advance(timedelta(hours=30).total_seconds())  # the gateway has forgotten the key
    books = await bring_back()
    await watching(books.database).compare()

    await recovered(books, owner_of(books, postgres_server))
    await books.merchant.invoice(account, 900)
    await books.collecting.collect(request_for(account, period="2026-12"))

    assert await books.unequal() == []
    assert await books.merchant.balance(account) == 0
    assert await books.wrong() == []


@pytest.mark.nightly
async def test_a_page_that_nobody_knows_of_is_closed(
    merchant: Merchant, database: Database, gateway: StripeGateway, watching: Watching, backup: Backup,
    stripe_client: stripe.StripeClient, postgres_server: PostgresServer,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await watching(database).compare()
    await PaymentPageActivities(database, gateway, Clocks(database, gateway), "https://duly.example/paid").open_page(
        request_for(account)
    )
    books = await bring_back()
    await watching(books.database).compare()

    await recovered(books, owner_of(books, postgres_server))

    (session,) = (await stripe_client.v1.checkout.sessions.list_async()).data
    assert session.status == "expired"


@pytest.mark.nightly
async def test_what_cannot_be_written_down_is_left_to_a_person_who_acknowledges_it(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    postgres_server: PostgresServer,
) -> None:  # fmt: skip
    bring_back = await backup()
    await watching(database).compare()
    account = await merchant.account(owes_minor=2500)
    await collecting.collect(request_for(account))
    books = await bring_back()
    await watching(books.database).compare()
    await declare(books)
    await pass_time(books, owner_of(books, postgres_server), minutes=16)
    adoption = Adoption(books.database, "stripe", books.gateway)
    await adoption.read()
    await pass_time(books, owner_of(books, postgres_server), minutes=11)

    view = await adoption.read()

    (left,) = view["reads"][-1]["left"]
    assert (left["account"], left["amount_minor"], left["why"]) == (account, 2500, "account_unknown")
    assert await rule_of(release(books)) == "nothing_is_left"
    await release(books, is_acknowledged=True)
    assert await state(books) == "open"


@pytest.mark.nightly
async def test_no_step_is_taken_before_its_time(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    postgres_server: PostgresServer,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await watching(database).compare()
    await collecting.collect(request_for(account))
    books = await bring_back()
    adoption = Adoption(books.database, "stripe", books.gateway)
    owner = owner_of(books, postgres_server)

    not_held = await rule_of(declare(books))
    await watching(books.database).compare()
    not_declared = [await rule_of(adoption.read()), await rule_of(release(books))]
    await declare(books)
    too_early = [await rule_of(adoption.read()), await rule_of(release(books))]
    await pass_time(books, owner, minutes=16)
    await adoption.read()
    found_something = await rule_of(release(books))
    await adoption.read()
    too_soon_after = await rule_of(release(books))

    assert not_held == "restore_is_noticed"
    assert not_declared == ["restore_is_declared"] * 2
    assert too_early == ["requests_are_over", "second_read_finds_nothing"]
    assert found_something == too_soon_after == "second_read_finds_nothing"
