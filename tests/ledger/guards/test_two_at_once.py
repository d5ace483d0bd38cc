"""Two who write at the same moment, on connections of their own: neither waits for the other for ever."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.builders import RUN, Merchant

DEFAULT = text("select duly.change_card(:card, null, '', null, true, 'maria')")


async def waiting(engine: AsyncEngine, sessions: int) -> None:
    """Return when so many sessions of this database wait for a lock."""
    count = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with engine.connect() as connection, asyncio.timeout(30):
        while (await connection.execute(text(count))).scalar_one() < sessions:
            await connection.rollback()
            await asyncio.sleep(0.01)


async def test_two_cards_of_one_account_become_its_default_at_once(
    merchant: Merchant, engine: AsyncEngine, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account("acc_two_defaults", cards=["pm_card_visa"] * 3)
    found = await merchant.run("select id from duly.cards where account_id = :a order by fallback_order", a=account)
    _, second, third = (card for (card,) in found)

    async def become_default(card: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(DEFAULT, {"card": card})

    # Both have begun, and are held up until there are two.
    async with owner_engine.begin() as holding:
        await holding.execute(text("update duly.cards set checked_at = now() where fallback_order = 1"))
        both = asyncio.gather(become_default(second), become_default(third))
        await waiting(engine, 2)
    await both

    orders = await merchant.run("select fallback_order from duly.cards where account_id = :a order by 1", a=account)
    assert [order for (order,) in orders] == list(range(1, len(orders) + 1))


async def test_a_run_that_begins_again_holds_up_nobody_who_collects_for_it(
    merchant: Merchant, engine: AsyncEngine, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account("acc_of_run")
    invoice = await merchant.invoice(account, 2500)
    begin = text("select duly.start_run(:run, 'monthly', 'payment', '2026-11')").bindparams(run=RUN)
    lock = text("select from duly.account_balances where account_id = :a for no key update").bindparams(a=account)
    collect = text("select duly.open_collection(:a, '2026-11', 'stripe', :run, array[:i], 'run')")
    async with owner_engine.begin() as connection:
        await connection.execute(begin)

    # Each would wait for the other: who collects refers to the run, and has the account that who begins it locks next.
    async with owner_engine.begin() as beginning, asyncio.timeout(30):
        await beginning.execute(begin)
        async with engine.begin() as collecting:
            await collecting.execute(collect.bindparams(a=account, run=RUN, i=invoice))
        await beginning.execute(lock)

    assert await merchant.value("select run_id from duly.collections where account_id = :a", a=account) == RUN
