"""A top-up fills a wallet by money that was paid for it, once: nothing else moves its ledger account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.collections.ownership import CollectionActivities
from activities.database import Database
from models.collections.collection import CollectionClosing, Stage
from models.collections.dunning import GiveUpAction
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.wallets.top_ups import ToppedUp


@pytest.fixture
async def topped_up(merchant: Merchant, database: Database) -> AsyncIterator[ToppedUp]:
    """Runs that top up wallets. Whatever a test does, no invariant may be broken at its end."""
    client = ToppedUp(merchant, database)
    await client.set_up()
    yield client
    assert await client.violations() == []


def line(product: str, minor: int = 2000) -> list[dict[str, object]]:
    piece = {"product_id": product, "quantity": 1, "unit_price_minor": minor, "discount_minor": 0}
    return [piece | {"net_minor": minor, "tax_minor": 0, "total_minor": minor}]


async def note(topped_up: ToppedUp, invoice: str, product: str) -> None:
    await topped_up.value(
        "select duly.create_credit_note('note', 'low', 'EUR', :lines, array[cast(:invoice as text)])",
        lines=Jsonb(line(product)),
        invoice=invoice,
    )


@asynccontextmanager
async def another_commit(topped_up: ToppedUp) -> AsyncIterator[AsyncConnection]:
    async with topped_up.merchant.engine.connect() as connection:
        await connection.execute(text("set local lock_timeout = '2s'"))
        yield connection
        await connection.rollback()


async def waits_for_a_lock(topped_up: ToppedUp) -> bool:
    waiting = (
        "select count(*) from pg_locks l join pg_stat_activity s on s.pid = l.pid"
        " where not l.granted and s.datname = current_database()"
    )
    return bool(await topped_up.value(waiting))


async def test_a_credit_note_for_a_top_up_is_refused_and_says_what_to_do_instead(topped_up: ToppedUp) -> None:
    await topped_up.merchant.run("insert into duly.products (id, name, ledger_account) values ('c', 'C', 'revenue:c')")
    await topped_up.low("low")
    await topped_up.freeze()
    invoice = await topped_up.invoice_of("low")

    with pytest.raises(Exception, match="wallet_top_up_is_cancelled"):
        await note(topped_up, invoice, "c")
    await topped_up.pay("low", 2000)
    with pytest.raises(Exception, match="wallet_top_up_is_voided"):
        await note(topped_up, invoice, "c")

    assert (await topped_up.wallet("low"), await topped_up.merchant.balance("low")) == (2500, 0)


@pytest.mark.parametrize("product", ["by_itself", "top_up"])
async def test_documents_have_no_line_of_a_product_that_fills_wallets(topped_up: ToppedUp, product: str) -> None:
    await topped_up.merchant.account("low")

    for written in ("create_invoice", "create_credit_note"):
        with pytest.raises(Exception, match="wallet_product"):
            await topped_up.value(
                f"select duly.{written}('k', 'low', 'EUR', :lines, p_draft => true)", lines=Jsonb(line(product))
            )


async def test_a_draft_whose_product_fills_wallets_since_is_refused_at_the_commit(topped_up: ToppedUp) -> None:
    await topped_up.merchant.run("insert into duly.products (id, name, ledger_account) values ('c', 'C', 'revenue:c')")
    await topped_up.merchant.account("low")
    draft = await topped_up.value(
        "select transaction_id from duly.create_invoice('k', 'low', 'EUR', :lines, p_draft => true)",
        lines=Jsonb(line("c")),
    )
    await topped_up.merchant.run("update duly.products set ledger_account = 'wallet_top_ups' where id = 'c'")

    with pytest.raises(Exception, match="wallet_transaction_first"):
        await topped_up.value("select duly.post_draft(:id)", id=draft)

    assert await topped_up.merchant.balance("low") == 0


async def test_a_refund_of_a_top_up_brings_no_credit_note_and_one_that_has_left_is_booked(topped_up: ToppedUp) -> None:
    await topped_up.low("low")
    await topped_up.freeze()
    await topped_up.pay("low", 2000)
    invoice = await topped_up.invoice_of("low")
    document = {"key": "n", "account_id": "low", "currency": "EUR", "lines": line("by_itself"), "invoices": [invoice]}
    planned = {"invoice": invoice, "document": Jsonb(document)}

    with pytest.raises(Exception, match="credit_of_stored_value"):
        await topped_up.value("select duly.plan_refund_credit('r', :invoice, 2000, :document, 'maria', 'x')", **planned)
    await topped_up.merchant.run(
        "insert into duly.refund_credits (refund_id, invoice_id, amount_minor, document, actor, reason)"
        " values ('r', :invoice, 2000, :document, 'maria', 'planned by an earlier release')",
        **planned,
    )
    await topped_up.value("select duly.post_refund_credit('r')")

    assert await topped_up.rows("select refused_because, credit_note_id from duly.refund_credits") == [
        ("credit_of_stored_value", None)
    ]
    assert await topped_up.wallet("low") == 2500


async def test_a_run_that_waits_for_an_account_has_not_locked_the_numbers_of_invoices(topped_up: ToppedUp) -> None:
    """Who writes documents locks its accounts and then numbers: the other way round both would wait for each other."""
    for account in ("low_1", "low_2"):
        await topped_up.low(account)
    async with another_commit(topped_up) as connection:
        await connection.execute(text("select duly.lock_accounts(array['low_2'])"))
        run = asyncio.create_task(topped_up.freeze())
        await until(lambda: waits_for_a_lock(topped_up))
        await connection.execute(text("select duly.lock_series('INV')"))
    await run

    numbers = await topped_up.rows(
        "select n.number is not null from duly.wallet_top_ups u left join duly.transaction_numbers n"
        " on n.transaction_id = u.invoice_id"
    )
    assert numbers == [(True,), (True,)]


async def test_by_pure_fifo_a_wallet_does_not_pay_the_top_up_it_waits_for(topped_up: ToppedUp) -> None:
    await topped_up.low("low", owes_minor=300)
    await topped_up.freeze()
    await topped_up.merchant.run("update duly.definitions set allocation_principle = 'fifo'")
    await topped_up.value("select duly.set_preferred_method('low', 'prepaid')")

    with pytest.raises(Exception, match="wallet_pays_its_top_up"):
        await topped_up.value("select duly.wallet_debit('d', 'low', 500, 'EUR', 'spend')")
    await topped_up.freeze("2026-11", "monthly")

    assert (await topped_up.wallet("low"), await topped_up.merchant.balance("low")) == (500, 2300)


@pytest.mark.parametrize(
    ("action", "state", "owed_minor"), [(GiveUpAction.SUSPEND, "suspended", 700), (GiveUpAction.WRITE_OFF, "active", 0)]
)
async def test_a_top_up_that_is_given_up_is_withdrawn_and_the_policy_is_for_what_else_is_owed(
    topped_up: ToppedUp, action: GiveUpAction, state: str, owed_minor: int
) -> None:
    for account, owes in (("owes_nothing", 0), ("owes", 700)):
        await topped_up.low(account, owes_minor=owes)
    await topped_up.freeze()
    for account in ("owes_nothing", "owes"):
        invoices = [await topped_up.invoice_of(account)]
        if account == "owes":
            # Somebody asked for both by one request.
            invoices.append(
                await topped_up.value(
                    "select transaction_id from duly.open_items where account_id = 'owes' and side = 'debit' limit 1"
                )
            )
        await topped_up.merchant.run(
            "insert into duly.collections (account_id, period, provider_id, owner, policy_id, policy_version, currency,"
            " amount_minor, invoices) values (:id, '2026-11', 'stripe', 'o', 'p', 1, 'EUR', 2000, :all)",
            id=account, all=invoices,
        )  # fmt: skip
        await CollectionActivities(topped_up.database).close_collection(
            CollectionClosing(account, "2026-11", Stage.GIVEN_UP, "tired", action)
        )

    accounts = await topped_up.rows("select id, state from duly.accounts where id like 'owes%' order by id")
    assert accounts == [("owes", state), ("owes_nothing", "active")]
    closed = await topped_up.rows("select account_id, action from duly.collections order by account_id")
    assert closed == [("owes", action), ("owes_nothing", "nothing")]
    assert await topped_up.rows("select distinct state from duly.wallet_top_ups") == [("withdrawn",)]
    assert [await topped_up.merchant.balance(one) for one in ("owes", "owes_nothing")] == [owed_minor, 0]
