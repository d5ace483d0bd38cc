"""What customers were written before a restore is not written to them once more."""

from typing import Any

import pytest

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.recovery.adoption import Adoption
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import SandboxControl
from tests.recovery.conftest import Backup, Books, Watching
from tests.recovery.steps import declare, owner_of, pass_time, recovered, release
from tests.support.attempts import attempts, charged, never_answer, request_for
from tests.support.builders import Merchant


class KilledError(Exception):
    """The process that reads is gone."""


async def receipts(books: Books) -> list[tuple[str, str]]:
    """Return state and reason of every receipt."""
    rows = await books.merchant.run("select state, reason from duly.messages where kind = 'receipt' order by id")
    return [(row.state, row.reason) for row in rows]


async def unanswered(merchant: Merchant, collecting: CollectActivities, sandbox: SandboxControl) -> str:
    """Let the gateway charge an account, and not answer."""
    account = await merchant.account(owes_minor=2500)
    never_answer(sandbox)
    with pytest.raises(Exception, match=r".*"):
        await collecting.collect(request_for(account))
    sandbox.clear_faults()
    return account


async def test_of_a_payment_that_was_unknown_at_the_backup_and_was_recorded_in_the_gap(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    stripe_sandbox: SandboxControl, postgres_server: PostgresServer,
) -> None:  # fmt: skip
    account = await unanswered(merchant, collecting, stripe_sandbox)
    bring_back = await backup()
    await watching(database).compare()
    await collecting.collect(request_for(account))
    books = await bring_back()
    await watching(books.database).compare()

    await recovered(books, owner_of(books, postgres_server))

    assert await attempts(books.merchant, account) == [(1, "succeeded")]
    assert (await receipts(books), charged(stripe_sandbox)) == ([("withheld", "recovered")], (1, 2500))


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("dies_before", ["record_outcome", "withhold_recovered"])
async def test_of_a_reading_that_was_interrupted_between_two_commits(
    merchant: Merchant, collecting: CollectActivities, watching: Watching, backup: Backup, database: Database,
    stripe_sandbox: SandboxControl, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, *,
    dies_before: str,
) -> None:  # fmt: skip
    account = await merchant.account(owes_minor=2500)
    bring_back = await backup()
    await watching(database).compare()
    await collecting.collect(request_for(account))
    books = await bring_back()
    await watching(books.database).compare()
    owner = owner_of(books, postgres_server)
    await declare(books)
    await pass_time(books, owner, minutes=16)
    call = books.database.call

    async def dying(name: str, **arguments: Any) -> Any:
        if name == dies_before:
            raise KilledError
        return await call(name, **arguments)

    with monkeypatch.context() as dead:
        dead.setattr(books.database, "call", dying)
        with pytest.raises(KilledError):
            await Adoption(books.database, "stripe", books.gateway).read()
    for _ in range(2):
        await Adoption(books.database, "stripe", books.gateway).read()
        await pass_time(books, owner, minutes=11)
    await release(books)

    assert await attempts(books.merchant, account) == [(1, "succeeded")]
    assert (await receipts(books), charged(stripe_sandbox)) == ([("withheld", "recovered")], (1, 2500))
    assert await books.wrong() == []
