"""Refund runs in the console: listed, followed while they go on, steered, and shown with their certificate."""

from html import unescape

from temporalio.client import Client

from activities.database import Database
from models.console.roles import ConsoleRole
from models.workflow_ids import refund_run_id
from tests.console.conftest import Browser
from tests.console.runs.test_progress import words
from tests.console.test_actions import done, refused
from tests.console.test_pages import STATEMENTS_AT_MOST, counted
from tests.support.builders import Merchant

RUN = "refunds/stripe/2026-11-26"
BEGUN = """
    insert into duly.refund_runs (id, provider_id, day, members, started_at)
    values (:run, 'stripe', '2026-11-26', 4, clock_timestamp() - interval '2 minutes')
"""
# One that was refunded, one under way, one that the gateway will not pay, and one that nothing was asked for yet.
MEMBERS = """
    insert into duly.refund_run_items (run_id, member_id, kind, account_id, currency, amount_minor, refund_ids)
    select :run, 'credit/' || a, 'credit', a, 'EUR', 1000, case when n < 4 then array['rf_' || n] else '{}' end
    from unnest(:accounts ::text[]) with ordinality x (a, n)
"""
PAYMENTS = """
    insert into duly.gateway_requests (id, kind, provider_id, account_id, amount_minor, currency, state, executed_at)
    select 'p_' || a, 'payment', 'stripe', a, 1000, 'EUR', 'posted', now() from unnest(:accounts ::text[]) a
"""
REQUESTS = """
    insert into duly.gateway_requests (id, kind, provider_id, account_id, amount_minor, currency, state, executed_at,
        of_request_id)
    select 'rf_' || n, 'refund', 'stripe', a, 1000, 'EUR', (array['posted', 'pending', 'rejected'])[n],
        case when n <> 2 then now() end, 'p_' || a
    from unnest(:accounts ::text[]) with ordinality x (a, n) where n < 4
"""


async def begun(merchant: Merchant) -> list[str]:
    """Make a run that goes on, by rows of the tables."""
    accounts = [await merchant.account() for _ in range(4)]
    await merchant.run(BEGUN, run=RUN)
    await merchant.run(MEMBERS, run=RUN, accounts=accounts)
    await merchant.run(PAYMENTS, accounts=accounts)
    await merchant.run(REQUESTS, accounts=accounts)
    return accounts


async def test_a_refund_run_that_goes_on_says_how_far_it_is_and_once_over_what_it_came_to(
    browser: Browser, merchant: Merchant, database: Database
) -> None:
    # given a run of four members
    accounts = await begun(merchant)
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    # when it is opened, and again when it was certified
    listed = await browser.open("/refund-runs?state=running")
    page = await browser.open(f"/refund-runs/{RUN}")
    with counted(database) as statements:
        now = words(await browser.open(f"/refund-runs-now/{RUN}"))
    await merchant.value("select duly.certify_refund_run(:run)", run=RUN)
    over = unescape(await browser.open(f"/refund-runs/{RUN}"))
    last = await browser.open(f"/refund-runs-now/{RUN}")
    members = await browser.open(f"/refund-members?run={RUN}")

    # then
    assert f'href="/refund-runs/{RUN}"' in listed
    assert (f'hx-get="/refund-runs-now/{RUN}"' in page, f"/do/refund-runs/pause/{RUN}" in page) == (True, True)
    assert ("Done 3 of 4" in now, "Refunded 10.00 EUR of 40.00 EUR" in now) == (True, True)
    assert (">to do<" in page, ">left<" in page) == (True, False)
    assert ("credit to do 1" in now, "credit under way 1" in now, "credit refunded 1" in now) == (True,) * 3
    assert len(statements) <= STATEMENTS_AT_MOST
    assert ("hx-get" in over, "The run is over." in last, ">left<" in over, ">rejected<" in over) == (
        *(False, True),
        *(True, True),
    )
    assert str(await merchant.value("select certificate ->> 'sha256' from duly.refund_runs")) in over
    assert all(f'href="/accounts/{account}"' in members for account in accounts)
    assert 'href="/refunds/rf_1"' in members
    assert (await browser.send("/search", words=RUN)).headers["location"] == f"/refund-runs/{RUN}"
    assert await browser.status("/refund-runs/refunds/stripe/2020-01-01") == 404


async def test_an_operator_runs_todays_refunds_which_are_refused_over_nobody(
    acting: None, browser: Browser, workers: None, merchant: Merchant
) -> None:
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    nobody = await refused(browser, "/do/refund-runs/start/new", reason="the day's")
    shown = await done(browser, "/do/refund-runs/start/new", reason="the day's", over_nobody="yes")
    run = str(await merchant.value("select id from duly.refund_runs"))
    over = await refused(browser, f"/do/refund-runs/pause/{run}", reason="too late")

    assert "somebody_is_due" in nobody[0] or "nobody" in nobody[0]
    assert "Seal:" in shown
    assert f"/do/refund-runs/pause/{run}" not in await browser.open(f"/refund-runs/{run}")
    assert over


async def test_who_is_no_operator_steers_no_refund_run(browser: Browser, temporal_server: Client) -> None:
    await browser.sign_in(role=ConsoleRole.ACCOUNTANT)
    run = refund_run_id("stripe", "2026-11-26")

    assert [await browser.status(f"/do/refund-runs/{verb}/{run}") for verb in ("start", "pause", "resume")] == [403] * 3
