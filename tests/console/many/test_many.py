"""Several rows of a list are acted on at once: previewed, for one reason, each as if it were the only one."""

import csv
import io
import re
from html import unescape
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from activities.console.mass_actions import MassActions
from models.console.console_user import ConsoleUser
from models.console.roles import ConsoleRole, is_allowed
from tests.console.conftest import Browser
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.context import Visit, Web
from web.many.carrying import carry
from web.many.kinds import MANY

DISCREPANCIES = """
    insert into duly.discrepancies (provider_id, kind, object, amount_minor, currency, evidence)
    select 'stripe', 'differs', 'ch_' || n, n * 100, 'EUR', '{"booked_minor": 100, "gateway_minor": 90}'
    from generate_series(1, :many) n
"""
COLLECTIONS = """
    insert into duly.collections (account_id, period, provider_id, owner, policy_id, policy_version, currency,
        amount_minor, invoices)
    select :account, '2026-11-c' || n, 'stripe', 'x', 'standard', 1, 'EUR', 1190, '{}' from generate_series(1, :many) n
"""


async def sent(browser: Browser, path: str, ids: list[str], **fields: str) -> httpx.Response:
    """Send a form with several rows, with the token of the page that was opened last."""
    (token,) = set(re.findall(r'name="form_token" value="([0-9a-f]{64})"', browser.last))
    data = {"form_token": token, "id": ids, **fields}
    answer = await browser.client.post(path, data=data, headers={"sec-fetch-site": "same-origin"})
    # What was chosen is previewed on a page of its own, which asks to be sent once more by no browser.
    if answer.headers.get("location", "").startswith(f"{path}?"):
        answer = await browser.client.get(answer.headers["location"])
    browser.last = answer.text or browser.last
    return answer


async def previewed(browser: Browser, noun: str, verb: str, ids: list[str]) -> dict[str, Any]:
    """Preview an action on rows; return what its form would send."""
    await browser.open(f"/{noun}")
    page = (await sent(browser, f"/many/{noun}", ids, verb=verb)).text
    return {
        "page": unescape(page),
        "ids": re.findall(r'name="id" value="([^"]+)"', page),
        "key": (re.findall(r'name="key" value="([^"]+)"', page) or [""])[0],
    }


async def discrepancies(merchant: Merchant, many: int) -> list[str]:
    await merchant.run(DISCREPANCIES, many=many)
    return [str(row.id) for row in await merchant.run("select id from duly.discrepancies order by amount_minor")]


