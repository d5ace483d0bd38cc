"""What is assigned to somebody who cannot look after it any more is found, and nobody else's work is written over."""

import re

import pytest

from activities.collections.queries import CollectionQueries
from activities.database import Database, RuleBrokenError
from models.console.roles import ConsoleRole
from tests.console.conftest import PASSWORD, Browser
from tests.console.many.test_assigning import WHO, listed
from tests.console.many.test_many import COLLECTIONS
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

AWAY = "/collections?state=open&assigned=away"


async def three(merchant: Merchant) -> list[str]:
    """Return the ids of three open collections."""
    account = await merchant.account(owes_minor=1190)
    await merchant.run(COLLECTIONS, account=account, many=3)
    return [f"{account}/2026-11-c{number}" for number in (1, 2, 3)]


async def give(database: Database, id: str, user: str, seen: str = "") -> None:
    account, _, period = id.rpartition("/")
    await CollectionQueries(database).assign(account, period, user, actor="ada", seen=seen)


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("how", [{"state": "disabled"}, {"role": ConsoleRole.VIEWER}, {"merchants": ["cafe"]}])
async def test_collections_of_who_cannot_look_after_them_any_more_wait_for_another(
    browser: Browser, database: Database, cli: CommandLine, merchant: Merchant, how: dict[str, object]
) -> None:
    ids = await three(merchant)
    await merchant.run("insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR')")
    await browser.sign_in(user="paul", role=ConsoleRole.OPERATOR)
    await browser.users.add("maria", ConsoleRole.AGENT, PASSWORD)
    await give(database, ids[0], "maria")
    await give(database, ids[1], "paul")
    before = listed(await browser.open(AWAY)), "Open collections of somebody" in await browser.open("/")

    await browser.users.change("maria", **how)  # type: ignore[arg-type]
    home, away = await browser.open("/"), await browser.open(AWAY)
    nobodys = listed(await browser.open("/collections?assigned=nobody"))
    by_command = (await cli.json("collections", "list", "--assigned-to", "away"))["collections"]
    await give(database, ids[0], "paul")

    assert before == ([], False)
    assert ("Open collections of somebody" in home, listed(away), "maria (away)" in away) == (True, ids[:1], True)
    assert (nobodys, [one["assigned_to"] for one in by_command]) == (ids[2:], ["maria"])
    assert (listed(await browser.open(AWAY)), "Open collections of" in await browser.open("/")) == ([], False)


async def test_nothing_is_assigned_to_who_could_not_look_after_it(
    browser: Browser, database: Database, cli: CommandLine, merchant: Merchant
) -> None:
    ids = await three(merchant)
    await merchant.run("insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR')")
    await browser.sign_in(user="paul", role=ConsoleRole.AGENT)
    await browser.users.add("vera", ConsoleRole.VIEWER, PASSWORD)
    await browser.users.add("carla", ConsoleRole.AGENT, PASSWORD, ["cafe"])
    await browser.users.add("gone", ConsoleRole.AGENT, PASSWORD)
    await browser.users.change("gone", state="disabled")

    rules = {}
    for user in ("vera", "carla", "gone", "nobody"):
        with pytest.raises(RuleBrokenError) as refused:
            await give(database, ids[0], user)
        rules[user] = refused.value.type
    offered = re.findall(r'<option value="(\w+)"', await browser.open(f"/do/collections/assign/{ids[0]}"))
    named = [
        (await cli("users", "add", word, "--role", "agent", "--generate", *WHO, "--json")).rules
        for word in ("me", "nobody", "away")
    ]

    assert rules == {
        "vera": "assignee_may_act",
        "carla": "assignee_sees_it",
        "gone": "user_exists",
        "nobody": "user_exists",
    }
    assert offered == ["paul"]
    assert [[rule for _, rule in found] for found in named] == [["user_is_name"]] * 3


async def test_of_two_who_assign_it_at_once_the_second_is_told_whose_it_is(
    acting: None, browser: Browser, database: Database, merchant: Merchant
) -> None:
    (id, other, _) = await three(merchant)
    await browser.sign_in(user="paul", role=ConsoleRole.AGENT)
    for user in ("ann", "bob"):
        await browser.users.add(user, ConsoleRole.AGENT, PASSWORD)

    # when the form is opened, and another assigns it before it is sent
    path = f"/do/collections/assign/{id}"
    browser.last = await browser.open(path)
    await give(database, id, "ann")
    late = await browser.send(path, user="bob", was_user="nobody", reason="mine")
    same = await browser.send(path, user="ann", was_user="nobody", reason="hers")
    shown = await browser.open(f"/do/collections/assign/{id}")
    browser.last = await browser.open(f"/do/collections/assign/{other}")
    free = await browser.send(f"/do/collections/assign/{other}", user="BOB ".strip(), was_user="nobody", reason="his")

    assert (late.status_code, "is assigned to ann by now" in late.text) == (422, True)
    assert (same.status_code, free.status_code) == (303, 303)
    assert ('<option value="ann" selected>' in shown, 'name="was_user" value="ann"' in shown) == (True, True)
    assert await merchant.value("select user_id from duly.collection_assignees where period like '%c2'") == "bob"
