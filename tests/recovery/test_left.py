"""What a recovery could not write down: its account is not charged until somebody has settled it."""

import pytest

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.recovery.adoption import Adoption
from models.gateway.gateway_request import CollectOutcome
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import SandboxControl
from tests.recovery.conftest import Backup, Books, Watching
from tests.recovery.steps import WHO, owner_of, recovered
from tests.support.attempts import charged, request_for
from tests.support.builders import Merchant


async def left(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    postgres_server: PostgresServer,
) -> tuple[Books, str]:  # fmt: skip
    """An account that was opened and charged in the gap, and that is opened again after the recovery."""
    bring_back = await backup()
    await watching(database).compare()
    account = await merchant.account("acc_of_the_gap", owes_minor=2500)
    await collecting.collect(request_for(account))
    books = await bring_back()
    await watching(books.database).compare()
    await recovered(books, owner_of(books, postgres_server))
    return books, await books.merchant.account(account, owes_minor=2500)


@pytest.mark.nightly
async def test_a_payment_that_was_left_is_written_down_when_its_account_is_there_again(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    postgres_server: PostgresServer, stripe_sandbox: SandboxControl,
) -> None:  # fmt: skip
    books, account = await left(merchant, collecting, watching, backup, database, postgres_server)

    refused = await books.collecting.collect(request_for(account))
    adopted = await Adoption(books.database, "stripe", books.gateway).adopt_left("maria")

    assert (refused.outcome, refused.code) == (CollectOutcome.PROVIDER_NOT_EFFECTIVE, "recovery_is_left")
    assert len(adopted) == 1
    assert await books.merchant.balance(account) == 0
    assert charged(stripe_sandbox) == (1, 2500)
    assert await Adoption(books.database, "stripe", books.gateway).adopt_left("maria") == []


@pytest.mark.nightly
async def test_an_account_is_charged_again_when_a_person_has_settled_what_was_left(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    postgres_server: PostgresServer, stripe_sandbox: SandboxControl,
) -> None:  # fmt: skip
    books, account = await left(merchant, collecting, watching, backup, database, postgres_server)
    payment = await books.merchant.value("select object from duly.recovery_left where kind = 'payment'")
    await books.database.call("settle_recovery_left", provider_id="stripe", object=payment, **WHO)

    result = await books.collecting.collect(request_for(account, period="2026-12"))

    assert (result.outcome, charged(stripe_sandbox)) == (CollectOutcome.SETTLED, (2, 5000))
    settled = await books.merchant.run(
        "select settled_by, settled_because from duly.recovery_left where object = :id", id=payment
    )
    assert [tuple(row) for row in settled] == [("maria", "the disk was lost")]
