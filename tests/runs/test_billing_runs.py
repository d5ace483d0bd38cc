"""A billing run: every subscription that is due gets its invoice once; what cannot be billed is parked."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from activities.runs.billing import BillingActivities
from models.period import Period
from models.runs.process_run import BillingPageRequest, Certificate
from sandbox.stripe.control.client import SandboxControl
from tests.support.attempts import broken_invariants, charged
from tests.support.builders import PERIOD, Merchant
from tests.support.running_duly import RunningDuly
from workflows.runs import billing_run

BILLING = f"billing/plans/{PERIOD}"


@dataclass(frozen=True)
class Invoice:
    """What the tests look at."""

    issued_on: str
    due_days_after_posting: int
    days: str
    total_minor: int


async def invoices(merchant: Merchant, account: str) -> list[Invoice]:
    rows = await merchant.run(
        "select t.issued_on, t.due_on - t.posted_on as due_days, l.period_from, l.period_to, t.total_minor"
        " from duly.financial_transactions t join duly.transaction_lines l on l.transaction_id = t.id"
        " where t.account_id = :account order by t.issued_on",
        account=account,
    )
    return [
        Invoice(str(row.issued_on), row.due_days, f"{row.period_from} to {row.period_to}", row.total_minor)
        for row in rows
    ]


def totals(certificate: Certificate) -> dict[tuple[str, str], int]:
    return {(str(total.outcome), total.reason): total.members for total in certificate.totals}


async def freeze(database: Database, period: str = PERIOD, definition: str = "plans") -> str:
    run_id = f"billing/{definition}/{period}"
    await database.call(
        "freeze_billing_run",
        run_id=run_id,
        definition_id=definition,
        period=period,
        starts_on=Period.parse(period).starts_on,
    )
    return run_id


async def members(merchant: Merchant) -> dict[str, str]:
    rows = await merchant.run("select member_id, coalesce(outcome, 'due') as outcome from duly.run_items")
    return {row.member_id: row.outcome for row in rows}


async def test_a_subscription_of_the_31st_is_billed_on_the_last_day_of_every_month(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account()
    await merchant.subscription(account, price_minor=1000, billing_day=31)

    for period in ("2027-12", "2028-01", "2028-02", "2028-03", "2028-04"):
        await duly.bill(period=period)

    assert [invoice.days for invoice in await invoices(merchant, account)] == [
        "2027-12-31 to 2028-01-31",
        "2028-01-31 to 2028-02-29",
        "2028-02-29 to 2028-03-31",
        "2028-03-31 to 2028-04-30",
        "2028-04-30 to 2028-05-31",
    ]
    assert await merchant.balance(account) == 5 * 1190


async def test_an_invoice_is_issued_on_the_billing_day_and_due_a_credit_period_after_posting(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await merchant.run("select duly.open_account('acc_slow', 'EUR', 'A. Customer', p_credit_period_days => 14)")
    await merchant.subscription("acc_slow", price_minor=1000, billing_day=20, quantity=3)

    await duly.bill()

    assert await invoices(merchant, "acc_slow") == [Invoice("2026-11-20", 14, "2026-11-20 to 2026-12-20", 3570)]


async def test_billing_twice_posts_nothing_twice(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account()
    await merchant.subscription(account, price_minor=1000)
    await merchant.run("insert into duly.run_definitions (id, kind, name) values ('again', 'billing', 'Again')")

    first, second = await duly.bill("plans"), await duly.bill("again")

    assert totals(first) == {("billed", ""): 1}
    assert totals(second) == {("skipped", "billed_before"): 1}
    assert len(await invoices(merchant, account)) == 1
    assert await merchant.balance(account) == 1190
    assert await broken_invariants(merchant) == []


async def test_a_run_makes_one_bill_an_account_with_all_that_it_billed(duly: RunningDuly, merchant: Merchant) -> None:
    account, other = await merchant.account(), await merchant.account()
    for _ in range(2):
        await merchant.subscription(account, price_minor=1000)
    await merchant.subscription(other, price_minor=500)

    await duly.bill()
    # A month that has not begun is billed, and has no bill yet.
    await duly.bill(period="2062-05")

    bills = await merchant.run(
        "select b.account_id, b.invoiced_minor, b.outstanding_minor, b.run_id, count(*) from duly.account_bills b"
        " join duly.bill_entries e on e.bill_id = b.id group by b.id order by b.invoiced_minor"
    )
    assert [tuple(row) for row in bills] == [
        (other, 595, 595, "billing/plans/2026-11", 1),
        (account, 2380, 2380, "billing/plans/2026-11", 2),
    ]


async def test_a_page_that_is_billed_again_after_a_lost_answer_posts_nothing_twice(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()
    for _ in range(3):
        await merchant.subscription(account, price_minor=1000)
    billing, page = BillingActivities(database), BillingPageRequest(await freeze(database), PERIOD, "", 2)

    first = await billing.bill_page(page)
    again = await billing.bill_page(page)

    assert (first.billed, again.billed) == (2, 1)
    assert (bool(first.after), again.after) == (True, "")
    assert await merchant.balance(account) == 3 * 1190


async def test_pages_end_with_everybody_billed_and_counted(
    duly: RunningDuly, merchant: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(billing_run, "PAGES_PER_EXECUTION", 1)
    await merchant.run("update duly.run_definitions set page_size = 2")
    account = await merchant.account()
    for _ in range(5):
        await merchant.subscription(account, price_minor=1000)
    # An execution that was terminated has billed the first page.
    await BillingActivities(database).bill_page(BillingPageRequest(await freeze(database), PERIOD, "", 2))

    certificate = await duly.bill()

    run = duly.client.get_workflow_handle(BILLING)
    counted = await run.query("totals", result_type=dict[str, int])
    began = (await run.fetch_history()).events[0].workflow_execution_started_event_attributes
    carried = json.loads(began.input.payloads[0].data)
    assert totals(certificate) == {("billed", ""): 5}
    # What the last execution began with: at its end it counts the certificate.
    assert carried["billed"] == 4
    assert counted == {"billed": 5, "parked": 0}
    assert await merchant.balance(account) == 5 * 1190


async def test_what_cannot_be_billed_is_parked_and_the_others_are_billed(duly: RunningDuly, merchant: Merchant) -> None:
    good, yen = await merchant.account(), await merchant.account(currency="JPY")
    gone, rich = await merchant.account(), await merchant.account()
    await merchant.subscription(good, price_minor=1000)
    await merchant.subscription(yen, price_minor=1000, currency="EUR")
    await merchant.subscription(gone, price_minor=1000)
    await merchant.subscription(rich, price_minor=9_007_199_254_740_991)
    await merchant.run("select duly.set_account_state(:gone, 'terminated')", gone=gone)

    certificate = await duly.bill()

    assert totals(certificate) == {
        ("billed", ""): 1,
        ("parked", "currency_of_account"): 1,
        ("parked", "amount_in_range"): 1,
        ("skipped", "account_terminated"): 1,
    }
    assert await merchant.balance(good) == 1190
    assert [await merchant.balance(account) for account in (yen, gone, rich)] == [0, 0, 0]


async def test_what_is_billed_in_three_decimals_is_charged_in_the_same_month(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(currency="KWD")
    await merchant.subscription(account, price_minor=1230, currency="KWD")

    await duly.bill()
    await duly.run()

    assert charged(stripe_sandbox) == (1, 1460)
    assert await merchant.balance(account) == 0


async def test_a_suspended_account_is_still_billed(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account()
    await merchant.subscription(account, price_minor=1000)
    await merchant.run("select duly.set_account_state(:account, 'suspended')", account=account)

    await duly.bill()

    assert await merchant.balance(account) == 1190


@pytest.mark.parametrize(
    ("columns", "is_due"),
    [
        ({"starts_on": date(2026, 11, 15)}, True),
        ({"starts_on": date(2026, 11, 16)}, False),
        ({"starts_on": date(2026, 12, 1)}, False),
        ({"ends_on": date(2026, 11, 15)}, False),
        ({"ends_on": date(2026, 11, 16)}, True),
        ({"ends_on": date(2026, 10, 31)}, False),
        ({"starts_on": date(2026, 11, 15), "ends_on": date(2026, 11, 16)}, True),
        ({}, True),
    ],
)
async def test_a_subscription_is_due_when_its_billing_day_lies_within_it(
    merchant: Merchant, database: Database, columns: dict[str, Any], is_due: bool
) -> None:
    subscription = await merchant.subscription(
        await merchant.account(cards=[]), price_minor=1000, billing_day=15, **columns
    )

    await freeze(database)

    assert await members(merchant) == ({subscription: "due"} if is_due else {})


async def test_a_definition_may_bill_some_currencies_only(merchant: Merchant, database: Database) -> None:
    await merchant.run("update duly.run_definitions set currencies = '{JPY}' where id = 'plans'")
    await merchant.subscription(await merchant.account(cards=[]), price_minor=1000)
    yen = await merchant.subscription(
        await merchant.account(cards=[], currency="JPY"), price_minor=1000, currency="JPY"
    )

    await freeze(database)

    assert await members(merchant) == {yen: "due"}


async def test_an_amount_that_no_invoice_can_carry_cannot_be_written(merchant: Merchant) -> None:
    account = await merchant.account(cards=[])

    with pytest.raises(DBAPIError, match="month_fits_an_invoice"):
        await merchant.subscription(account, price_minor=9_007_199_254_740_991, quantity=2)


async def test_the_database_and_the_rules_know_the_same_billing_days(owner_engine: AsyncEngine) -> None:
    days = text(
        "select m::date as starts_on, d as billing_day, duly.anchor_on(m::date, d) as anchor"
        " from generate_series('2024-01-01'::date, '2028-12-01', '1 month') m, generate_series(1, 31) d"
    )

    async with owner_engine.connect() as connection:
        rows = (await connection.execute(days)).all()

    wrong = [row for row in rows if Period.of(row.starts_on).anchor_on(row.billing_day) != row.anchor]
    assert len(rows) == 60 * 31
    assert wrong == []
