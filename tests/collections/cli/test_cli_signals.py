"""Collections hear at once of whatever changes what their account owes."""

import itertools
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from models.collections.collection import CollectionRequest
from models.workflow_ids import collection_id
from tests.bank.statements import csv_statement
from tests.support.company import Company
from workflows.collections.collection import Collection

SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
_ACCOUNTS = itertools.count(1)


@pytest.fixture
async def waiting(company: Company, temporal_server: Client) -> str:
    """An account with an unsettled invoice and an open collection, which no worker works on."""
    account = await company.account(f"hinted-{next(_ACCOUNTS)}")
    await company.invoice(account)
    await open_collection(company, account)
    await temporal_server.start_workflow(
        Collection.run,
        CollectionRequest(account, "2026-05", "stripe"),
        id=collection_id(account, "2026-05"),
        task_queue="nobody-listens",
    )
    return account


async def open_collection(company: Company, account: str) -> None:
    await company.run("insert into duly.providers (id, gateway, mode) values ('stripe', 'stripe', 'test')")
    await company.run(
        "select duly.open_collection(:account, '2026-05', 'stripe', '', '{}', 'a test')",
        account=account,
    )


async def signals(client: Client, account: str) -> list[str]:
    history = await client.get_workflow_handle(collection_id(account, "2026-05")).fetch_history()
    found = [event for event in history.events if event.event_type == SIGNALED]
    return [event.workflow_execution_signaled_event_attributes.signal_name for event in found]


async def test_a_payment_tells_the_collection_of_its_account(
    company: Company, waiting: str, temporal_server: Client
) -> None:
    result = await company.cli.json("transactions", "create", "payment", waiting, "--amount", "1", "--method", "cash")

    assert result["collections_signalled"] == [collection_id(waiting, "2026-05")]
    assert await signals(temporal_server, waiting) == ["receivable_changed"]


async def test_every_change_of_what_is_owed_tells_and_a_draft_does_not(
    company: Company, waiting: str, temporal_server: Client
) -> None:
    other = await company.account(f"{waiting}-other")
    draft = await company.create("payment", waiting, "--amount", "1", "--method", "cash", "--draft")
    after_draft = len(await signals(temporal_server, waiting))
    invoice = await company.invoice(waiting)

    await company.cli.json("transactions", "post", draft["id"])
    await company.cli.json("transactions", "move", draft["id"], other)
    await company.create("credit_note", waiting, "--line", "product=plan,price=1")
    await company.cli.json("transactions", "cancel", invoice["id"])
    await company.cli.json("transactions", "write-off", "INV-0000000001", "--type", "write_off")
    await company.cli.json("accounts", "terminate", waiting)

    assert after_draft == 0
    assert len(await signals(temporal_server, waiting)) == 7


async def test_a_collection_that_has_just_ended_needs_no_telling(company: Company) -> None:
    account = await company.account(f"hinted-{next(_ACCOUNTS)}")
    await company.invoice(account)
    await open_collection(company, account)

    result = await company.cli.json("transactions", "create", "payment", account, "--amount", "1", "--method", "cash")

    assert result["collections_signalled"] == []


