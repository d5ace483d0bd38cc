"""How many shards a run has, and how many payments each keeps under way: by its definition, or by the rate."""

from typing import Any

import pytest

from activities.database import Database
from tests.support.builders import PERIOD, RUN, Merchant
from tests.support.run_control import owing, shape


async def frozen(database: Database, **at_rate: int) -> dict[str, Any]:
    """Freeze the monthly run, as a worker does that knows the rate, or one of release 0.1.0 that says nothing."""
    plan: dict[str, Any] = await database.call(
        "freeze_payment_run",
        run_id=RUN,
        definition_id="monthly",
        period=PERIOD,
        ends_on="2026-12-01",
        **at_rate,
    )
    return plan


@pytest.mark.parametrize(
    ("at_rate", "shards", "window"), [({"shards": 3, "window": 300}, 3, 300), ({}, 2, 50)], ids=["today", "0.1.0"]
)
async def test_what_a_definition_leaves_out_follows_from_the_rate(
    database: Database, merchant: Merchant, at_rate: dict[str, int], shards: int, window: int
) -> None:
    await merchant.run("update duly.run_definitions set shards = null, window_size = null where id = 'monthly'")

    plan = await frozen(database, **at_rate)

    assert (plan["shards"], plan["window"]) == (shards, window)


async def test_a_definition_has_the_last_word(database: Database, merchant: Merchant) -> None:
    await shape(merchant, shards=5, window=7)

    plan = await frozen(database, shards=3, window=300)

    assert (plan["shards"], plan["window"]) == (5, 7)


async def test_a_run_that_is_started_again_asks_the_members_of_all_its_shards(
    database: Database, merchant: Merchant
) -> None:
    await owing(merchant, 12)
    await shape(merchant, shards=4)
    await frozen(database)
    await shape(merchant, shards=1)

    again = await frozen(database)

    beyond = "select count(*) from duly.run_items where shard >= :shards"
    assert await merchant.value(beyond, shards=again["shards"]) == 0
    assert again["shards"] > 1
