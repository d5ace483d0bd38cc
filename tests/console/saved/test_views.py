"""Filters of lists, kept under a name: a person's own, or shared with all by an administrator."""

import re
from html import unescape

import pytest

from activities.console.saved_views import SavedViews
from activities.database import Database
from models.console.console_user import ConsoleUser
from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, Browser
from tests.support.builders import Merchant

OPEN = "state=open&account=&run="
_ID = re.compile(r'name="id" value="(view_[0-9a-f]{32})"')


async def keep(browser: Browser, query: str, name: str, **fields: str) -> str:
    """Keep what a list shows, and return its address, or why it is refused."""
    await browser.open(f"/views/collections?{query}")
    answer = await browser.send(f"/views/collections?{query}", OURS, do="save", name=name, **fields)
    refused = "; ".join(re.findall(r"<li>(.*?)</li>", answer.text))
    return unescape(answer.headers.get("location", refused))


def views_in(page: str) -> list[tuple[str, str]]:
    """Return the addresses and names of the views above a list."""
    found = re.findall(r'<a class="chip" href="([^"]+)"[^>]*><bdi>([^<]+)</bdi></a>', page)
    return [(unescape(href), name) for href, name in found]


async def become(browser: Browser, user: str, role: ConsoleRole, *merchants: str) -> None:
    """Sign out, and in as another."""
    await browser.send("/sign-out")
    browser.last = ""
    await browser.users.add(user, role, PASSWORD, merchants)
    await browser.send("/sign-in", OURS, user=user, password=PASSWORD, to="/")
    await browser.open("/")


async def test_a_list_is_kept_opened_renamed_and_deleted_and_its_address_is_the_lists(browser: Browser) -> None:
    await browser.sign_in(role=ConsoleRole.VIEWER)

    # when an open list is kept under a name
    before = await browser.open("/collections?state=open")
    place = await keep(browser, OPEN, "Mornings")
    again = await keep(browser, OPEN, "Mornings")
    shown = await browser.open(place)

    # then it stands above the list, whose address is the view's own; days that are shown stay
    assert ("Save as a view" in before, "Save as a view" in shown) == (True, False)
    assert (place, again) == ("/collections?state=open", "/collections?state=open")
    assert views_in(await browser.open("/collections")) == [(place, "Mornings")]
    assert views_in(await browser.open("/collections?from=2026-11-01")) == [(f"{place}&from=2026-11-01", "Mornings")]
    assert views_in(await browser.open("/refunds")) == []

    # and it is renamed and deleted, also twice
    (id,) = _ID.findall(await browser.open("/views/collections"))
    await browser.send("/views/collections", do="rename", id=id, name="Every morning")
    renamed = views_in(await browser.open("/collections"))
    await browser.open("/views/collections")
    gone = [(await browser.send("/views/collections", do="delete", id=id)).status_code for _ in range(2)]
    assert renamed == [(place, "Every morning")]
    assert (gone, views_in(await browser.open("/collections"))) == ([303, 303], [])


async def test_what_is_shared_is_administrators_and_what_is_ones_own_is_nobody_elses(browser: Browser) -> None:
    await browser.sign_in(user="paul", role=ConsoleRole.ADMINISTRATOR)
    await keep(browser, OPEN, "For all", shared="yes")
    await keep(browser, "state=settled", "Mine")
    own = _ID.findall(await browser.open("/views/collections"))

    # when somebody else comes
    await become(browser, "maria", ConsoleRole.AGENT)
    seen = [name for _, name in views_in(await browser.open("/collections"))]
    offered = _ID.findall(await browser.open("/views/collections"))
    changed = [(await browser.send("/views/collections", do="delete", id=id)).status_code for id in own]
    sharing = await keep(browser, OPEN, "Hers", shared="yes")
    await keep(browser, "state=settled", "for all")

    # then the shared one is seen and not changed, and a name is taken among one's own alone
    assert (seen, offered, changed) == (["For all"], [], [422, 422])
    assert "administrators" in sharing
    assert [name for _, name in views_in(await browser.open("/collections"))] == ["for all", "For all"]


