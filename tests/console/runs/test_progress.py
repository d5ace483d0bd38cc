"""A run that goes on says on its page how far it has come, again and again, until it is over."""

import asyncio
import re
from html import unescape

import pytest
from playwright.async_api import expect

from activities.database import Database, DatabaseUnavailableError
from activities.runs.queries import RunQueries
from models.console.roles import ConsoleRole
from tests.console.conftest import PASSWORD, Browser
from tests.console.test_browser import NARROW, Person, address, person  # noqa: F401  # the fixtures
from tests.console.test_pages import STATEMENTS_AT_MOST, counted
from tests.support.builders import Merchant
from web.context import Web

RUN = "run/monthly/2026-09"
PAGE, NOW = f"/runs/{RUN}", f"/runs-now/{RUN}"
BEGUN = """
    insert into duly.process_runs (id, definition_id, kind, period, members, started_at)
    values (:run, 'monthly', :kind, '2026-09', 8, clock_timestamp() - interval '2 minutes')
"""
MEMBERS = """
    insert into duly.run_items (run_id, member_id, account_id, shard, currency, amount_minor, outcome, settled_minor)
    select :run, 'acc_' || lpad(n::text, 4, '0'), 'acc_1', 0, 'EUR', 1000, case when n <= 4 then 'charged' end,
        case when n <= 4 then 1000 else 0 end from generate_series(1, 8) n
"""
TWO_MORE = """
    update duly.run_items set outcome = 'in_dunning' where run_id = :run and member_id in ('acc_0005', 'acc_0006')
"""
OVER = """
    update duly.process_runs set state = 'completed', completed_at = now(), certificate = '{"sha256": "ab12"}'
    where id = :run
"""
GOES_ON = "update duly.process_runs set state = 'running', completed_at = null, certificate = null where id = :run"


