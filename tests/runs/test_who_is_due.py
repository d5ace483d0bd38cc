"""Freezing a run: everyone who owes something is in it, and whoever is passed over is told why."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from activities.collections.collect import CollectActivities
from activities.database import Database, RuleBrokenError
from models.gateway.gateway_request import CollectOutcome
from models.period import Period
from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl
from tests.support.attempts import charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined

_FREEZE = text("select duly.freeze_payment_run(:run, 'monthly', :period, cast(cast(:ends_on as text) as date))")
SLOWLY = CardOutcome(answer=Answer.PROCESS, after_seconds=3600)


async def freeze(database: Database, definition: str = "monthly", period: str = PERIOD) -> str:
    run_id = f"run/{definition}/{period}"
    await database.call(
        "freeze_payment_run",
        run_id=run_id,
        definition_id=definition,
        period=period,
        ends_on=Period.parse(period).ends_on,
    )
    return run_id


async def frozen(merchant: Merchant, run_id: str = RUN) -> dict[str, str]:
    """Each member with why it is skipped, or how much it owes."""
    rows = await merchant.run("select * from duly.run_items where run_id = :run", run=run_id)
    return {row.account_id: row.reason or f"{row.amount_minor} {row.currency}, {row.card_label}" for row in rows}


async def define(merchant: Merchant, definition: str, **columns: Any) -> None:
    values = {"id": definition, "kind": "payment", "name": definition, "provider_id": "stripe", **columns}
    names = ", ".join(values)
    placeholders = ", ".join(f":{name}" for name in values)
    await merchant.run(f"insert into duly.run_definitions ({names}) values ({placeholders})", **values)


async def test_whoever_owes_has_a_card_and_can_be_charged_is_due(merchant: Merchant, database: Database) -> None:
    euro = await merchant.account(owes_minor=2500)
    yen = await merchant.account(currency="JPY", owes_minor=50, cards=["pm_card_mastercard"])
    await merchant.account()  # owes nothing

    await freeze(database)

    assert await frozen(merchant) == {euro: "2500 EUR, visa 4242", yen: "50 JPY, mastercard 4444"}


async def test_all_open_invoices_of_an_account_are_one_receivable(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=2500)
    await merchant.invoice(account, 700)

    await freeze(database)

    assert await frozen(merchant) == {account: "3200 EUR, visa 4242"}


async def test_the_first_card_in_fallback_order_that_may_recur_is_charged(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(cards=["pm_card_visa", "pm_card_mastercard", "pm_card_amex"], owes_minor=2500)
    await merchant.run("update duly.cards set state = 'blocked' where brand = 'visa'")
    await merchant.run("update duly.cards set is_recurring = false where brand = 'mastercard'")

    await freeze(database)

    assert await frozen(merchant) == {account: "2500 EUR, amex 8431"}


async def test_whoever_is_passed_over_is_told_why(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    expected = {
        await merchant.account("none", cards=[], owes_minor=2500): "no_card",
        await merchant.account("once", is_recurring=False, owes_minor=2500): "no_card",
        await merchant.account("expired", owes_minor=2500): "no_card",
        await merchant.account("blocked", owes_minor=2500): "no_card",
        await merchant.account("dollars", currency="USD", owes_minor=2500): "currency_not_taken",
        await merchant.account("cents", owes_minor=49): "below_minimum",
        await merchant.account("less_than_a_step", currency="KWD", owes_minor=9): "amount_not_in_steps",
        await merchant.account("suspended", owes_minor=2500): "account_suspended",
        await merchant.account("terminated", owes_minor=2500): "account_terminated",
        await merchant.account("asked_last_month", answers=[SLOWLY], owes_minor=2500): "in_collection",
        await merchant.account("stranger", owes_minor=2500): "no_gateway_customer",
    }
    await merchant.run("update duly.cards set exp_year = 2020 where account_id = 'expired'")
    await merchant.run("update duly.cards set state = 'blocked' where account_id = 'blocked'")
    await merchant.run("select duly.set_account_state(name, name) from unnest(array['suspended', 'terminated']) name")
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('other', 'stripe', 'test')")
    await merchant.run("update duly.gateway_customers set provider_id = 'other' where account_id = 'stranger'")
    await collecting.collect(request_for("asked_last_month", period="2026-10"))

    await freeze(database)

    assert await frozen(merchant) == expected


async def test_a_definition_may_take_fewer_currencies_than_its_provider(merchant: Merchant, database: Database) -> None:
    euro = await merchant.account(owes_minor=2500)
    yen = await merchant.account(currency="JPY", owes_minor=5000)
    await define(merchant, "yen", currencies=["JPY"])

    run = await freeze(database, "yen")

    assert await frozen(merchant, run) == {yen: "5000 JPY, visa 4242", euro: "currency_not_in_definition"}


async def test_an_invoice_of_the_next_month_is_not_due_yet(merchant: Merchant, database: Database) -> None:
    await merchant.account(owes_minor=2500)  # its invoice is of the first of November

    october = await freeze(database, period="2026-10")
    november = await freeze(database)

    assert await frozen(merchant, october) == {}
    assert list((await frozen(merchant, november)).values()) == ["2500 EUR, visa 4242"]


async def test_a_card_is_good_until_the_last_day_of_the_month_on_it(merchant: Merchant, database: Database) -> None:
    await merchant.account("this_month", owes_minor=2500)
    await merchant.account("last_month", owes_minor=2500)
    await merchant.run(
        "update duly.cards set exp_year = extract(year from d), exp_month = extract(month from d)"
        " from (values ('this_month', current_date), ('last_month', (current_date - interval '1 month')::date))"
        " v (account, d) where account_id = v.account"
    )

    await freeze(database)

    assert await frozen(merchant) == {"this_month": "2500 EUR, visa 4242", "last_month": "no_card"}


async def test_freezing_again_changes_nothing(merchant: Merchant, database: Database) -> None:
    await merchant.account(owes_minor=2500)
    await freeze(database)
    before = await frozen(merchant)
    await merchant.account(owes_minor=7000)

    await freeze(database)

    assert await frozen(merchant) == before


@pytest.mark.parametrize(
    ("definition", "change", "rule"),
    [
        ("nobody", "", "run_definition_exists"),
        ("plans", "", "run_definition_exists"),  # a billing definition
        ("monthly", "update duly.run_definitions set state = 'not_effective'", "run_definition_effective"),
        ("monthly", "update duly.providers set state = 'not_effective'", "provider_effective"),
    ],
)
async def test_what_may_not_run_is_refused_by_its_rule_and_nothing_is_written(
    merchant: Merchant, database: Database, definition: str, change: str, rule: str
) -> None:
    await merchant.account(owes_minor=2500)
    if change:
        await merchant.run(change)

    with pytest.raises(RuleBrokenError) as refused:
        await freeze(database, definition)

    assert refused.value.type == rule
    assert definition in str(refused.value) or "stripe" in str(refused.value)
    assert await merchant.value("select count(*) from duly.process_runs") == 0
    assert await merchant.value("select count(*) from duly.run_items") == 0


@pytest.mark.parametrize("price_minor", [0, -1])
async def test_a_price_of_nothing_or_less_cannot_be_written(merchant: Merchant, price_minor: int) -> None:
    account = await merchant.account()

    with pytest.raises(DBAPIError, match="subscriptions_price_minor_check"):
        await merchant.subscription(account, price_minor=price_minor)


async def test_two_runs_frozen_at_the_same_moment_do_not_both_charge_the_invoice(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(answers=[SLOWLY], owes_minor=2500)
    async with merchant.engine.connect() as held:
        await held.execute(_FREEZE, {"run": "run/monthly/2026-12", "period": "2026-12", "ends_on": "2027-01-01"})
        november = await freeze(database)
        await held.commit()

    first = await collecting.collect(request_for(account, run_id=november))
    second = await collecting.collect(request_for(account, period="2026-12", run_id="run/monthly/2026-12"))
    stripe_sandbox.advance(3600)
    third = await collecting.collect(request_for(account, run_id=november))

    assert (first.outcome, second.outcome, third.outcome) == (
        CollectOutcome.PROCESSING,
        CollectOutcome.CLOSED,
        CollectOutcome.SETTLED,
    )
    assert await frozen(merchant, "run/monthly/2026-12") == {account: "in_collection"}
    assert charged(stripe_sandbox) == (1, 2500)


async def test_a_second_definition_does_not_take_the_firsts_payment_for_its_own(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(answers=[declined("do_not_honor")], owes_minor=2500)
    await define(merchant, "again")
    async with merchant.engine.connect() as held:
        await held.execute(_FREEZE, {"run": RUN, "period": PERIOD, "ends_on": "2026-12-01"})
        again = await freeze(database, "again")
        await held.commit()
    await collecting.collect(request_for(account, run_id=RUN))

    second = await collecting.collect(request_for(account, run_id=again))

    assert second.outcome == CollectOutcome.CLOSED
    assert await frozen(merchant, again) == {account: "in_collection"}
