"""Segments: whom criteria take, and the rules and runs that name them."""

from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.configuration import segment_queries
from activities.database import Database
from models.problem import RefusedError
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


def segment(criteria: str, about: str = "accounts", id: str = "chosen") -> str:
    return f'[[segments]]\nid = "{id}"\nname = "Chosen"\nabout = "{about}"\n[segments.criteria]\n{criteria}\n'


@pytest.fixture
async def people(merchant: Merchant) -> None:
    """Ada (DE, business) owes 30.00 and has paid 20.00; Bo (AT) owes 5.00; Yuki owes 3,000 JPY."""
    await merchant.account("ada", cards=[], owes_minor=5000)
    await merchant.transfer("ada", 2000)
    await merchant.account("bo", cards=[], owes_minor=500)
    await merchant.account("yuki", cards=[], owes_minor=3000, currency="JPY")
    await merchant.run("update duly.accounts set region = 'DE', segment = 'business' where id = 'ada'")
    await merchant.run("update duly.accounts set region = 'AT' where id = 'bo'")


async def members(cli: CommandLine, *options: str) -> list[str]:
    found = await cli.json("segments", "members", "chosen", *options)
    return sorted(one["id"] for one in found["accounts"])


@pytest.mark.parametrize(
    ("criteria", "taken"),
    [
        ("", ["ada", "bo", "yuki"]),
        ('regions = ["DE", "AT"]', ["ada", "bo"]),
        ('labels = ["business"]', ["ada"]),
        ('minimum_balance = { EUR = "5.00" }', ["ada", "bo"]),
        ('minimum_balance = { EUR = "5.01" }', ["ada"]),
        ('maximum_balance = { JPY = "3000" }', ["yuki"]),
        ('minimum_paid = { EUR = "20.00" }\nwithin_days = 30', ["ada"]),
        ("payments_max = 0", ["bo", "yuki"]),
        ("overdue_days = 1", []),
        ('currencies = ["JPY"]', ["yuki"]),
        ('states = ["suspended"]', []),
        ("payments_min = 1", ["ada"]),
        ("payments_min = 0\npayments_max = 1", ["ada", "bo", "yuki"]),
        ('maximum_paid = { EUR = "20.00", JPY = "0" }', ["ada", "bo", "yuki"]),
        ('minimum_paid = { JPY = "0" }', ["yuki"]),
        ("declines_min = 1", []),
        ('payment_methods = ["stripe_card"]\nregions = ["DE"]', []),
        ('products = ["plan"]', []),
        ('minimum_balance = { EUR = "1.00" }\npayments_max = 0\ncurrencies = ["EUR"]', ["bo"]),
    ],
)
async def test_an_account_is_in_a_segment_by_its_criteria(
    cli: CommandLine, merchant: Merchant, people: None, criteria: str, taken: list[str]
) -> None:
    await merchant.configure(segment(criteria))

    pages = [await merchant.run(f"select id from duly.segment_accounts_behind('chosen', '{after}', 1)")
             for after in ("", *taken)]  # fmt: skip
    # What is asked of one account by itself stands in other words (decision 0262).
    each = await merchant.run("select a.id from duly.accounts a where duly.is_of_segment('chosen', a) order by a.id")
    assert await members(cli) == taken == [row.id for page in pages for row in page] == [row.id for row in each]


LEAVING = """
    insert into duly.subscriptions (id, account_id, product_id, price_minor, currency, billing_day, starts_on, ends_on)
    select 'sub_' || id, id, 'plan', 1000, 'EUR', 1, current_date - 90, current_date + 10
    from duly.accounts where id in ('one', 'two', 'plain')
"""
EXPIRES = """
    update duly.cards set exp_year = extract(year from now() + make_interval(months => cast(:months as integer))),
        exp_month = extract(month from now() + make_interval(months => cast(:months as integer))) where account_id = :id
"""


