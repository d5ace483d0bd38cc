"""The timeline of an account: all that has happened, in one list, newest first, and nothing of another's."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

from activities.console.timeline import KINDS, AccountTimeline, timeline_of
from activities.database import Database
from models.console.roles import ConsoleRole
from models.listing import ListPage
from tests.console.conftest import Browser
from tests.operations.lists.conftest import busy  # noqa: F401  # the fixture
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


async def test_everything_of_an_account_stands_in_one_list_newest_first(
    busy: list[str],  # noqa: F811
    cli: CommandLine,
    database: Database,
    merchant: Merchant,
) -> None:
    # given an account with something of each kind, and another one
    account = busy[0]
    (invoice,) = await merchant.run(
        "select id from duly.financial_transactions where account_id = :id and classification = 'invoice'", id=account
    )
    await cli.json("transactions", "note", invoice.id, "has called", "--actor", "ada")
    await cli.json("accounts", "edit", account, "--segment", "gold", "--actor", "ada", "--reason", "has grown")

    # when all of it is read, and then by pages of three
    whole = (await AccountTimeline(database).page(account, ListPage(limit=200))).rows
    pages: list[Any] = []
    after = ""
    while True:
        page = await AccountTimeline(database).page(account, ListPage(after=after, limit=3))
        pages += page.rows
        if not page.following:
            break
        after = page.following

    # then each kind is there once in its order, and nothing is the other account's
    assert {row.kind for row in whole} >= {
        "document",
        "note",
        "attempt",
        "letter",
        "dispute",
        "request",
        "card",
        "account",
    }
    assert [row.key for row in pages] == [row.key for row in whole]
    assert [row.at for row in whole] == sorted((row.at for row in whole), reverse=True)
    assert len({row.key for row in whole}) == len(whole)
    other = (await AccountTimeline(database).page(busy[1], ListPage(limit=200))).rows
    assert not {row.key for row in other} & {row.key for row in whole}


async def test_the_console_shows_it_by_kind_to_whoever_may_see(
    browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    (invoice,) = await merchant.run("select id from duly.financial_transactions where account_id = :id", id=account)
    await cli.json("transactions", "note", invoice.id, "has called", "--actor", "ada")
    await browser.sign_in(role=ConsoleRole.VIEWER)

    part = await browser.open(f"/accounts/{account}/timeline")
    notes = unescape(await browser.open(f"/timeline?account={account}&kind=note"))

    assert "has called" in part
    assert re.findall(r"<td>(\w+)</td><td><a href=\"/transactions/(\w+)\"[^>]*>has called", notes) == [
        ("note", invoice.id)
    ]
    assert await browser.status("/timeline") == 404
    assert await browser.status(f"/timeline?account={account}&after=x") == 404


async def test_days_and_kinds_narrow_it(database: Database, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=1190)
    today = datetime.now(UTC).date()

    rows = {
        kind: (await AccountTimeline(database).page(account, ListPage(since=today, until=today), kind=kind)).rows
        for kind in KINDS
    }
    before = await AccountTimeline(database).page(account, ListPage(until=today.replace(year=today.year - 1)))

    assert {kind for kind, of in rows.items() if of} == {"document", "card"}
    assert before.rows == []


async def test_each_part_is_found_by_the_account_however_many_there_are(database: Database) -> None:
    wanted = timeline_of("acc_1", ListPage())

    async with database.transaction() as connection:
        written = str(wanted.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        await connection.exec_driver_sql("set local enable_seqscan = off")
        plan = (await connection.exec_driver_sql("explain " + written.replace("%", "%%"))).scalars().all()

    assert [line for line in plan if "Seq Scan" in line] == []
    assert [line for line in plan if "Filter: (account_id" in line or "Filter: (subscription_id" in line] == []
