"""Forms of the console that are sent late, twice at once, or again: done once, and nothing typed is lost."""

import asyncio
import re
from html import unescape

import pytest

from activities.console.forms import ConsoleForms
from activities.console.users import Users
from activities.database import Database, DatabaseUnavailableError
from tests.console.conftest import OURS, PASSWORD, Browser
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
NOTE = "called „today“ <b>"


async def form_of_note(browser: Browser, cli: CommandLine, merchant: Merchant) -> str:
    account = await merchant.account(owes_minor=1190)
    (invoice,) = (await cli.json("transactions", "list", "--account", account))["transactions"]
    return f"/do/transactions/note/{invoice['id']}"


async def notes(merchant: Merchant) -> list[str]:
    return [row.note for row in await merchant.run("select note from duly.transaction_notes")]


async def test_a_form_of_a_session_that_is_over_is_not_done_and_comes_back_as_it_was_filled_in(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given a form that is filled in while its session ends
    path = await form_of_note(browser, cli, merchant)
    await browser.sign_in()
    await browser.open(path)
    browser.client.cookies.clear()

    # when it is sent, and again after the next sign-in, and once more as it is shown then
    over = await browser.send(path, note=NOTE, reason="a call")
    kept = {name: unescape(value) for name, value in _HIDDEN.findall(over.text)}
    await browser.send("/sign-in", user="maria", password=PASSWORD, to="/")
    again = await browser.client.post(path, data=kept, headers=OURS)
    before = await notes(merchant)
    browser.last = again.text
    sent = await browser.send(path, note=NOTE, reason="a call")

    # then it was done when it was sent in a session, with the key that it had
    assert [one.status_code for one in (over, again, sent)] == [401, 403, 303]
    assert (kept["note"], "form_token" in kept) == (NOTE, False)
    assert NOTE in unescape(again.text)
    assert "opened in another session" in again.text
    assert (before, await notes(merchant)) == ([], [NOTE])
    assert sent.headers["location"] == f"/sent/{kept['key']}"


async def test_a_search_of_a_session_that_is_over_is_asked_for_again_and_shows_nothing_before(browser: Browser) -> None:
    await browser.sign_in()
    await browser.open("/")
    browser.client.cookies.clear()

    over = await browser.send("/search", words="müll")
    await browser.send("/sign-in", user="maria", password=PASSWORD, to="/")
    other = await browser.client.post("/search", data={"words": "müll", "form_token": "0" * 64}, headers=OURS)
    browser.last = other.text

    assert (over.status_code, "müll" in over.text, 'name="form_token"' in over.text) == (401, True, False)
    assert (other.status_code, "in which you are maria" in other.text) == (403, True)
    assert (await browser.send("/search", words="müll")).status_code == 200


async def test_who_goes_back_to_a_form_that_was_sent_is_led_to_what_became_of_it(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    path = await form_of_note(browser, cli, merchant)
    await browser.sign_in()
    address = (await browser.client.get(path)).headers["location"]
    await browser.open(address)
    refused = await browser.send(path, note=NOTE, reason="")
    corrected = await browser.open(address)
    sent = await browser.send(path, note=NOTE, reason="a call")

    back = await browser.client.get(address)

    assert (refused.status_code, 'name="note"' in corrected) == (422, True)
    assert 'aria-invalid="true" autofocus aria-describedby="w-reason h-reason"' in refused.text
    assert 'id="w-reason">say why</div>' in refused.text
    assert (back.status_code, back.headers["location"]) == (303, sent.headers["location"])
    assert (await browser.client.get(path)).headers["location"] != address


async def test_of_two_at_the_same_moment_the_second_is_refused_in_the_words_of_the_first(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    # given a form that will be refused, and one that will be done
    account = await merchant.account(owes_minor=1190)
    (invoice,) = (await cli.json("transactions", "list", "--account", account))["transactions"]
    path = f"/do/transactions/quick-pay/{invoice['id']}"
    await browser.sign_in()

    # when each is sent twice at once
    answers = {}
    for method in ("barter", "cash"):
        await browser.open(path)
        fields = {"amount": "11.90", "method": method, "reason": "at the counter"}
        answers[method] = await asyncio.gather(*(browser.send(path, OURS, **fields) for _ in range(2)))

    # then both answers say the same, and the money came once
    wrong, right = answers.values()
    assert [one.status_code for one in (*wrong, *right)] == [422, 422, 303, 303]
    assert len({one.headers["location"] for one in right}) == 1
    paid = await merchant.run("select count(*) from duly.financial_transactions where classification = 'payment'")
    assert paid[0][0] == 1


async def test_a_form_that_is_under_way_follows_itself_and_one_that_never_came_says_so(
    browser: Browser, database: Database, merchant: Merchant
) -> None:
    await browser.sign_in()
    keys = {"new": "a" * 32, "old": "b" * 32}
    for key in keys.values():
        await browser_forms(database, key)
    await merchant.run(
        "update duly.console_forms set sent_at = now() - interval '3 hours' where key = :key", key=keys["old"]
    )

    new, old = [await browser.open(f"/sent/{key}") for key in keys.values()]
    never = await browser.client.get(f"/sent/{'c' * 32}")

    assert ("under way" in new, f'hx-get="/sent/{keys["new"]}"' in new) == (True, True)
    assert ("not known" in old, "hx-get" in old, "Nobody knows" in old) == (True, False, True)
    assert (never.status_code, "Nothing was done by this form" in never.text) == (404, True)


async def test_a_form_that_meets_no_database_comes_back_with_what_was_typed_and_is_done_once(
    acting: None,
    browser: Browser,
    cli: CommandLine,
    merchant: Merchant,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a database that goes away between a form's beginning and its end
    path = await form_of_note(browser, cli, merchant)
    await browser.sign_in()
    await browser.open(path)

    async def away(*_arguments: object, **_given: object) -> None:
        raise DatabaseUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(ConsoleForms, "begin", away)
        lost = await browser.send(path, note=NOTE, reason="a call")
        patched.setattr(Users, "of_session", away)
        shown = await browser.client.get(path)

    # when it is back, and the form is sent again from the page that says so
    kept = {name: unescape(value) for name, value in _HIDDEN.findall(lost.text)}
    sent = [await browser.client.post(path, data=kept, headers=OURS) for _ in range(2)]

    assert (lost.status_code, "nobody knows" in lost.text, NOTE in unescape(lost.text)) == (503, True, True)
    assert (shown.status_code, f'href="{path}">Try again' in shown.text) == (503, True)
    assert [one.status_code for one in sent] == [303, 303]
    assert await notes(merchant) == [NOTE]


async def browser_forms(database: Database, key: str) -> None:
    """Keep a form that is under way."""
    await database.call("begin_form", key=key, user_id="maria", action="transactions/note", subject="ft_1")