MANY_ACCOUNTS = (
    """insert into duly.accounts (id, currency, owner_name)
    select 'many_' || lpad(g::text, 5, '0'), 'EUR', 'Ann' from generate_series(1, 25999) g""",
    """insert into duly.account_balances (account_id) select id from duly.accounts where id like 'many_%'
    on conflict do nothing""",
    """insert into duly.subscriptions
        (id, account_id, product_id, price_minor, currency, billing_day, starts_on, ends_on)
    select 'sub_' || id, id, 'plan', 1000, 'EUR', 1, current_date - 90, current_date + 10 from duly.accounts
    where id like 'many_%' and right(id, 5)::integer % 97 = 0 and right(id, 5)::integer not between 8000 and 22999""",
)


@pytest.mark.parametrize(
    ("criteria", "taken"),
    [
        ("card_expires_days = 31", ["one", "two"]),
        ("card_expires_days = 3660", ["good", "one", "two"]),
        ("risks_min = 1", ["one", "plain", "two"]),
        ("risks_min = 2", ["one"]),
        ("risks_min = 1\ncard_expires_days = 31", ["one", "two"]),
    ],
)
async def test_whose_card_expires_and_who_is_at_risk_of_leaving_is_a_segment(
    cli: CommandLine, merchant: Merchant, criteria: str, taken: list[str]
) -> None:
    # given one with its only card in its last month, one with two of these, one with a good card, and one with none
    await merchant.account("one")
    await merchant.account("two", cards=("pm_card_visa", "pm_card_mastercard"))
    await merchant.account("good")
    await merchant.account("plain", cards=[])
    for account, months in {"one": 0, "two": 0, "good": 24}.items():
        await merchant.run(EXPIRES, id=account, months=months)
    await merchant.run(LEAVING)
    await merchant.configure(segment(criteria))

    each = await merchant.run("select a.id from duly.accounts a where duly.is_of_segment('chosen', a) order by a.id")
    pages = [await merchant.run(f"select id from duly.segment_accounts_behind('chosen', '{after}', 1)")
             for after in ("", *taken)]  # fmt: skip

    assert await members(cli) == taken == [row.id for row in each]
    assert [row.id for page in pages for row in page] == taken


