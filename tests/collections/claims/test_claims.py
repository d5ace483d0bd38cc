"""Who collects an invoice: one receivable at a time, of which an account may have several in a month."""

import pytest
from sqlalchemy.exc import DBAPIError

from activities.collections.collect import CollectActivities
from activities.database import Database, RuleBrokenError
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.collections.claims.claiming import ask, start
from tests.runs.test_runs import totals
from tests.runs.test_who_is_due import define, freeze, frozen
from tests.support.attempts import charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.running_duly import RunningDuly

NO = declined("insufficient_funds")


async def test_an_account_has_several_collections_side_by_side(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(answers=[NO, NO])
    one, other = await merchant.invoice(account, 1000), await merchant.invoice(account, 2000)

    first = await start(duly, account, "2026-11-order-1", 0, one)
    second = await start(duly, account, "2026-11-order-2", 0, other)
    results = [await first.result(), await second.result()]

    assert [(result.stage, result.amount_minor) for result in results] == [
        (Stage.SETTLED, 1000),
        (Stage.SETTLED, 2000),
    ]
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((2, 3000), 0)


async def test_one_collection_follows_another_in_a_month(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=1000)
    await (await start(duly, account, "2026-11-today", 0)).result()
    await merchant.invoice(account, 700)

    result = await (await start(duly, account, "2026-11-tomorrow", 0)).result()

    assert (result.stage, result.amount_minor) == (Stage.SETTLED, 700)
    assert charged(stripe_sandbox) == (2, 1700)


async def test_the_months_run_still_takes_what_nobody_collected(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=1000)
    await duly.start_collection(account)
    await duly.collected(account)
    await merchant.invoice(account, 700)

    certificate = await duly.run()

    assert totals(certificate) == {("charged", ""): (1, 700)}
    assert charged(stripe_sandbox) == (2, 1700)
    assert await merchant.value("select receivable from duly.run_items") == "2026-11-2"


async def test_a_declined_member_with_a_name_of_its_own_is_collected_under_it(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=1000)
    await duly.start_collection(account)
    await duly.collected(account)
    await merchant.invoice(account, 700)
    stripe_sandbox.script_card(await merchant.token(account), NO)

    await duly.run()
    result = await duly.collected(account, "2026-11-2")

    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert charged(stripe_sandbox) == (2, 1700)


async def test_a_run_leaves_to_a_collection_what_it_collects_and_charges_the_rest(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=1000)
    other = await merchant.invoice(account, 700)
    await freeze(database)
    await merchant.run("update duly.run_items set invoices = '{}'")
    await ask(database, account, "2026-11-order-1", None, other)
    await merchant.run("update duly.run_items set invoices = (select array_agg(transaction_id) from duly.open_items)")

    result = await collecting.collect(request_for(account, run_id=RUN))

    assert (result.outcome, result.amount_minor) == (CollectOutcome.SETTLED, 1000)
    assert charged(stripe_sandbox) == (1, 1000)


async def test_an_invoice_that_was_given_up_is_not_asked_for_again_in_its_month(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(answers=[NO], owes_minor=1000)
    await ask(database, account, PERIOD, None)
    await collecting.collect(request_for(account))
    await database.call(
        "close_collection", account_id=account, period=PERIOD, stage="given_up", reason="tired", action="nothing"
    )
    await define(merchant, "again")

    early = await freeze(database, "again")
    await merchant.invoice(account, 700)
    november = await freeze(database)
    december = await freeze(database, "again", period="2026-12")

    assert await frozen(merchant, early) == {account: "asked_in_period"}
    assert await frozen(merchant, november) == {account: "700 EUR, visa 4242"}
    assert await frozen(merchant, december) == {account: "1000 EUR, visa 4242"}


async def test_what_is_being_collected_cannot_be_named_by_another(merchant: Merchant, database: Database) -> None:
    account = await merchant.account()
    invoice = await merchant.invoice(account, 1000)
    await ask(database, account, "2026-11-order-1", None, invoice)

    with pytest.raises(RuleBrokenError) as refused:
        await ask(database, account, "2026-11-order-2", None, invoice)

    assert refused.value.type == "invoices_collectable"


async def test_the_database_itself_refuses_a_second_owner(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=1000)
    await ask(database, account, "2026-11-order-1", None)

    with pytest.raises(DBAPIError, match="is part of 2026-11-order-1"):
        await merchant.run(
            "insert into duly.collections (account_id, period, provider_id, owner, policy_id, policy_version, currency,"
            " amount_minor, invoices) select account_id, '2026-11-order-2', provider_id, owner, policy_id,"
            " policy_version, currency, amount_minor, invoices from duly.collections"
        )


async def test_what_is_let_go_may_be_collected_under_another_name(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=1000)
    await ask(database, account, "2026-11-order-1", None)
    await database.call(
        "close_collection",
        account_id=account,
        period="2026-11-order-1",
        stage="given_up",
        reason="withdrawn",
        action="nothing",
    )

    await ask(database, account, "2026-11-order-2", None)

    assert await merchant.value("select period from duly.claims") == "2026-11-order-2"
