"""Into the portal: by a link that is mailed, once and soon, answered alike to everybody, and to one account alone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from tests.portal.conftest import OURS, URL, Customer, reachable
from tests.support.builders import Merchant
from web.assets import own_assets
from web.portal.app import build_portal
from web.portal.context import Portal
from web.portal.limits import PortalLimits


async def letters(database: Database) -> list[str]:
    return [row.account_id for row in await database.rows("select account_id from duly.messages order by account_id")]


async def test_a_link_is_written_for_each_account_of_an_address_and_nobody_is_told_whether_there_is_one(
    customer: Customer, database: Database, merchant: Merchant
) -> None:
    first = await reachable(merchant, await merchant.account(cards=()))
    second = await reachable(merchant, await merchant.account(cards=()), email="Anna@Example.com")
    await reachable(merchant, await merchant.account(cards=()), email="bert@example.com")

    answers = [await customer.send("/sign-in", email=email) for email in ("ANNA@example.com", "nobody@example.com")]

    assert {(one.status_code, one.text) for one in answers} == {(200, answers[0].text)}
    assert await letters(database) == sorted([first, second])


async def test_an_address_gets_three_letters_an_hour_also_from_several_processes(
    customer: Customer, database: Database, merchant: Merchant, portal: Portal
) -> None:
    account = await reachable(merchant, await merchant.account(cards=()))

    here = [(await customer.send("/sign-in", email="anna@example.com")).status_code for _ in range(4)]
    unknown = [(await customer.send("/sign-in", email="nobody@example.com")).status_code for _ in range(4)]
    elsewhere = build_portal(replace(portal, limits=PortalLimits()), own_assets(), Counter())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=elsewhere), base_url=URL) as client:
        there = await client.post("/sign-in", data={"email": "anna@example.com"}, headers=OURS)

    assert (here, unknown, there.status_code) == ([200, 200, 200, 429], [200, 200, 200, 429], 200)
    assert await letters(database) == [account] * 3


async def test_a_link_is_opened_by_mail_scanners_and_still_lets_its_customer_in_once(
    customer: Customer, merchant: Merchant, database: Database
) -> None:
    link = await customer.links.made(await merchant.account(cards=()))
    pages = [await customer.status(f"/enter/{link}") for _ in range(3)]

    first, again, wrong = [await customer.send(f"/enter/{one}") for one in (link, link, "x" * 43)]

    assert (pages, first.status_code, first.headers["location"]) == ([200] * 3, 303, "/")
    assert (again.status_code, again.text) == (wrong.status_code, wrong.text) == (404, again.text)
    assert await database.rows("select from duly.portal_links where token_hash = :it", it=link) == []


async def test_a_button_that_is_pressed_twice_lets_its_customer_in_and_nobody_else(
    customer: Customer, merchant: Merchant
) -> None:
    link = await customer.links.made(await merchant.account(cards=()))
    place = f"/enter/{link}"
    await customer.open(place)

    twice = [await customer.send(place) for _ in range(2)]
    await customer.open("/")
    await customer.open(place)
    other_page = await customer.send(place)

    assert [one.status_code for one in twice] == [303, 303]
    assert other_page.status_code == 404


async def test_a_page_that_has_used_its_link_up_is_good_for_a_minute(customer: Customer, merchant: Merchant) -> None:
    link = await customer.links.made(await merchant.account(cards=()))
    await customer.open(f"/enter/{link}")
    await customer.send(f"/enter/{link}")

    await merchant.run("update duly.portal_links set used_at = used_at - interval '2 minutes'")

    assert (await customer.send(f"/enter/{link}")).status_code == 404


async def test_a_link_is_over_after_half_an_hour_and_a_session_after_half_an_hour_of_nothing(
    customer: Customer, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account(cards=())
    old = await customer.links.made(account)
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.portal_links set expires_at = now() - interval '1 second'"))
    refused = await customer.send(f"/enter/{old}")
    await customer.enter(account)
    statuses = []

    for idle, age in (("29 min", "11 h"), ("31 min", "1 h"), ("0", "13 h")):
        async with owner_engine.begin() as connection:
            moved = f"seen_at = now() - interval '{idle}', started_at = now() - interval '{age}'"
            await connection.execute(text(f"update duly.portal_sessions set {moved}"))
        statuses.append(await customer.status("/"))

    assert (refused.status_code, statuses) == (404, [200, 303, 303])


async def test_signing_out_everywhere_or_another_address_ends_sessions_and_links(
    customer: Customer, merchant: Merchant, database: Database
) -> None:
    account = await reachable(merchant, await merchant.account(cards=()))
    outcomes = []

    for end in ("everywhere", "address"):
        await customer.enter(account)
        link = await customer.links.made(account)
        if end == "everywhere":
            await customer.send("/sign-out", everywhere="yes")
        else:
            await merchant.run("update duly.accounts set email = 'new@example.com' where id = :id", id=account)
        outcomes.append((await customer.status("/"), (await customer.send(f"/enter/{link}")).status_code))

    assert outcomes == [(303, 404)] * 2


async def test_a_customer_finds_nothing_of_another_account(customer: Customer, merchant: Merchant) -> None:
    theirs = await merchant.account(owes_minor=1190)
    draft_owner = await merchant.account(cards=())
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=theirs)
    card = await merchant.value("select id from duly.cards where account_id = :id", id=theirs)
    await customer.enter(draft_owner)

    read = [
        await customer.status(path)
        for path in (f"/documents/{invoice}", f"/documents/{invoice}/file/pdf", f"/cards/{card}/remove")
    ]
    sent = [
        (await customer.send(path, key="0" * 32)).status_code
        for path in (
            f"/documents/{invoice}/pay",
            *(f"/cards/{card}/{verb}" for verb in ("remove", "replace", "default")),
        )
    ]

    assert (read, sent) == ([404] * 3, [404] * 4)
    assert invoice not in await customer.open(f"/documents?before=ft_{10**12}")


async def test_no_answer_leads_to_the_host_that_a_request_names_and_what_is_no_id_is_not_there(
    customer: Customer, merchant: Merchant
) -> None:
    named = [await customer.client.get(path, headers={"host": "evil.example"}) for path in ("/documents/", "/sign-in/")]
    await customer.enter(await merchant.account(cards=()))

    odd = [
        await customer.status(path) for path in ("/documents/%00", "/documents/ft_%00/file/pdf", "/cards/%00/remove")
    ]
    odd.append((await customer.send("/documents/ft_%00/pay", key="0" * 32)).status_code)

    assert ([(one.status_code, one.headers.get("location")) for one in named], odd) == ([(404, None)] * 2, [404] * 4)


async def test_whoever_is_not_signed_in_sees_the_sign_in_alone(customer: Customer) -> None:
    paths = ("/", "/documents", "/documents/ft_1", "/documents/ft_1/file/pdf", "/payments", "/cards", "/details")

    read = {await customer.status(path) for path in (*paths, "/subscriptions")}
    sent = {(await customer.send(path)).status_code for path in ("/cards/add", "/details", "/documents/x/pay")}

    assert (read, sent, (await customer.send("/sign-out")).headers["location"]) == ({303}, {401}, "/sign-in")


async def test_a_form_of_another_site_or_without_the_token_of_its_session_is_refused(
    customer: Customer, merchant: Merchant
) -> None:
    await customer.enter(await merchant.account(cards=()))
    theirs: tuple[Mapping[str, str], ...] = ({"sec-fetch-site": "cross-site", "origin": URL}, {"origin": "null"}, {})

    foreign = [(await customer.send("/sign-out", headers=headers)).status_code for headers in theirs]
    foreign += [(await customer.send("/sign-in", headers=headers, email="a@b.c")).status_code for headers in theirs]
    customer.last = ""
    without = (await customer.send("/sign-out", form_token="0" * 64)).status_code

    assert (foreign, without, await customer.status("/")) == ([403] * 6, 403, 200)


async def test_the_cookie_goes_to_this_host_alone_and_no_page_is_kept_or_told_of(
    customer: Customer, merchant: Merchant, portal: Portal
) -> None:
    url = "https://pay.example.com"
    encrypted = replace(portal, settings=portal.settings.model_copy(update={"portal_url": url}))
    link = await customer.links.made(await merchant.account(cards=()))
    transport = httpx.ASGITransport(app=build_portal(encrypted, own_assets(), Counter()))

    async with httpx.AsyncClient(transport=transport, base_url=url) as client:
        answer = await client.post(f"/enter/{link}", headers=OURS)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-duly-portal=")
    assert {"httponly", "path=/", "samesite=lax", "secure"} <= {part.strip().lower() for part in cookie.split(";")}
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_nothing_personal_is_in_an_address_a_title_or_the_log(
    customer: Customer, merchant: Merchant, caplog: pytest.LogCaptureFixture
) -> None:
    account = await reachable(merchant, await merchant.account(owes_minor=1190))
    await customer.send("/sign-in", email="anna@example.com")
    await customer.enter(account)

    pages = [await customer.open(path) for path in ("/", "/documents", "/cards", "/details", "/subscriptions")]

    places = [part for page in pages for part in page.split('"') if part.startswith("/")]
    titles = [page.partition("<title>")[2].partition("</title>")[0] for page in pages]
    public = " ".join((*places, *titles, caplog.text)).lower()
    assert [word for word in ("anna", "customer", "example.com") if word in public] == []


async def test_a_database_that_is_not_migrated_is_told_from_one_that_is_away(
    customer: Customer, owner_engine: AsyncEngine
) -> None:
    ready = await customer.client.get("/ready")
    async with owner_engine.begin() as connection:
        await connection.execute(text("drop function duly.customer_of_session"))

    without = await customer.client.get("/ready")

    assert (ready.status_code, without.status_code) == (200, 503)
    assert without.json() == {"status": "database not migrated"}
