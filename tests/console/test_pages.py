"""The pages of the console: each is there, is read in a few statements, leads on, and shows what the lists show."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event

from activities.console.search import Search
from activities.database import Database
from models.console.roles import ConsoleRole
from tests.console.conftest import Browser
from tests.operations.lists.conftest import busy  # noqa: F401  # the fixture
from tests.support.builders import Merchant
from web.app import OBJECTS
from web.context import Web
from web.views.record_lists import LISTS

STATEMENTS_AT_MOST = 6
_LINKS = re.compile(r'(?:href|hx-get)="(/[^"]*)"')


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Note the statements of a page; the session's is one more, by the driver."""
    found = ["session"]

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("set statement_timeout"):
            found.append(statement)

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def links_in(page: str) -> list[str]:
    return [
        unescape(link).partition("#")[0]
        for link in _LINKS.findall(page)
        if not link.startswith(("/assets/", "/sign-in"))
    ]


def pattern_of(path: str) -> str:
    """Return the address of a page without its ids."""
    patterns = {template: re.sub(r"\{id(:path)?\}", "[^?]+", template) for template in OBJECTS}
    place = path.partition("?")[0]
    for template, pattern in sorted(patterns.items(), key=lambda one: -len(one[0])):
        if re.fullmatch(pattern, place):
            return template
    return place


@pytest.mark.parametrize("of_a_kind", [2, pytest.param(4, marks=pytest.mark.nightly)])
async def test_every_page_that_another_leads_to_is_there_and_read_in_six_statements(
    browser: Browser,
    busy: list[str],  # noqa: F811
    database: Database,
    merchant: Merchant,
    of_a_kind: int,
) -> None:
    # given somebody who may see everything, and a company with something on every list
    await browser.sign_in(role=ConsoleRole.ADMINISTRATOR)
    await merchant.configure('[[segments]]\nid = "everybody"\nname = "Everybody"\nabout = "accounts"')
    waiting, seen, counts = (
        ["/", *(f"/{of.noun}" for of in LISTS.values() if not of.required)],
        set[str](),
        Counter[str](),
    )
    slow: dict[str, int] = {}

    # when every link is followed, of one kind of page a few times
    while waiting:
        path = waiting.pop(0)
        if path in seen or counts[kind := pattern_of(path)] >= of_a_kind:
            continue
        seen.add(path)
        counts[kind] += 1
        with counted(database) as statements:
            page = await browser.open(path)
        if len(statements) > STATEMENTS_AT_MOST:
            slow[path] = len(statements)
        waiting += links_in(page)

    # then all are there, quickly, and no kind of page was left out
    assert slow == {}
    assert set(OBJECTS) - set(counts) == set()


async def test_an_export_is_what_is_on_the_screen_and_ends_with_what_it_comes_to(
    browser: Browser, merchant: Merchant
) -> None:
    accounts = [await merchant.account(owes_minor=1190 * number) for number in (1, 2)]
    await merchant.run("update duly.accounts set owner_name = '=cmd()' where id = :id", id=accounts[0])
    await merchant.run("update duly.accounts set state = 'suspended' where id = :id", id=accounts[1])
    await browser.sign_in()

    shown = await browser.open("/accounts?state=active")
    answer = await browser.client.get("/accounts.csv?state=active")

    rows = list(csv.reader(io.StringIO(answer.text)))
    assert accounts[0] in shown
    assert accounts[1] not in shown
    assert rows[0][:5] == ["Account", "Owner", "State", "Balance", "Balance currency"]
    assert rows[1][:5] == [accounts[0], "'=cmd()", "active", "11.90", "EUR"]
    assert rows[2:] == [["Rows", "1"], ["Total: Balance", "11.90", "EUR"]]


