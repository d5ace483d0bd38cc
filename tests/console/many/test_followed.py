"""Mass actions are seen by all, gone on with and closed by whoever may, and nobody does a row of them twice."""

import re

from models.console.roles import ConsoleRole
from tests.console.conftest import Browser
from tests.console.many.test_assigning import listed
from tests.console.many.test_many import discrepancies, previewed, sent
from tests.console.saved.test_views import become
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.context import Web
from web.many.carrying import item_key

KEY = "a" * 32
PLACE = f"/many/sent/{KEY}"
WAITS = "/many?needs_person=yes"


async def cut_off(web: Web, merchant: Merchant, ids: list[str]) -> None:
    """Let maria begin on rows, and her process end in the middle of the first."""
    what = {"action": "discrepancies/resolve", "reason": "fees", "fields": {"as": "explained"}, "subjects": ids}
    await web.mass_actions.begin(KEY, user_id="maria", **what)  # type: ignore[arg-type]
    key = item_key(KEY, ids[0])
    await web.forms.begin(key, user_id="maria", action="discrepancies/resolve", subject=ids[0])
    await merchant.run("update duly.mass_actions set active_at = now() - interval '3 minutes'")


async def test_another_goes_on_with_the_rest_and_closes_what_nobody_knows(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, web: Web
) -> None:
    ids = await discrepancies(merchant, 3)
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    await cut_off(web, merchant, ids)

    # when somebody comes who may only see it, and then somebody who may do it
    await become(browser, "vera", ConsoleRole.VIEWER)
    seen = await browser.open(PLACE)
    refused = [(await browser.send(path)).status_code for path in (PLACE, f"{PLACE}/close")]
    await become(browser, "paul", ConsoleRole.OPERATOR)
    home, waits = await browser.open("/"), await browser.open(WAITS)
    offered = await browser.open(PLACE)
    await browser.send(PLACE)
    over = await browser.open(PLACE)
    after = await browser.open("/many?by=maria&state=over")
    await browser.send(f"{PLACE}/close")
    closed = await browser.open(PLACE)

    # then the rest is done once, in his name, and the one that was under way is not done a second time
    assert ("by maria" in seen, "has ended" in seen, "Go on with" in seen, refused) == (True, True, False, [403, 403])
    assert ("Actions on several rows that stopped" in home, PLACE in waits, "as paul" in offered) == (True, True, True)
    assert ("paul went on" in over, "2 done, 1 not known" in over, "close it" in over) == (True, True, True)
    assert PLACE in after
    assert ("Closed by paul" in closed, PLACE in await browser.open(WAITS)) == (True, False)
    assert "Actions on several rows that stopped" not in await browser.open("/")
    kept = (await cli.json("commands", "list", "--command", "reconcile resolve"))["commands"]
    assert sorted((one["actor"], one["subject"], one["reason"]) for one in kept) == sorted(
        ("paul", id, "fees") for id in ids[1:]
    )


async def test_what_is_dropped_is_not_done_and_who_still_carried_it_out_stops(
    acting: None, browser: Browser, merchant: Merchant, web: Web
) -> None:
    ids = await discrepancies(merchant, 2)
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    await cut_off(web, merchant, ids)

    await browser.open(PLACE)
    await browser.send(f"{PLACE}/close")
    again = [await web.mass_actions.close(KEY, "maria"), await web.mass_actions.take_over(KEY, "maria")]
    dropped = await browser.open(PLACE)
    # what was under way all the same says so
    await web.mass_actions.end_item(KEY, 1, "done", "Answer: resolved")

    assert ("2 dropped" in dropped, "Go on" in dropped, again) == (True, False, [False, False])
    assert [one.outcome for one in await web.mass_actions.items(KEY)] == ["done", "dropped"]
    assert await merchant.value("select count(*) from duly.discrepancies where state = 'open'") == 2


async def test_who_goes_back_to_a_preview_that_was_sent_is_led_to_what_became_of_it(
    acting: None, browser: Browser, merchant: Merchant
) -> None:
    ids = await discrepancies(merchant, 3)
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    # when the same rows of the same page are previewed after they were sent, then others of it
    page = await browser.open("/discrepancies?state=open")
    from_page = {"verb": "resolve", "page_key": re.findall(r'name="page_key" value="(\w+)"', page)[0]}
    shown = (await sent(browser, "/many/discrepancies", ids[:2], back="state=open", **from_page)).text
    (key,), (back,) = re.findall(r'name="key" value="(\w+)"', shown), re.findall(r'href="([^"]+)">Back<', shown)
    fields = {"verb": "resolve", "key": key, "as": "explained", "reason": "fees"}
    first = await sent(browser, "/many/discrepancies/send", ids[:2], **fields)
    await browser.open("/discrepancies")
    again = await sent(browser, "/many/discrepancies", ids[:2][::-1], **from_page)
    others = await sent(browser, "/many/discrepancies", ids[2:], **from_page)
    anew = await previewed(browser, "discrepancies", "resolve", ids[2:])

    # then the same are led to it, others are previewed, and the way back keeps what was chosen
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert (others.status_code, anew["ids"], anew["key"] == key) == (200, ids[2:], False)
    chosen = await browser.open(back.replace("&amp;", "&").replace("state=open&", ""))
    assert (listed(chosen), chosen.count(" checked>")) == (sorted(ids), 2)


async def test_what_a_page_asks_for_by_itself_keeps_nobody_signed_in(
    browser: Browser, merchant: Merchant, web: Web
) -> None:
    ids = await discrepancies(merchant, 1)
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    await cut_off(web, merchant, ids)
    await merchant.run("update duly.console_sessions set seen_at = now() - interval '20 minutes'")
    seen = "select extract(epoch from now() - max(seen_at))::integer / 60 from duly.console_sessions"

    by_itself = await browser.client.get(PLACE, headers={"hx-request": "true"})
    idle = await merchant.value(seen)
    await browser.open(PLACE)

    assert (by_itself.status_code, idle, await merchant.value(seen)) == (200, 20, 0)


async def test_who_is_limited_to_a_merchant_sees_none(browser: Browser, merchant: Merchant, web: Web) -> None:
    ids = await discrepancies(merchant, 1)
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    await cut_off(web, merchant, ids)
    await merchant.run("insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR')")

    await become(browser, "carla", ConsoleRole.ACCOUNTANT, "cafe")
    forms = [(await browser.send(path)).status_code for path in (PLACE, f"{PLACE}/close")]

    assert [await browser.status(path) for path in ("/many", "/many.csv", PLACE, f"{PLACE}.csv")] == [404] * 4
    assert forms == [404, 404]