async def test_discrepancies_are_resolved_for_one_reason_and_what_is_over_is_left_out(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    ids = await discrepancies(merchant, 4)
    await merchant.run("update duly.discrepancies set state = 'gone', closed_at = now() where id = :id", id=ids[3])
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    # when all are chosen, and one that nobody has
    some, every = await browser.open("/discrepancies"), await browser.open("/discrepancies?picked=all")
    shown = await previewed(browser, "discrepancies", "resolve", [*ids, "dcy_nobody"])
    without = await sent(browser, "/many/discrepancies/send", shown["ids"], verb="resolve", key=shown["key"], reason="")
    fields = {"verb": "resolve", "key": shown["key"], "as": "explained", "reason": "fees of the network"}
    first = await sent(browser, "/many/discrepancies/send", shown["ids"], **fields)
    again = await sent(browser, "/many/discrepancies/send", shown["ids"], **fields)
    page = await browser.open(first.headers["location"])
    rows = list(csv.reader(io.StringIO((await browser.client.get(f"{first.headers['location']}.csv")).text)))

    # then what can be done was shown with its total, and is done once, to each
    assert (some.count(" checked>"), every.count(" checked>")) == (0, 4)
    assert (sorted(shown["ids"]), "6.00 EUR" in shown["page"]) == (sorted(ids[:3]), True)
    assert ("not while gone" in shown["page"], "it is not there any more" in shown["page"]) == (True, True)
    assert (without.status_code, "reason: say why" in without.text, shown["key"] in without.text) == (422, True, True)
    assert first.headers["location"] == again.headers["location"]
    assert ("over" in page, "3 done" in page) == (True, True)
    assert [row[:3] for row in rows[1:]] == [[id, "reconcile resolve", "done"] for id in shown["ids"]]
    kept = (await cli.json("commands", "list", "--command", "reconcile resolve"))["commands"]
    assert {(one["actor"], one["reason"]) for one in kept} == {("maria", "fees of the network")}
    assert len(kept) == 3
    assert (await cli.json("reconcile", "list"))["discrepancies"] == []


async def test_what_one_refuses_changes_nothing_of_the_others(
    acting: None, browser: Browser, merchant: Merchant
) -> None:
    ids = await discrepancies(merchant, 2)
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    shown = await previewed(browser, "discrepancies", "resolve", ids)
    await merchant.run("update duly.discrepancies set state = 'gone', closed_at = now() where id = :id", id=ids[0])

    answer = await sent(
        browser,
        "/many/discrepancies/send",
        ids,
        **{"verb": "resolve", "key": shown["key"], "as": "explained", "reason": "fees"},
    )
    page = await browser.open(answer.headers["location"])

    assert "1 done, 1 refused" in page
    assert await merchant.value("select resolution from duly.discrepancies where id = :id", id=ids[1]) == "explained"


async def test_several_are_offered_and_taken_by_their_roles_alone(browser: Browser, merchant: Merchant) -> None:
    wrong = []
    await discrepancies(merchant, 1)

    for role in ConsoleRole:
        await browser.sign_in(user=role.value, role=role)
        for of in MANY.values():
            for verb in of.verbs:
                may = is_allowed(role, of.action(verb).permission)
                statuses = [
                    (await sent(browser, path, ["x"], verb=verb, key="0" * 32)).status_code
                    for path in (f"/many/{of.noun}", f"/many/{of.noun}/send")
                    if await browser.open("/")
                ]
                if statuses != ([200, 422] if may else [403, 403]):
                    wrong.append((role, of.noun, verb, statuses))
        await browser.open("/")
        await browser.send("/sign-out")

    assert wrong == []


async def test_what_is_asked_for_wrongly_is_refused(browser: Browser, merchant: Merchant) -> None:
    await discrepancies(merchant, 1)
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    async def status(path: str, ids: list[str], **fields: str) -> int:
        await browser.open("/")
        return (await sent(browser, path, ids, **fields)).status_code

    found = [
        await status("/many/accounts", ["x"], verb="edit"),
        await status("/many/collections", ["x"], verb="mark-paid"),
        await status("/many/collections", [], verb="retry"),
        await status("/many/collections", [str(number) for number in range(51)], verb="retry"),
        await status("/many/collections/send", ["x"], verb="retry", key="1", reason="x"),
        await status("/many/collections/send", ["4242424242424242"], verb="retry", key="0" * 32, reason="x"),
    ]
    others = [await browser.status(f"/many/sent/{key}{end}") for key in ("0" * 32, "x") for end in ("", ".csv")]

    assert found == [404, 422, 422, 422, 409, 422]
    assert others == [404] * 4
    assert await merchant.run("select key from duly.mass_actions") == []


async def test_a_server_that_is_away_stops_it_and_who_began_it_goes_on(
    acting: None, browser: Browser, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DULY_TEMPORAL_ADDRESS", "127.0.0.1:1")
    account = await merchant.account(owes_minor=1190)
    await merchant.run(COLLECTIONS, account=account, many=5)
    await browser.sign_in(role=ConsoleRole.AGENT)

    shown = await previewed(browser, "collections", "skip", [f"{account}/2026-11-c{number}" for number in range(1, 6)])
    answer = await sent(
        browser, "/many/collections/send", shown["ids"], verb="skip", key=shown["key"], reason="holidays"
    )
    stopped = await browser.open(answer.headers["location"])
    await browser.send(answer.headers["location"])
    over = await browser.open(answer.headers["location"])

    assert len(shown["ids"]) == 5
    assert ("stopped" in stopped, "3 of 5 were carried out" in stopped, "Go on" in stopped) == (True, True, True)
    assert ("5 not known" in over, "Go on" in over) == (True, False)


async def test_who_may_not_any_more_does_no_more_of_it(
    acting: None, browser: Browser, merchant: Merchant, web: Web
) -> None:
    ids = await discrepancies(merchant, 2)
    await browser.sign_in(role=ConsoleRole.OPERATOR)
    kept: MassActions = web.mass_actions
    what = {"action": "discrepancies/resolve", "reason": "fees", "fields": {"as": "explained"}, "subjects": ids}
    began = [await kept.begin("0" * 32, user_id="maria", **what) for _ in range(2)]  # type: ignore[arg-type]
    await web.users.change("maria", role=ConsoleRole.VIEWER)

    visit = Visit(web, Request({"type": "http"}), ConsoleUser("maria", ConsoleRole.OPERATOR), "")
    await carry(visit, "0" * 32)

    assert began == [True, False]
    assert {one.outcome for one in await kept.items("0" * 32)} == {"left"}
    assert await merchant.value("select stopped_because from duly.mass_actions") == "maria may not do this any more."
