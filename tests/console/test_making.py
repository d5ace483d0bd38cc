"""Accounts, vouchers and files for the bank in a real browser: made, edited, issued, released; narrow and dark too."""

import re

import pytest
from playwright.async_api import Page, expect

from models.console.roles import ConsoleRole
from tests.console.conftest import PASSWORD
from tests.console.test_browser import NARROW, Person, address, person  # noqa: F401  # the fixtures
from tests.refunds.test_bank_refunds import NEXT
from tests.support.builders import Merchant
from tests.vouchers.conftest import VOUCHERS
from web.context import Web

IN_CREDIT = "select duly.create_payment('cash:1', 'cust-7', 700, 'EUR', 'cash')"
DRAFTED = "select duly.create_refund(:key, 'cust-7', 700, 'EUR', 'bank_transfer', p_draft => true)"


async def signs_in(page: Page, url: str) -> None:
    """Sign in as an accountant."""
    await page.goto(f"{url}/sign-in")
    await page.get_by_label("Name or e-mail").fill("maria")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()


async def makes_and_edits_an_account(page: Page) -> None:
    """Make an account from its list by keys, and change its time zone."""
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    await page.keyboard.press("n")
    await page.get_by_label("Id", exact=True).fill("cust-7")
    await page.get_by_label("Owner", exact=True).fill("Zoë Ångström")
    await page.get_by_label(re.compile("^Currency")).fill("EUR")
    await page.get_by_label("Why", exact=True).fill("signed today")
    await page.get_by_role("button", name="New account").click()
    await expect(page.get_by_role("heading", name="New account: done")).to_be_visible()
    await page.get_by_role("link", name="To cust-7").click()
    await page.get_by_role("link", name="Edit", exact=True).click()
    await expect(page.get_by_label("Owner", exact=True)).to_have_value("Zoë Ångström")
    await page.get_by_label(re.compile("^Time zone")).fill("Europe/Berlin")
    await page.get_by_label("Why", exact=True).fill("she has moved")
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(page.get_by_text("Account: changed")).to_be_visible()


async def issues_vouchers(page: Page) -> str:
    """Issue two vouchers, save their codes, and return their batch."""
    await page.keyboard.press("g")
    await page.keyboard.press("u")
    await page.get_by_role("link", name="Issue vouchers").click()
    await page.get_by_label("Type", exact=True).select_option("given")
    await page.get_by_label("How many").fill("2")
    await page.get_by_label("Each is worth").fill("25.00")
    await page.get_by_label(re.compile("^Currency")).fill("EUR")
    await page.get_by_label("Why", exact=True).fill("the fair")
    await page.get_by_role("button", name="Issue vouchers").click()
    async with page.expect_download() as saved:
        await page.get_by_role("link", name="Save as CSV").click()
    assert (await (await saved.value).path()).read_text().startswith("voucher,code\nVCH-")
    return str(re.findall(r"VCB-[0-9]+", await page.inner_text("main"))[0])


@pytest.mark.nightly
@pytest.mark.browser
async def test_an_accountant_makes_an_account_issues_vouchers_and_releases_a_file(
    acting: None,
    person: Person,  # noqa: F811
    web: Web,
    merchant: Merchant,
) -> None:
    # given an accountant
    await merchant.configure(VOUCHERS)
    await web.users.add("maria", ConsoleRole.ACCOUNTANT, PASSWORD)
    page = person.page
    await signs_in(page, person.url)

    # when she makes an account, issues vouchers, and releases the month's refunds
    await makes_and_edits_an_account(page)
    batch = await issues_vouchers(page)
    await person.picture("console-vouchers-issued")
    await merchant.run(IN_CREDIT)
    await merchant.run(DRAFTED, key=f"refund:{NEXT}:cust-7")
    await merchant.configure('[approval_rules]\nrefund_files = { EUR = "5.00" }')
    await person.open(f"/refund-files/{NEXT}")
    await page.get_by_role("link", name="Release", exact=True).click()
    await page.get_by_label("Why", exact=True).fill("the month's")
    await page.get_by_role("button", name="Release", exact=True).click()
    await expect(page.get_by_role("heading", name="Release: waits for another person")).to_be_visible()
    request = await page.get_by_role("link", name=re.compile("^apv_")).get_attribute("href")

    # then nothing is serious on any of these pages, wide and light, or narrow and dark
    pages = {
        "create": "/do/accounts/create/new",
        "vouchers": "/vouchers",
        "batch": f"/vouchers/{batch}",
        "bank-files": "/bank-files",
        "refund-file": f"/refund-files/{NEXT}",
        "approval": str(request),
    }
    await person.judge(*pages.values())
    for name in ("batch", "refund-file"):
        await person.open(pages[name])
        await person.picture(f"console-{name}")
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": NARROW, "height": 740})
    await person.judge(*pages.values())
    await person.open(pages["create"])
    await person.picture("console-create-narrow")
    assert person.problems == []