async def test_a_statement_whose_import_was_interrupted_tells_when_it_is_imported_again(
    company: Company, waiting: str, temporal_server: Client, tmp_path: Path
) -> None:
    file = csv_statement(tmp_path, [f"B1,2026-05-20,1.00,EUR,{waiting},,,,"])
    await company.cli("import", "bank", file, DULY_TEMPORAL_ADDRESS="127.0.0.1:1")
    untold = await signals(temporal_server, waiting)

    result = await company.cli.json("import", "bank", file)

    assert untold == []
    assert [one["outcome"] for one in result["entries"]] == ["unchanged"]
    assert await signals(temporal_server, waiting) == ["receivable_changed"]


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("column", ["a card", "another expiry", "a method"])
async def test_an_import_of_accounts_that_was_interrupted_tells_when_it_is_repeated_until_it_has_been_looked_at(
    company: Company, waiting: str, temporal_server: Client, tmp_path: Path, owner_engine: AsyncEngine, column: str
) -> None:
    await company.run(
        "insert into duly.provider_currencies (provider_id, currency, minimum_minor) values ('stripe', 'EUR', 50)"
    )
    await company.run("insert into duly.provider_methods values ('card', 'stripe')")
    if column == "another expiry":
        await company.cli.json(*import_of(tmp_path, waiting, "2030"))
        await attempted(owner_engine, waiting)
    words = import_of(tmp_path, waiting, "" if column == "a method" else "2034")
    await company.cli(*words, DULY_TEMPORAL_ADDRESS="127.0.0.1:1")
    signalled_before = len(await signals(temporal_server, waiting))

    again = await company.cli.json(*words)
    signalled = await signals(temporal_server, waiting)
    await attempted(owner_engine, waiting)
    once_more = await company.cli.json(*words)

    assert (again["accounts"]["unchanged"], again["collections_signalled"]) == (1, [collection_id(waiting, "2026-05")])
    assert signalled[signalled_before:] == ["card_changed"]
    assert once_more["collections_signalled"] == []


def import_of(folder: Path, account: str, expires: str) -> list[str]:
    """Return the words that import an account, with a card that expires in a year, or else paying by bank transfer."""
    method = "" if expires else "bank_transfer"
    accounts, cards = folder / "accounts.csv", folder / "cards.csv"
    accounts.write_text(f"account_id,owner_name,currency,payment_method\n{account},Ann,EUR,{method}\n")
    cards.write_text(
        "account_id,customer,token,brand,last4,exp_month,exp_year,recurring\n"
        f"{account},cus_{account},pm_{account},visa,4242,12,{expires},yes\n"
    )
    return ["accounts", "import", str(accounts), *(["--cards", str(cards)] if expires else [])]


async def attempted(engine: AsyncEngine, account: str) -> None:
    """Let the collection have begun an attempt now, which looks at the account's cards."""
    request = (
        "insert into duly.gateway_requests (kind, provider_id, account_id, period, asked_by, amount_minor, currency)"
        " select 'payment', 'stripe', :account, '2026-05', 'a test', 100, 'EUR'"
        " where not exists (select from duly.gateway_requests where account_id = :account)"
    )
    attempt = (
        "insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, token, customer, payment_id,"
        " amount_minor, channel, outcome, finished_at) select id, 1 + (select count(*) from duly.gateway_attempts),"
        " 'key of ' || clock_timestamp(), 'scheduled', 'pm', 'cus', 'p', 100,"
        " 'hosted_page', 'declined', now()"
        " from duly.gateway_requests where account_id = :account"
    )
    for statement in (request, attempt):
        async with engine.begin() as connection:
            await connection.execute(text(statement), {"account": account})


async def test_money_is_posted_though_temporal_is_away(company: Company, waiting: str) -> None:
    words = ("transactions", "create", "payment", waiting, "--amount", "1", "--method", "cash")

    as_json = await company.cli(*words, "--json", DULY_TEMPORAL_ADDRESS="127.0.0.1:1")
    plain = await company.cli(*words, DULY_TEMPORAL_ADDRESS="127.0.0.1:1")

    assert (as_json.exit_code, plain.exit_code) == (0, 0)
    assert "Temporal could not be signalled" in as_json.document["warning"]
    assert plain.stderr.startswith("warning: ")
    assert await company.balance(waiting) == 9800


async def test_nobody_is_asked_when_nothing_is_being_collected(company: Company) -> None:
    await company.account("a1")

    result = await company.cli(
        "transactions", "create", "payment", "a1", "--amount", "1", "--method", "cash", "--json",
        DULY_TEMPORAL_ADDRESS="127.0.0.1:1",
    )  # fmt: skip

    assert (result.exit_code, "warning" in result.document) == (0, False)
