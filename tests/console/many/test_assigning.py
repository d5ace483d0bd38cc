"""Somebody looks after a collection: assigned by the console or a command, found among one's own."""

import re

from models.console.roles import ConsoleRole
from tests.console.conftest import Browser
from tests.console.many.test_many import COLLECTIONS, previewed, sent
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "paul", "--reason", "on holiday")


def listed(page: str) -> list[str]:
    """Return the collections of a list's page."""
    return sorted(re.findall(r'name="id" value="([^"]+)"', page))


async def test_collections_are_assigned_at_once_and_ones_own_are_found_by_a_view_that_is_everybodys(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=1190)
    await merchant.run(COLLECTIONS, account=account, many=3)
    ids = [f"{account}/2026-11-c{number}" for number in (1, 2, 3)]
    await browser.sign_in(role=ConsoleRole.AGENT)

    # when two are assigned to her, and one of them is given away again
    shown = await previewed(browser, "collections", "assign", ids[:2])
    fields = {"verb": "assign", "key": shown["key"], "user": "maria", "reason": "mine"}
    answer = await sent(browser, "/many/collections/send", shown["ids"], **fields)
    assigned = await browser.open(answer.headers["location"])
    both = listed(await browser.open("/collections?assigned=me"))
    given = await cli.json("collections", "assign", account, "2026-11-c1", *WHO)
    wrong = {
        words: (await cli("collections", "assign", *words, *WHO, "--json")).rules
        for words in ((account, "2026-11-c9"), (account, "2026-11-c1", "--user", "nobody"))
    }

    # then they are hers, and the one is nobody's
    assert '<option value="maria">' in shown["page"]
    assert ("2 done" in assigned, both) == (True, ids[:2])
    assert listed(await browser.open("/collections?assigned=me")) == ids[1:2]
    assert listed(await browser.open("/collections?assigned=maria")) == ids[1:2]
    assert (given["assigned_to"], [[rule for _, rule in found] for found in wrong.values()]) == (
        *("", [["collection_exists"], ["user_exists"]]),
    )
    kept = (await cli.json("collections", "list", "--assigned-to", "maria"))["collections"]
    assert [(one["period"], one["assigned_to"]) for one in kept] == [("2026-11-c2", "maria")]
