"""Signing in to the console: by a password, seen and kept, not too often, and from our own page alone."""

from collections.abc import Mapping
from dataclasses import replace

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, URL, Browser
from web.app import build_app
from web.assets import own_assets
from web.context import Web


async def outcomes(database: Database) -> list[tuple[str, str]]:
    rows = await database.rows("select user_id, outcome from duly.sign_ins order by id")
    return [(row.user_id, row.outcome) for row in rows]


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in_and_then_to_the_page_they_wanted(
    browser: Browser,
) -> None:
    await browser.users.add("maria", ConsoleRole.VIEWER, PASSWORD)

    led = await browser.client.get("/home/money?on=today")
    answer = await browser.send("/sign-in", user="Maria ", password=PASSWORD, to="/home/money?on=today")

    assert led.headers["location"] == "/sign-in?to=%2Fhome%2Fmoney%3Fon%3Dtoday"
    assert (answer.status_code, answer.headers["location"]) == (303, "/home/money?on=today")
    assert "maria" in await browser.open("/")


async def test_a_sign_in_leads_to_pages_of_ours_alone(browser: Browser) -> None:
    await browser.users.add("maria", ConsoleRole.VIEWER, PASSWORD)

    ways = ("https://evil.example/", "//evil.example", "/\\evil.example", "evil")
    answers = [await browser.send("/sign-in", user="maria", password=PASSWORD, to=to) for to in ways]

    assert [answer.headers["location"] for answer in answers] == ["/"] * 4


async def test_wrong_passwords_unknown_users_and_disabled_ones_are_answered_alike_and_kept_apart(
    browser: Browser, database: Database
) -> None:
    await browser.users.add("maria", ConsoleRole.VIEWER, PASSWORD)
    await browser.users.add("oidc", ConsoleRole.VIEWER, "")
    await browser.users.add("gone", ConsoleRole.VIEWER, PASSWORD)
    await browser.users.change("gone", state="disabled")

    answers = [
        await browser.send("/sign-in", user=user, password=password)
        for user, password in (
            *(("maria", "wrong password"), ("nobody", PASSWORD), ("gone", PASSWORD), ("oidc", "")),
            ("\0", PASSWORD),
        )
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(422, answers[0].text)}
    assert await outcomes(database) == [
        ("maria", "wrong"),
        ("", "unknown_user"),
        ("gone", "disabled"),
        ("oidc", "wrong"),
    ]


async def test_after_five_attempts_within_a_minute_not_even_the_right_password_is_tried(
    browser: Browser, database: Database
) -> None:
    await browser.users.add("maria", ConsoleRole.VIEWER, PASSWORD)

    for _ in range(5):
        await browser.send("/sign-in", user="maria", password="wrong")
    limited = await browser.send("/sign-in", user="maria", password=PASSWORD)

    assert (limited.status_code, limited.headers["retry-after"]) == (429, "60")
    assert (await outcomes(database))[-1] == ("maria", "limited")


async def test_a_form_of_another_site_is_refused(browser: Browser) -> None:
    await browser.users.add("maria", ConsoleRole.VIEWER, PASSWORD)
    theirs: tuple[Mapping[str, str], ...] = (
        {"sec-fetch-site": "cross-site", "origin": URL},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {},
    )
    ours = ({"origin": URL}, OURS)

    answers = [
        await browser.send("/sign-in", headers=headers, user="maria", password=PASSWORD) for headers in (*theirs, *ours)
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 303, 303]


async def test_a_form_without_the_token_of_its_session_is_refused(browser: Browser) -> None:
    await browser.sign_in()
    browser.last = ""

    answer = await browser.send("/sign-out", form_token="0" * 64)

    assert answer.status_code == 403
    assert await browser.status("/") == 200


async def test_a_session_ends_when_somebody_signs_out_is_changed_or_stays_away(
    browser: Browser, database: Database
) -> None:
    await browser.sign_in()
    signed_out = await browser.send("/sign-out")
    after = await browser.status("/")
    await browser.send("/sign-in", user="maria", password=PASSWORD)
    before_the_change = await browser.status("/")
    await browser.users.change("maria", role=ConsoleRole.AGENT)

    assert (signed_out.headers["location"], after, before_the_change, await browser.status("/")) == (
        *("/sign-in", 303, 200),
        303,
    )
    assert [outcome for _, outcome in await outcomes(database)] == ["signed_in", "signed_out", "signed_in"]


async def test_a_session_is_over_after_half_an_hour_of_nothing_and_after_twelve_hours(
    browser: Browser, owner_engine: AsyncEngine
) -> None:
    await browser.sign_in()
    statuses = []

    for idle, age in (("29 min", "11 h"), ("31 min", "1 h"), ("0", "13 h")):
        async with owner_engine.begin() as connection:
            moved = f"seen_at = now() - interval '{idle}', started_at = now() - interval '{age}'"
            await connection.execute(text(f"update duly.console_sessions set {moved}"))
        statuses.append(await browser.status("/"))

    assert statuses == [200, 303, 303]


async def test_the_cookie_is_read_by_nobody_else_and_only_its_hash_is_kept(
    browser: Browser, database: Database
) -> None:
    await browser.users.add("maria", ConsoleRole.VIEWER, PASSWORD)

    answer = await browser.send("/sign-in", user="maria", password=PASSWORD)

    cookie = answer.headers["set-cookie"]
    token = cookie.partition("=")[2].partition(";")[0]
    assert {"httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}
    assert await database.rows(
        "select from duly.console_sessions where token_hash = sha256(convert_to(:token, 'UTF8'))", token=token
    )


async def test_over_https_the_cookie_goes_to_this_host_alone(browser: Browser, web: Web) -> None:
    url = "https://duly.example"
    encrypted = replace(web, settings=web.settings.model_copy(update={"console_url": url}))
    await browser.users.add("maria", ConsoleRole.VIEWER, PASSWORD)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=build_app(encrypted, own_assets())), base_url=url
    ) as client:
        answer = await client.post("/sign-in", data={"user": "maria", "password": PASSWORD}, headers=OURS)

    assert answer.headers["set-cookie"].startswith("__Host-duly-console=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert answer.headers["strict-transport-security"]


async def test_every_answer_keeps_the_page_to_itself(browser: Browser) -> None:
    for path in ("/sign-in", "/health", "/ready", "/nowhere"):
        headers = (await browser.client.get(path)).headers
        assert "script-src 'self'; style-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


async def test_a_form_beyond_any_form_of_ours_is_not_read(browser: Browser) -> None:
    answer = await browser.send("/sign-in", user="maria", password="x" * 70_000)

    assert answer.status_code == 413


async def test_whoever_signs_in_anew_ends_the_session_that_this_browser_had(
    browser: Browser, database: Database
) -> None:
    await browser.sign_in("maria", ConsoleRole.VIEWER)
    before = browser.client.cookies["duly-console"]

    await browser.send("/sign-in", user="maria", password=PASSWORD)

    after = browser.client.cookies["duly-console"]
    assert (await browser.users.of_session(before), await browser.users.of_session(after) is None) == (None, False)
    assert [outcome for _, outcome in await outcomes(database)] == ["signed_in", "signed_in", "signed_out"]


async def test_a_database_that_is_not_migrated_is_told_from_one_that_is_away(
    browser: Browser, owner_engine: AsyncEngine
) -> None:
    ready = await browser.client.get("/ready")
    async with owner_engine.begin() as connection:
        await connection.execute(text("alter table duly.users rename to users_of_later"))

    without = await browser.client.get("/ready")

    assert (ready.status_code, without.status_code) == (200, 503)
    assert without.json() == {"status": "database not migrated"}
