"""What an account owes is counted once, in amounts, wherever it is shown and however many claims there are on it."""

import json

from activities.collections.queries import CollectionQueries
from activities.database import Database
from activities.runs.dry_runs import DryRunActivities
from models.runs.dry_run import DryRunRequest
from tests.runs.test_who_is_due import define, freeze
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly

DECLINED = declined("insufficient_funds")


async def in_dunning(duly: RunningDuly, merchant: Merchant) -> str:
    """An account whose two invoices, 32.00 together, are declined and claimed by its collection and by its request."""
    account = await merchant.account("acc_dunning", answers=[DECLINED], answers_for_ever=True, owes_minor=2500)
    await merchant.invoice(account, 700)
    await (await duly.start_collection(account, "2026-10")).execute_update("first_outcome")
    return account


async def test_a_dry_run_shows_an_account_in_dunning_with_what_it_owes(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    account = await in_dunning(duly, merchant)

    page = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD))

    assert [(one.account_id, one.amount_minor, one.reason) for one in page.members] == [
        (account, 3200, "in_collection")
    ]


async def test_the_certificate_of_another_run_shows_an_account_in_dunning_with_what_it_owes(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await in_dunning(duly, merchant)

    certificate = await duly.run()

    assert [(one.reason, one.members, one.amount_minor) for one in certificate.totals] == [("in_collection", 1, 3200)]
    [item] = await merchant.run("select amount_minor from duly.run_items where run_id = :run", run=RUN)
    assert item.amount_minor == 3200


async def test_a_second_definition_shows_what_the_first_one_collects_once_and_as_passed_over(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await merchant.account("acc_dunning", answers=[DECLINED], answers_for_ever=True, owes_minor=2500)
    await merchant.account("acc_paid", owes_minor=900)
    await define(merchant, "again")

    first, second = await duly.run(), await duly.run("again")

    assert [(str(one.outcome), one.reason, one.amount_minor) for one in first.totals] == [
        ("charged", "", 900),
        ("in_dunning", "insufficient_funds", 2500),
    ]
    assert [(str(one.outcome), one.reason, one.amount_minor) for one in second.totals] == [
        ("skipped", "in_collection", 2500)
    ]


async def test_a_run_that_is_frozen_while_a_collection_and_a_run_own_the_same_invoice_counts_it_once(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await freeze(database)
    await merchant.run(
        "insert into duly.claims (invoice_id, account_id, period, amount_minor)"
        " select transaction_id, account_id, p, a from duly.open_items, (values ('2026-11-a', 100), ('2026-11-b', 200))"
        " v (p, a) where account_id = :account",
        account=account,
    )

    page = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD))

    assert [(one.amount_minor, one.reason) for one in page.members] == [(2500, "in_collection")]


async def test_what_is_free_of_an_invoice_with_several_claims_on_amounts_is_the_rest(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await merchant.run(
        "insert into duly.claims (invoice_id, account_id, period, amount_minor)"
        " select transaction_id, account_id, p, a from duly.open_items, (values ('2026-11-a', 100), ('2026-11-b', 200))"
        " v (p, a) where account_id = :account",
        account=account,
    )

    collectable = await CollectionQueries(database).collectable(account, PERIOD, "stripe")
    page = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD))

    assert collectable is not None
    assert collectable.free_minor == 2200
    assert [(one.amount_minor, one.reason) for one in page.members] == [(2200, "")]


async def test_lists_balances_and_the_shadow_show_an_account_in_dunning_with_what_it_owes(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    account = await merchant.account("acc_dunning", answers=[DECLINED], answers_for_ever=True, owes_minor=3200)
    await cli.json("collections", "start", account, period)

    listed = await cli.json("collections", "list")
    shadow = await cli.json("runs", "shadow", "monthly", period, "--wait")
    certificate = await cli.json("runs", "certificate", f"shadow/monthly/{period}")
    balance = await cli.json("accounts", "balance", account)

    assert [one["amount_minor"] for one in listed["collections"]] == [3200]
    assert shadow["differences"] == []
    assert [(one["reason"], one["amount_minor"]) for one in certificate["certificate"]["totals"]] == [
        ("in_collection", 3200)
    ]
    assert "3200" in json.dumps(balance)