@pytest.mark.nightly
async def test_pages_of_whom_is_at_risk_are_those_of_all_wherever_they_stand(
    merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    # given more accounts than are judged some at a time, of whom one in 97 leaves, and nobody of some thousands
    await merchant.configure(segment("risks_min = 1"))
    async with owner_engine.begin() as connection:
        for statement in MANY_ACCOUNTS:
            await connection.execute(text(statement))

    found, after = [], ""
    while page := await merchant.run(f"select id from duly.segment_accounts_behind('chosen', '{after}', 40)"):
        found += [row.id for row in page]
        after = found[-1]

    assert found == [f"many_{number:05}" for number in range(97, 26000, 97) if not 8000 <= number < 23000]


async def test_a_segment_of_transactions_is_counted_by_currency(
    cli: CommandLine, merchant: Merchant, people: None
) -> None:
    await merchant.configure(segment('classifications = ["invoice"]\nopen = true', "transactions"))

    shown = await cli.json("segments", "show", "chosen")
    before = await cli.json("segments", "show", "chosen", "--to", "2001-01-01")
    listed = await cli("segments", "members", "chosen", "--csv")

    assert shown["totals"] == [
        {"currency": "EUR", "number_of": 2, "total_minor": 5500, "open_minor": 3500},
        {"currency": "JPY", "number_of": 1, "total_minor": 3000, "open_minor": 3000},
    ]
    assert before["totals"] == []
    assert len(listed.stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("criteria", "about", "taken"),
    [
        ('currencies = ["EUR"]', "accounts", ["ada", "bo"]),
        ('classifications = ["invoice"]\naccounts = "in-germany"', "transactions", ["ada"]),
        ('classifications = ["invoice"]\naccounts = "nobody"', "transactions", []),
        ('classifications = ["invoice"]', "transactions", ["ada", "bo", "yuki"]),
    ],
)
async def test_pages_of_a_segment_are_of_one_statement(
    monkeypatch: pytest.MonkeyPatch, merchant: Merchant, database: Database, people: None,
    criteria: str, about: str, taken: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(segment_queries, "PAGE", 1)
    await merchant.configure(
        segment('regions = ["DE"]', id="in-germany")
        + segment('regions = ["XX"]', id="nobody")
        + segment(criteria, about)
    )
    queries, statements = segment_queries.SegmentQueries(database), []
    chosen = await queries.require("chosen")
    async with database.connection() as connection:
        engine = connection.engine.sync_engine

    def note(*happened: Any) -> None:
        statements.append(happened[2])

    event.listen(engine, "before_cursor_execute", note)
    pages = [page async for page in queries.members(chosen, None)]
    event.remove(engine, "before_cursor_execute", note)

    assert [len(page) for page in pages] == [1] * len(taken)
    assert sorted(page[0].id if about == "accounts" else page[0].account_id for page in pages) == taken
    assert len([one for one in statements if "duly.segment_" in one]) == 1


async def test_the_policy_of_a_label_comes_before_that_of_a_segment(
    merchant: Merchant, database: Database, people: None
) -> None:
    await merchant.configure(
        segment('minimum_balance = { EUR = "20.00" }', id="owing")
        + '[[dunning_policies]]\nid = "standard"\nsegment = "owing"\nlocal_hour = 10\n'
    )
    by_criteria = [await policy_segment(merchant, account) for account in ("ada", "bo")]
    await merchant.configure('[[dunning_policies]]\nid = "standard"\nsegment = "business"\nlocal_hour = 11\n')

    assert by_criteria == ["owing", ""]
    assert await policy_segment(merchant, "ada") == "business"


async def policy_segment(merchant: Merchant, account: str) -> Any:
    return await merchant.value("select (duly.policy_of(:id, '')).segment", id=account)


@pytest.mark.parametrize(
    "use",
    [
        '[[dunning_policies]]\nid = "standard"\nsegment = "owing"\nlocal_hour = 10\n',
        segment('accounts = "owing"', "transactions"),
    ],
)
async def test_a_segment_that_something_names_is_not_switched_off_unless_it_is_a_label(
    merchant: Merchant, people: None, use: str
) -> None:
    owing = '[[segments]]\nid = "owing"\nname = "Owing"\nabout = "accounts"\n'
    await merchant.configure(owing + use)

    with pytest.raises(RefusedError) as refused:
        await merchant.configure(owing + "active = false")
    await merchant.run("update duly.accounts set segment = 'owing' where id = 'bo'")
    await merchant.configure(owing + "active = false")

    assert [(one.field, one.rule) for one in refused.value.problems] == [("segments.0.active", "segment_in_use")]


async def test_a_run_names_a_segment_as_it_names_a_label(merchant: Merchant, people: None) -> None:
    await merchant.configure(segment('minimum_balance = { EUR = "20.00" }', id="owing"))

    left = await merchant.run(
        "select a.id, duly.left_out_because('{\"segments\": [\"owing\"]}', a, 'card', 1, false) as why"
        " from duly.accounts a where a.kind = 'customer' order by 1"
    )

    assert [tuple(row) for row in left] == [
        ("ada", None),
        ("bo", "segment_not_in_criteria"),
        ("yuki", "segment_not_in_criteria"),
    ]


async def test_a_segment_is_exported_as_it_was_applied(cli: CommandLine, merchant: Merchant) -> None:
    await merchant.configure(
        segment('minimum = { JPY = "3000" }\nposted = { from = 2026-01-01, to = 2026-03-31 }', "transactions")
    )

    exported = await cli.json("definitions", "export")

    assert exported["segments"] == [
        {
            "id": "chosen",
            "name": "Chosen",
            "about": "transactions",
            "criteria": {"minimum": {"JPY": "3000"}, "posted": {"from": "2026-01-01", "to": "2026-03-31"}},
            "active": True,
        }
    ]
