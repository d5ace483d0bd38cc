"""The path to a partition for each run: what was there stays, and each later run has its own (decision 0115)."""

from typing import Any

import pytest
from psycopg import AsyncConnection

from activities.collections.collect import CollectActivities
from activities.database import Database
from migrations.source import FOLDER
from models.gateway.gateway_request import CollectOutcome
from models.period import Period
from sandbox.servers.migrate import migrate
from tests.runs.test_who_is_due import freeze, frozen
from tests.support.attempts import broken_invariants, request_for
from tests.support.builders import PERIOD, Merchant

SCRIPT = FOLDER / "partitions" / "run_items.sql"
NEXT = str(Period.parse(PERIOD).next())
SHADOW = f"shadow/monthly/{PERIOD}"
_PARTITION_OF = "select tableoid::regclass::text as name from duly.run_items where run_id = :run limit 1"


async def partition(owner_url: str) -> None:
    address = owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    async with await AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute(SCRIPT.read_bytes())
    await migrate(owner_url)


@pytest.mark.slow
async def test_a_run_goes_on_and_the_next_has_a_partition_of_its_own(
    merchant: Merchant, database: Database, collecting: CollectActivities, owner_database_url: str
) -> None:
    before = await merchant.account(owes_minor=2500)
    first = await freeze(database, period=PERIOD)
    members = await frozen(merchant, first)

    await partition(owner_database_url)

    assert await frozen(merchant, first) == members
    assert await merchant.value(_PARTITION_OF, run=first) == "duly.run_items_before"
    paid = await collecting.collect(request_for(before, run_id=first))
    assert paid.outcome is CollectOutcome.SETTLED
    assert (await certify(database, first))["totals"][0]["outcome"] == "charged"

    later = await merchant.account(owes_minor=700)
    second = await freeze(database, period=NEXT)
    assert await frozen(merchant, second) == {later: "700 EUR, visa 4242"}
    name = await merchant.value(_PARTITION_OF, run=second)
    assert name not in {"duly.run_items", "duly.run_items_before"}
    assert (await collecting.collect(request_for(later, period=NEXT, run_id=second))).outcome is CollectOutcome.SETTLED
    assert (await certify(database, second))["members"] == 1
    assert await broken_invariants(merchant) == []

    await merchant.run(f"alter table duly.run_items detach partition {name}")
    assert (await frozen(merchant, second), await frozen(merchant, first) != {}) == ({}, True)


@pytest.mark.slow
async def test_a_shadow_that_was_cast_before_is_cast_again(
    merchant: Merchant, database: Database, owner_database_url: str
) -> None:
    await merchant.account(owes_minor=2500)
    await cast(database, "first")

    await partition(owner_database_url)

    assert (await cast(database, "second"))["members"] == 1
    assert await merchant.value(_PARTITION_OF, run=SHADOW) == "duly.run_items_before"


async def certify(database: Database, run_id: str) -> dict[str, Any]:
    certificate: dict[str, Any] = await database.call("certify_run", run_id=run_id)
    return certificate


async def cast(database: Database, execution: str) -> dict[str, Any]:
    plan: dict[str, Any] = await database.call(
        "freeze_shadow_run",
        run_id=SHADOW,
        definition_id="monthly",
        period=PERIOD,
        ends_on=Period.parse(PERIOD).ends_on,
        execution=execution,
    )
    return plan
