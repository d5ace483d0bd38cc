"""Segments, messages, bills and files for the bank in a real browser: nothing serious, and nothing too wide.

DULY_SCREENSHOTS names a folder for the pictures of the documents; without it none is kept.
"""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Page, expect

from activities.database import Database
from activities.request_tokens import OptOutLinks
from models.console.roles import ConsoleRole
from tests.bank.debits.direct_debits import DirectDebits
from tests.console.changing.test_segments import DEFINITIONS, owing  # noqa: F401  # the fixture
from tests.console.conftest import PASSWORD
from tests.console.test_browser import NARROW, WIDE, Person, address, person, person_at  # noqa: F401  # fixtures
from tests.refunds.test_bank_refunds import in_credit
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from web.assets import own_assets
from web.context import Web
from web.portal.app import build_portal
from web.portal.context import Portal
from web.portal.words import PortalPages

LIMITS = """
[approval_rules]
write_offs = { EUR = "50.00" }
refund_files = { EUR = "5.00" }
"""


REFUND_RUN = """
    with run as (insert into duly.refund_runs (id, provider_id, day, members)
        values ('refunds/stripe/2026-11-26', 'stripe', '2026-11-26', 1) returning id)
    insert into duly.refund_run_items (run_id, member_id, kind, account_id, currency, amount_minor)
    select id, 'credit/' || :account, 'credit', :account, 'EUR', 700 from run
"""


async def has_pictures(seen: Person, name: str, path: str, *, narrow: bool = True) -> None:
    """Judge a page, wide and narrow, and keep its pictures."""
    for width, suffix in ((WIDE, ""), (NARROW, "-narrow"))[: 2 if narrow else 1]:
        await seen.page.set_viewport_size({"width": width, "height": 800})
        await seen.judge(path)
        await seen.picture(f"{name}{suffix}", full=True)
    await seen.page.set_viewport_size({"width": WIDE, "height": 800})


async def signs_in(page: Page, url: str) -> None:
    """Sign in by a password."""
    await page.goto(f"{url}/sign-in")
    await page.get_by_label("Name or e-mail").fill("maria")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()


async def sends_a_message(person: Person) -> None:  # noqa: F811
    """Write to a segment, and find the letter among the messages."""
    page = person.page
    await person.open("/segments/owing/message?template=offer")
    await page.get_by_label("Why").fill("the autumn's letter")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("heading", name="Send: done")).to_be_visible()
    await person.picture("segment-sent", full=True)
    await page.get_by_role("link", name="To owing").click()
    await page.get_by_role("link", name="owing-", exact=False).first.click()
    await expect(page.get_by_text("communication/owing-")).to_be_visible()


async def drafts_the_refunds(person: Person) -> None:  # noqa: F811
    """Draft the refunds of the month, and go on to the page of their file."""
    page = person.page
    await person.open("/bank-files/refunds")
    await page.get_by_label("What the bank reads").select_option("csv")
    await page.get_by_label("Why").fill("the month's")
    await page.get_by_role("button", name="Draft the refunds").click()
    await expect(page.get_by_role("heading", name="Draft the refunds: done")).to_be_visible()
    await person.picture("refunds-drafted", full=True)
    await page.get_by_role("link", name=re.compile("^To 20")).click()


@pytest.mark.browser
@pytest.mark.nightly
@pytest.mark.usefixtures("acting", "workers")
async def test_an_accountant_writes_to_a_segment_and_for_the_bank_and_meets_nothing_serious(
    person: Person,  # noqa: F811
    web: Web,
    owing: list[str],  # noqa: F811
    cli: CommandLine,
    database: Database,
    merchant: Merchant,
    tmp_path: Path,
) -> None:
    # given customers who owe, a bill, an account in credit, a batch of debits, and limits
    await web.users.add("maria", ConsoleRole.ACCOUNTANT, PASSWORD)
    company = DirectDebits(merchant, cli, database, tmp_path)
    await company.set_up()
    await company.collect(await company.payer("c1"))
    await merchant.configure(LIMITS)
    await in_credit(merchant)
    bill = await merchant.value(
        "select duly.make_bill(:id, to_char(now() at time zone 'Europe/Nicosia', 'YYYY-MM'), 'maria')", id=owing[0]
    )
    invoice = await merchant.value("select id from duly.financial_transactions where account_id = :id", id=owing[0])
    await signs_in(person.page, person.url)

    # when each page is opened, wide and narrow
    await merchant.run(REFUND_RUN, account=owing[0])
    for name, path in {
        "console-refund-run": "/refund-runs/refunds/stripe/2026-11-26",
        "refund-runs": "/refund-runs",
        "segments": "/segments",
        "segment": "/segments/owing",
        "segment-of-invoices": "/segments/open-invoices",
        "segment-message": "/segments/owing/message?template=offer",
        "transaction-message": f"/transactions/{invoice}/message?template=invoice",
        "bills": "/bills",
        "bill": f"/bills/{bill}",
        "bank-files": "/bank-files",
        "draft-refunds": "/bank-files/refunds",
        "make-batch": "/bank-files/debits",
        "write-off": f"/do/transactions/write-off/{invoice}",
    }.items():
        await has_pictures(person, name, path)

    # and she sends a letter, and drafts the refunds of the month
    await sends_a_message(person)
    await drafts_the_refunds(person)
    month = person.page.url.removeprefix(person.url)
    await has_pictures(person, "refund-file", month)
    await has_pictures(person, "write-refund-file", f"{month}/file")

    # then no page has anything serious, breaks its policy or is too wide
    assert person.problems == []


@pytest.mark.browser
@pytest.mark.nightly
async def test_a_reader_opts_out_and_back_in_on_a_page_with_nothing_serious(
    web: Web, database: Database, merchant: Merchant
) -> None:
    account = await merchant.account("acc_ada", cards=())
    await merchant.run("update duly.accounts set email = 'ada@example.com', locale = 'de' where id = :id", id=account)
    mine = await merchant.value("select duly.address_hash('ada@example.com')")
    link = await OptOutLinks(database).made(account, "communication/autumn/acc_ada", mine)
    async for url in served_portal(web, database):
        async with person_at(url) as seen:
            await has_pictures(seen, "portal-mail", f"/mail/{link}")
            await seen.page.get_by_role("button", name="Keine Neuigkeiten").click()
            await expect(seen.page.get_by_text("Sie erhalten keine")).to_be_visible()  # codespell:ignore sie
            await seen.picture("portal-mail-out")
            await seen.page.get_by_role("button", name="Wieder").click()
            await expect(seen.page.get_by_role("button", name="Keine Neuigkeiten")).to_be_visible()
            assert seen.problems == []


async def served_portal(web: Web, database: Database) -> AsyncIterator[str]:
    """Serve a portal on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = web.settings.model_copy(update={"portal_url": url})
    app = build_portal(Portal(settings, database, database, PortalPages(own_assets())), own_assets(), Counter())
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield url
    server.should_exit = True
    await serving
