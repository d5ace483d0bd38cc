"""Runs over very many: what is read once, what is sealed in parts, and plans that need no statistics."""

import hashlib
from typing import Any

from psycopg.types.json import Jsonb

from activities.database import Database
from tests.runs.test_who_is_due import freeze
from tests.support.builders import PERIOD, RUN, Merchant

MANY = 2_000
# A plan that compares each account with each takes a minute for so many.
SECONDS_MAX = 15.0

_OPEN = """
    select count(duly.open_account('many_' || n, 'EUR', 'A. Customer')) from generate_series(1, :many) n"""
_OWE = """
    select count(*) from duly.post_invoices((
        select jsonb_agg(jsonb_build_object('key', 'many/' || n, 'account_id', 'many_' || n, 'currency', 'EUR',
            'issued_on', '2026-11-01', 'lines', cast(:lines as jsonb))) from generate_series(1, :many) n))"""
_LINES = [
    {
        "product_id": "plan",
        "quantity": 1,
        "unit_price_minor": 2500,
        "net_minor": 2500,
        "tax_minor": 0,
        "total_minor": 2500,
    }
]
_SEALED = """
    select concat_ws('|', member_id, currency, amount_minor, settled_minor, outcome, reason, transaction_id) as line
    from duly.run_items where run_id = :run order by member_id"""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def seal(merchant: Merchant, **part: int) -> str:
    arguments = ", p_part => :part" if part else ""
    return str(await merchant.value(f"select duly.seal_of_run(:run{arguments})", run=RUN, **part))


async def test_freezing_thousands_takes_seconds_though_the_server_has_not_counted_their_rows(
    merchant: Merchant, database: Database
) -> None:
    await merchant.run(_OPEN, many=MANY)
    await merchant.run(_OWE, many=MANY, lines=Jsonb(_LINES))

    plan = await database.call(
        "freeze_payment_run",
        timeout_seconds=SECONDS_MAX,
        run_id=RUN,
        definition_id="monthly",
        period=PERIOD,
        ends_on="2026-12-01",
    )

    assert (plan["members"], plan["skipped"]) == (MANY, MANY)


async def test_a_run_keeps_what_its_members_came_to_when_they_were_fixed(
    merchant: Merchant, database: Database
) -> None:
    await merchant.account(owes_minor=2500)
    await merchant.account(owes_minor=500)
    await freeze(database)
    before = await plan_of(merchant)

    await merchant.run("update duly.run_items set outcome = 'skipped', reason = 'no_card', finished_at = now()")

    assert await plan_of(merchant) == before
    assert (before["members"], before["skipped"], before["due"]) == (2, 0, {"EUR": 3000})


async def test_a_run_that_was_frozen_by_a_release_before_is_counted(merchant: Merchant, database: Database) -> None:
    await merchant.account(owes_minor=2500)
    await freeze(database)
    kept = await plan_of(merchant)

    await merchant.run("update duly.process_runs set plan = null")

    counted = await plan_of(merchant)
    assert {**counted, "shards": kept["shards"]} == kept
    assert 1 <= counted["shards"] <= kept["shards"]


async def plan_of(merchant: Merchant) -> dict[str, Any]:
    plan: dict[str, Any] = await merchant.value(
        "select duly.run_plan(:run, d) from duly.run_definitions d where d.id = 'monthly'", run=RUN
    )
    return plan


async def test_up_to_a_million_members_are_sealed_as_one_text(merchant: Merchant, database: Database) -> None:
    for amount in (100, 200, 300):
        await merchant.account(owes_minor=amount)
    await freeze(database)

    lines = [row.line for row in await merchant.run(_SEALED, run=RUN)]

    assert await seal(merchant) == digest("\n".join(lines))


async def test_of_more_each_part_is_sealed_and_the_seal_lies_over_the_parts(
    merchant: Merchant, database: Database
) -> None:
    for amount in (100, 200, 300):
        await merchant.account(owes_minor=amount)
    await freeze(database)

    first, second, third = [row.line for row in await merchant.run(_SEALED, run=RUN)]

    assert await seal(merchant, part=2) == digest(f"{digest(first + chr(10) + second)}\n{digest(third)}")


async def test_a_run_without_members_has_a_seal(merchant: Merchant, database: Database) -> None:
    await freeze(database)

    assert await seal(merchant) == digest("")