async def test_a_third_export_of_one_person_at_once_is_asked_to_come_back_and_others_go_on(
    browser: Browser, web: Web
) -> None:
    await browser.sign_in()
    turns = web.exports

    async with turns.of("maria"), turns.of("maria"):
        own = await browser.client.get("/accounts.csv")
    async with turns.of("paul"), turns.of("paul"):
        others = await browser.status("/accounts.csv")
    async with turns.of("a"), turns.of("a"), turns.of("b"), turns.of("b"), turns.of("c"), turns.of("c"):
        full = await browser.client.get("/accounts.csv")

    assert (own.status_code, "2 of yours are under way" in own.text) == (429, True)
    assert (full.status_code, "Those of others are under way" in full.text) == (429, True)
    assert (others, await browser.status("/accounts.csv")) == (200, 200)


async def test_a_list_goes_on_behind_its_last_row_and_names_a_filter_that_is_none(
    browser: Browser, merchant: Merchant
) -> None:
    accounts = [await merchant.account(cards=()) for _ in range(51)]
    await browser.sign_in(role=ConsoleRole.VIEWER)

    first = await browser.open("/accounts?state=active")
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = await browser.open(unescape(older))
    wrong = await browser.open("/accounts?state=asleep&from=yesterday")

    assert [one for one in accounts if f'/accounts/{one}"' not in first] == accounts[:1]
    assert f'/accounts/{accounts[0]}"' in second
    assert "is none of active, suspended, terminated" in wrong
    assert "is not a day like 2026-11-26" in unescape(wrong)
    assert "Export" not in first
    assert await browser.status("/accounts.csv") == 403


async def test_a_page_behind_a_row_that_somebody_made_up_is_refused_or_the_first(
    browser: Browser, merchant: Merchant
) -> None:
    _ = await merchant.account(owes_minor=1190)
    await browser.sign_in(role=ConsoleRole.VIEWER)

    far = await browser.open(f"/transactions?after=ft_{'9' * 19}")

    assert "/transactions/ft_1" in far
    assert [await browser.status(f"/transactions?after={wrong}") for wrong in ("x", "%00", "ft_-1")] == [404] * 3


async def test_search_finds_a_person_by_whatever_they_say_and_jumps_to_an_exact_id(
    browser: Browser, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    await merchant.run(
        "update duly.accounts set owner_name = 'Jürgen Müller', email = 'jm@shop.example' where id = :id", id=account
    )
    await merchant.account()
    (number,) = await merchant.run("select number, transaction_id from duly.transaction_numbers")
    await browser.sign_in(role=ConsoleRole.AGENT)

    places = {
        words: (await browser.send("/search", words=words)).headers.get("location")
        for words in (
            "jürg mull",
            "jm@shop",
            account,
            number.number,
            f"R{number.transaction_id[3:]}",
            "nobody",
            "' | x",
            "2026-11-05",
            "5.11.2026",
            "2026-11-31",
        )
    }

    assert places == {
        "jürg mull": f"/accounts/{account}",
        "jm@shop": f"/accounts/{account}",
        account: f"/accounts/{account}",
        number.number: f"/transactions/{number.transaction_id}",
        f"R{number.transaction_id[3:]}": f"/transactions/{number.transaction_id}",
        "nobody": None,
        "' | x": None,
        "2026-11-05": "/transactions?from=2026-11-05&to=2026-11-05",
        "5.11.2026": "/transactions?from=2026-11-05&to=2026-11-05",
        "2026-11-31": None,
    }


async def test_people_are_found_by_the_index_of_their_words(database: Database) -> None:
    with counted(database) as statements:
        await Search(database).accounts("mull")
    asked = next(one for one in statements if "to_tsquery" in one)
    filled = re.sub(r"%\((\w+)\)s(::\w+)?", lambda one: "20" if "param" in one[1] else "'x'", asked)

    async with database.transaction() as connection:
        await connection.exec_driver_sql("set local enable_seqscan = off")
        plan = (await connection.exec_driver_sql("explain " + filled.replace("%", "%%"))).scalars().all()

    assert "accounts_by_words" in "\n".join(plan)


@pytest.mark.parametrize("path", ["/accounts/nobody", "/transactions/ft_999", "/runs/run/x/2026-01", "/nowhere"])
async def test_what_is_not_there_says_so(browser: Browser, path: str) -> None:
    await browser.sign_in(role=ConsoleRole.VIEWER)

    answer = await browser.client.get(path)

    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)