async def test_what_is_kept_is_a_filter_of_the_list_short_printable_and_no_card_number(
    browser: Browser, database: Database
) -> None:
    await browser.sign_in()

    wrong = {
        name: await keep(browser, query, name)
        for name, query in {
            "": OPEN,
            "x" * 61: OPEN,
            "paid\x1b[2J": OPEN,
            "4242 4242 4242 4242": OPEN,
            "a card": "account=4242424242424242",
            "long": "account=" + "x" * 2001,
        }.items()
    }
    nothing = await browser.send("/views/collections", do="save", name="All")
    statuses = [await browser.status(path) for path in ("/views/nothing", "/views/collections?state=asleep")]
    await keep(browser, OPEN, "One")
    taken = await keep(browser, "state=settled", "one")

    assert [re.sub(r".*\((\w+)\)", r"\1", why) for why in wrong.values()] == [
        *("field_given", "text_length", "text_printable", "no_card_number", "no_card_number", "text_length"),
    ]
    assert (nothing.status_code, "filter the list first" in nothing.text, statuses) == (422, True, [404, 422])
    assert "there is a view One" in taken
    # and there are so many at most
    views, user = SavedViews(database), ConsoleUser("maria", ConsoleRole.ACCOUNTANT)
    for number in range(19):
        await views.save(user, "collections", f"View {number}", {"state": "open"}, is_shared=False)
    assert "there are 20 own views" in await keep(browser, OPEN, "Another")


async def test_who_changes_views_goes_back_to_what_was_shown(browser: Browser, merchant: Merchant) -> None:
    account = await merchant.account(cards=())
    await browser.sign_in(role=ConsoleRole.ADMINISTRATOR)
    shown = f"/timeline?account={account}&kind=note"
    await browser.open(shown.replace("/timeline", "/views/timeline"))
    await browser.send(shown.replace("/timeline", "/views/timeline"), do="save", name="Notes")

    # when its list, which is of nothing without an account, leads to its views, and one is renamed there
    (change,) = re.findall(r'href="([^"]+)">Change views<', await browser.open(f"/timeline?account={account}"))
    page = await browser.open(unescape(change))
    (id,) = _ID.findall(page)
    renamed = await browser.send(unescape(change), do="rename", id=id, name="All notes")
    back = [
        unescape(re.findall(r'href="([^"]+)">Back to', one)[0])
        for one in (page, await browser.open(renamed.headers["location"]))
    ]

    assert [await browser.status(one) for one in back] == [200, 200]
    assert back == [f"/timeline?account={account}"] * 2


async def test_names_that_look_the_same_are_the_same_and_none_is_unseen(browser: Browser) -> None:
    await browser.sign_in(role=ConsoleRole.ADMINISTRATOR)

    await keep(browser, OPEN, "Café")
    same = await keep(browser, "state=settled", "Cafe\u0301")
    unseen = [await keep(browser, "state=settled", name) for name in ("\u200d", "\u3164", "\u0301")]

    assert "there is a view Café" in same
    assert [re.sub(r".*\((\w+)\)", r"\1", why) for why in unseen] == ["text_printable"] * 3
    # and what was refused stays in its form, whether it was to be shared, too
    await browser.open(f"/views/collections?{OPEN}")
    again = await browser.send(f"/views/collections?{OPEN}", do="save", name="x" * 61, shared="yes")
    (id,) = _ID.findall(await browser.open("/views/collections"))
    renamed = await browser.send("/views/collections", do="rename", id=id, name="\u200d")
    assert ('value="yes" checked' in again.text, f'value="{"x" * 61}" aria-invalid' in again.text) == (True, True)
    assert ("Rename<span" in renamed.text, "<bdi>Café</bdi>" in renamed.text) == (True, True)


@pytest.mark.parametrize("shared", ["", "yes"])
async def test_who_is_limited_to_a_merchant_has_views_of_their_own_lists_alone(
    browser: Browser, merchant: Merchant, shared: str
) -> None:
    await merchant.run("insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR')")
    await browser.sign_in(user="paul", role=ConsoleRole.ADMINISTRATOR)
    await browser.open("/views/accounts?state=active")
    await browser.send("/views/accounts?state=active", do="save", name="Of the house", shared=shared)

    await become(browser, "carla", ConsoleRole.AGENT, "cafe")
    await browser.open("/views/accounts?state=suspended")
    await browser.send("/views/accounts?state=suspended", do="save", name="Asleep")

    assert views_in(await browser.open("/accounts")) == [("/accounts?state=suspended", "Asleep")]
    assert [await browser.status(f"/views/{noun}") for noun in ("accounts", "runs", "sign-ins")] == [200, 404, 404]