def words(fragment: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", fragment)).split())


async def begun(merchant: Merchant, kind: str = "payment") -> None:
    await merchant.run(BEGUN, run=RUN, kind=kind)
    await merchant.run(MEMBERS, run=RUN)


async def test_a_run_says_how_many_are_done_what_was_settled_how_fast_and_how_long_it_takes(
    browser: Browser, merchant: Merchant, web: Web, database: Database
) -> None:
    # given a run of eight of which two a minute were charged
    await begun(merchant)
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    # when its page is opened, and asks
    page = await browser.open(PAGE)
    with counted(database) as statements:
        first = await browser.open(NOW)

    # then
    assert f'hx-get="{NOW}" hx-trigger="load"' in page
    assert "/do/runs/pause/" in page
    assert "What its members came to" not in page
    assert f'hx-get="{NOW}" hx-trigger="every 5s"' in first
    assert 'role="status" aria-live="polite"' in first
    assert "Done 4 of 8" in words(first)
    assert "Settled 40.00 EUR of 80.00 EUR" in words(first)
    assert re.search(r"Rate [12] a minute Remaining about [2-4] minutes", words(first))
    assert f"/members?run={RUN.replace('/', '%2F')}&outcome=charged" in unescape(first)
    assert "50 percent of its members are done" in words(first)
    assert len(statements) <= STATEMENTS_AT_MOST


async def test_what_is_read_of_a_run_is_read_once_for_everybody_and_again_when_it_is_due(
    browser: Browser, merchant: Merchant, web: Web, database: Database
) -> None:
    await begun(merchant)
    await browser.sign_in(role=ConsoleRole.VIEWER)
    with counted(database) as statements:
        await asyncio.gather(*(browser.client.get(NOW) for _ in range(5)))
    await merchant.run(TWO_MORE, run=RUN)

    before = words(await browser.open(NOW))
    web.progress[RUN].next_at = None
    after = words(await browser.open(NOW))

    assert sum("run_totals" in one for one in statements) == 1
    assert ("Done 4 of 8" in before, "Done 6 of 8" in after) == (True, True)
    # Who is in dunning has been asked.
    assert "Settled 40.00 EUR of 80.00 EUR" in after


async def test_when_a_run_is_over_nothing_is_asked_any_more_and_nothing_kept_of_it(
    browser: Browser, merchant: Merchant, web: Web
) -> None:
    await begun(merchant)
    await browser.sign_in()
    await browser.open(NOW)
    await merchant.run(OVER, run=RUN)

    over = await browser.open(NOW)
    page = await browser.open(PAGE)

    assert ("hx-get" in over, "The run is over." in over, "for its certificate" in over) == (False, True, True)
    assert ("hx-get" in page, "ab12" in page, "What its members came to" in page) == (False, True, True)
    assert web.progress == {}


async def test_what_takes_too_long_to_count_leaves_what_was_read_before(
    browser: Browser, merchant: Merchant, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(merchant)
    await browser.sign_in()

    async def too_long(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(RunQueries, "totals", too_long)
        nothing = await browser.open(NOW)
    web.progress[RUN].next_at = None
    await browser.open(NOW)
    web.progress[RUN].next_at = None
    monkeypatch.setattr(RunQueries, "totals", too_long)
    kept = await browser.open(NOW)

    assert "take too long to count" in nothing
    assert ("Done 4 of 8" in words(kept), "every 5s" in nothing, "every 5s" in kept) == (True, True, True)


async def test_a_billing_run_says_what_it_has_billed(browser: Browser, merchant: Merchant) -> None:
    await begun(merchant, "billing")
    await browser.sign_in()

    shown = words(await browser.open(NOW))

    assert "Billed 40.00 EUR Rate" in shown


async def test_a_page_that_nobody_sits_at_does_not_keep_its_session(browser: Browser, merchant: Merchant) -> None:
    await begun(merchant)
    await browser.sign_in()
    await merchant.run("update duly.console_sessions set seen_at = now() - interval '20 minutes'")

    await browser.open(NOW)
    polled = await merchant.value("select seen_at < now() - interval '19 minutes' from duly.console_sessions")
    await browser.open(PAGE)
    opened = await merchant.value("select seen_at > now() - interval '1 minute' from duly.console_sessions")
    await merchant.run("update duly.console_sessions set seen_at = now() - interval '31 minutes'")
    late = await browser.client.get(NOW, headers={"hx-request": "true"})

    assert (polled, opened) == (True, True)
    assert (late.status_code, late.headers["hx-redirect"]) == (401, "/sign-in")


@pytest.mark.nightly
@pytest.mark.browser
async def test_in_a_browser_the_figures_move_by_themselves_and_stop_with_the_run(
    person: Person,  # noqa: F811
    web: Web,
    merchant: Merchant,
) -> None:
    # given an operator on the page of a run
    await begun(merchant)
    await web.users.add("olga", ConsoleRole.OPERATOR, PASSWORD)
    page = person.page
    await person.open("/sign-in")
    await page.get_by_label("Name or e-mail").fill("olga")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if NOW in request.url else None)

    # when members are done, and the run is over
    await person.open(PAGE)
    await expect(page.get_by_text("4 of 8", exact=True)).to_be_visible()
    status = await page.get_by_role("status").element_handle()
    assert status is not None
    await person.picture("console-run")
    await page.locator("#run-now td a").first.focus()
    await merchant.run(TWO_MORE, run=RUN)
    await page.clock.run_for(6_000)
    await expect(page.get_by_text("6 of 8", exact=True)).to_be_visible()
    announced = [await status.text_content()]
    focused = await page.evaluate("document.activeElement.getAttribute('href')")
    await merchant.run(OVER, run=RUN)
    await page.clock.run_for(6_000)
    await expect(page.get_by_text("It is over:")).to_be_visible()
    announced.append(await status.text_content())
    count = len(asked)
    await page.clock.run_for(30_000)

    # then nothing is asked any more, who sits there has not lost their place, and is told in the same region
    assert count == len(asked)
    assert focused == "/members?run=run%2Fmonthly%2F2026-09&outcome=charged"
    assert announced == ["The run stands at running. 75 percent of its members are done.", "The run is over."]

    # and nothing is wrong with either page, wide and narrow
    await person.judge(PAGE)
    await merchant.run(GOES_ON, run=RUN)
    await person.judge(PAGE)
    await page.set_viewport_size({"width": NARROW, "height": 740})
    await person.judge(PAGE)
    await person.picture("console-run-narrow")
    assert person.problems == []
