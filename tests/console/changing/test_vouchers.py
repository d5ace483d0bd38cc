"""Vouchers in the console: issued with codes that are shown once, redeemed, cancelled, and listed without them."""

import base64
import re
from html import unescape

import pytest

from activities.database import Database
from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, Browser
from tests.console.test_actions import done, refused
from tests.console.test_four_eyes import becomes
from tests.support.company import Company
from tests.vouchers.conftest import VOUCHERS
from tests.vouchers.test_cli_vouchers import CODE, everything

ISSUE = "/do/vouchers/issue/new"
SOLD = {"type": "sold", "count": "2", "amount": "25.00", "account": "a1", "currency": "", "expires_on": ""}


@pytest.fixture
async def shop(acting: None, company: Company) -> Company:
    """A company with vouchers, and two accounts in euros."""
    await company.configure(VOUCHERS)
    await company.account("a1")
    await company.account("a2")
    return company


async def issued(browser: Browser, **fields: str) -> str:
    """Issue vouchers, and return the page with their codes."""
    await browser.open(ISSUE)
    answer = await browser.send(ISSUE, OURS, **{**SOLD, **fields}, reason="ordered")
    assert answer.status_code == 200, unescape(answer.text)
    return unescape(answer.text)


async def test_codes_are_on_one_page_and_nowhere_else_and_pay_once(
    shop: Company, browser: Browser, database: Database
) -> None:
    # given vouchers that an accountant has sold
    await browser.sign_in()
    page = await issued(browser)
    key = re.findall(r'name="key" value="([0-9a-f]+)"', browser.last)[0]
    again = await browser.send(ISSUE, OURS, **SOLD, reason="ordered")
    sent = unescape(await browser.open(f"/sent/{key}"))

    # when an agent redeems one, twice, and a wrong one
    codes = [found.group() for found in CODE.finditer(page)]
    await becomes(browser, "agnes", ConsoleRole.AGENT)
    redeemed = await done(browser, "/do/accounts/redeem/a2", code=codes[0].lower(), reason="on the phone")
    second = await refused(browser, "/do/accounts/redeem/a1", code=codes[0], reason="again")
    wrong = await refused(browser, "/do/accounts/redeem/a1", code="0000-0000", reason="she reads it so")

    # then both codes were shown once, the same form again has none, and nothing keeps one
    assert len(codes) == 2
    assert (again.status_code, again.headers["location"]) == (303, f"/sent/{key}")
    assert ("Issued VCB-" in sent, CODE.search(sent)) == (True, None)
    saved = base64.b64decode(re.findall(r"base64,([A-Za-z0-9+/=]+)", page)[0]).decode().splitlines()
    assert [row.partition(",")[2] for row in saved] == ["code", *codes]
    assert await shop.balance("a1") == 5000
    assert ("Redeemed VCH-0000000001: 25.00 EUR" in redeemed, await shop.balance("a2")) == (True, -2500)
    assert ("voucher_ends_once" in second[0], "voucher_code" in wrong[0]) == (True, True)
    kept = await everything(database)
    assert not [code for code in codes for form in (code, code.replace("-", "")) if form in kept or form in sent]
    commands = {(one["name"], one["actor"]) for one in (await shop.cli.json("commands", "list"))["commands"]}
    assert commands >= {("vouchers issue", "maria"), ("vouchers redeem", "agnes")}


async def test_vouchers_are_listed_shown_and_cancelled_one_by_one_or_as_a_batch(
    shop: Company, browser: Browser
) -> None:
    await browser.sign_in()
    batch = re.findall(r"VCB-[0-9]+", await issued(browser))[0]

    listed = await browser.open(f"/vouchers?batch={batch}&state=issued")
    one = await done(browser, "/do/vouchers/cancel/VCH-0000000001", reason="lost")
    voucher = unescape(await browser.open("/vouchers/VCH-0000000001"))
    rest = await done(browser, f"/do/vouchers/cancel/{batch}", reason="the fair is off")
    page = unescape(await browser.open(f"/vouchers/{batch}"))
    booked = await done(browser, "/do/vouchers/expire/new", reason="before the month's end")

    assert (listed.count("/vouchers/VCH-"), "Issue vouchers" in listed) == (2, True)
    assert ("Cancelled 25.00 EUR of VCH-0000000001" in one, "Cancelled 25.00 EUR" in rest) == (True, True)
    assert ("it is worth nothing any more" in voucher, "Not while cancelled" in voucher) == (True, True)
    assert ("Not while over" in page, page.count("cancelled") >= 1, "lost" in page) == (True, True, True)
    assert "0 vouchers have expired" in booked
    assert await shop.balance("a1") == 0


async def test_what_is_wrong_is_refused_before_anything_is_issued(shop: Company, browser: Browser) -> None:
    await browser.sign_in()

    wrong = [
        await refused(browser, ISSUE, **{**SOLD, **bad}, reason="ordered")
        for bad in ({"count": "0"}, {"count": "two"}, {"amount": "1.001"}, {"account": "nobody"}, {"type": "gold"})
    ]
    wrong.append(await refused(browser, ISSUE, **{**SOLD, "account": ""}, reason="ordered"))
    wrong.append(await refused(browser, ISSUE, **{**SOLD, "expires_on": "soon"}, reason="ordered"))

    assert [len(one) for one in wrong] == [1] * 7
    assert (await shop.cli.json("vouchers", "list"))["vouchers"] == []
