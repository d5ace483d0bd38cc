"""Accounts in the console: made, edited and put into another state, by the rules and in the words of the commands."""

import re
from html import unescape

from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, Browser
from tests.console.test_actions import done, refused
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

CREATE = "/do/accounts/create/new"
NEW = {"account_id": "cust-7", "owner_name": "Zoë Ångström", "currency": "EUR", "email": "zoe@example.com"}
REST = {"locale": "en", "time_zone": "UTC"}
_FIELD = re.compile(r'<(?:input|textarea)[^>]* name="([a-z_]+)"[^>]* value="([^"]*)"')


def shown_in(page: str) -> dict[str, str]:
    """Return the fields of a form as it shows them, but for its key, token and reason; selects are left out."""
    found = {name: unescape(value) for name, value in _FIELD.findall(page)}
    return {name: value for name, value in found.items() if name not in {"key", "form_token", "reason", "words"}}


async def changed(browser: Browser, path: str, reason: str, **fields: str) -> dict[str, str]:
    """Open a form, and return what it would send with these fields changed."""
    return {**shown_in(await browser.open(path)), **fields, "reason": reason}


async def test_an_account_is_made_once_and_what_is_wrong_is_said_by_field(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given an accountant on the list of accounts
    await browser.sign_in()
    listed = await browser.open("/accounts")

    # when she makes one, twice, and others wrongly
    wrong = [
        await refused(browser, CREATE, **{**NEW, **REST, **bad}, reason="signed today")
        for bad in ({"currency": "XXQ"}, {"account_id": "a b"}, {"email": "zoe"}, {"time_zone": "Nowhere"})
    ]
    nobody = await refused(browser, CREATE, **{**NEW, **REST}, reason="")
    secret = await refused(browser, CREATE, **{**NEW, **REST, "owner_name": "4242 4242 4242 4242"}, reason="x")
    page = await done(browser, CREATE, **NEW, **REST, segment="business", credit_limit="100.00", reason="signed today")
    again = await done(browser, CREATE, **NEW, **REST, segment="business", credit_limit="100.00", reason="signed today")
    other = await refused(browser, CREATE, **{**NEW, **REST, "owner_name": "Ann"}, reason="signed today")

    # then
    assert f'href="{CREATE}" data-new>New account' in listed
    assert [one[0].partition(":")[0] for one in wrong] == ["currency", "account_id", "email", "time_zone"]
    assert ("command_says_who_and_why" in nobody[0], "no_card_number" in secret[0]) == (True, True)
    assert ("Account: created" in page, "/accounts/cust-7" in page, "unchanged" in again) == (True, True, True)
    assert "id_means_one_account" in other[0]
    kept = await cli.json("accounts", "show", "cust-7")
    assert (kept["owner_name"], kept["credit_limit_minor"], kept["segment"]) == ("Zoë Ångström", 10000, "business")
    assert [(one["actor"], one["reason"]) for one in kept["changes"]] == [("maria", "signed today")]
    command = next(one for one in (await cli.json("commands", "list"))["commands"] if one["name"] == "accounts create")
    assert (command["subject"], command["actor"]) == ("cust-7", "maria")


async def test_only_what_somebody_changes_is_changed_and_what_is_emptied_is_cleared(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given an account with a limit, and two people with its form before them
    await browser.sign_in()
    await done(browser, CREATE, **NEW, **REST, credit_limit="100.00", reason="signed today")
    path = "/do/accounts/edit/cust-7"
    first = await changed(browser, path, "she has moved", time_zone="Europe/Berlin", credit_limit="")

    # when another changes owner and region meanwhile, and both forms are sent
    others = ("--region", "north", "--owner", "Z. A.", "--actor", "paul", "--reason", "she has written")
    await cli.json("accounts", "edit", "cust-7", *others)
    sent = await browser.send(path, OURS, **first)
    late = await browser.send(path, OURS, **{**first, "key": "0" * 32, "owner_name": "Zoë Berg"})
    unchanged = await changed(browser, path, "nothing")
    nothing = await browser.send(path, OURS, **unchanged)

    # then the other's changes are still there, and the same field is not written over
    assert sent.status_code == 303, sent.text
    kept = await cli.json("accounts", "show", "cust-7")
    assert (kept["time_zone"], kept["credit_limit_minor"], kept["region"]) == ("Europe/Berlin", None, "north")
    assert kept["owner_name"] == "Z. A."
    assert (late.status_code, "field_is_as_seen" in late.text, "Zoë Berg" in late.text) == (422, True, True)
    assert (nothing.status_code, "something_changes" in nothing.text) == (422, True)
    assert kept["changes"][0]["reason"] == "she has moved"


async def test_an_account_is_suspended_terminated_and_reactivated_as_its_state_allows(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(cards=())
    await browser.sign_in()
    states, offered = [], []

    for verb in ("suspend", "reactivate", "terminate"):
        page = await browser.open(f"/accounts/{account}")
        offered.append(sorted(re.findall(r"/do/accounts/(suspend|terminate|reactivate)/", page)))
        await done(browser, f"/do/accounts/{verb}/{account}", reason="as agreed")
        states.append((await cli.json("accounts", "show", account))["state"])
    closed = await browser.open(f"/accounts/{account}")

    assert states == ["suspended", "active", "terminated"]
    assert offered == [["suspend", "terminate"], ["reactivate", "terminate"], ["suspend", "terminate"]]
    assert "Not while terminated: " in closed


async def test_who_may_not_change_accounts_is_not_offered_it(browser: Browser, merchant: Merchant) -> None:
    account = await merchant.account()
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    listed, page = await browser.open("/accounts"), await browser.open(f"/accounts/{account}")

    assert ("accounts/create" in listed, "accounts/edit" in page, "accounts/suspend" in page) == (False, False, False)
    assert [await browser.status(path) for path in (CREATE, f"/do/accounts/edit/{account}")] == [403, 403]
