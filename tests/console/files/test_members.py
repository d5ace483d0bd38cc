"""What is in a file for the bank stands on its page, and a month that the schedule has drafted is rejected there."""

from html import unescape
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.bank.release.file_members import BankFileMembers
from activities.database import Database
from models.console.approval import LimitedKind
from models.console.roles import ConsoleRole
from models.listing import ListPage
from tests.bank.debits.direct_debits import DirectDebits
from tests.bank.refund_files import answers, in_credit, payees
from tests.console.conftest import Browser
from tests.console.files.test_writing import MONTH, sent
from tests.console.test_actions import done, refused
from tests.refunds.test_bank_refunds import MONTH as SCHEDULED
from tests.refunds.test_bank_refunds import in_credit as paid_too_much
from tests.refunds.test_bank_refunds import started, waits
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.company import Company


async def test_the_page_of_a_months_file_has_its_refunds_until_the_bank_has_answered_all_of_them(
    acting: None, browser: Browser, company: Company, tmp_path: Path
) -> None:
    # given two refunds, drafted by hand
    await in_credit(company, c1="12.50", c2="7.00")
    await browser.sign_in()
    await sent(browser, "/bank-files/refunds", payees(tmp_path, "c1", "c2"), period=MONTH, format="pain.001")

    # when the bank has paid one of them, and then the other
    drafted = await browser.open(f"/refund-files/{MONTH}")
    exported = await company.cli.json("refunds", "export", MONTH, str(tmp_path / "r.csv"), "--format", "csv")
    one, two = (each["reference"] for each in exported["refunds"])
    await company.cli.json("refunds", "confirm", answers(tmp_path, f"{one},paid,12.50,"), "--actor", "maria")
    half = await browser.open(f"/refund-files/{MONTH}")
    await company.cli.json("refunds", "confirm", answers(tmp_path, f"{two},paid,7.00,"), "--actor", "maria")
    over = await browser.open(f"/refund-files/{MONTH}")
    export = (await browser.client.get(f"/file-refunds.csv?month={MONTH}")).text

    # then each is there with whose it is and where it stands, and the page stays when nothing waits any more
    assert all(f'href="/accounts/{account}"' in drafted for account in ("c1", "c2"))
    assert ("12.50 EUR" in drafted, "7.00 EUR" in drafted, "Customer c1" in drafted or "c1" in drafted) == (True,) * 3
    assert (half.count(">draft<"), half.count(">posted<") + half.count(">settled<")) == (1, 1)
    assert ("Nothing of it waits for a file." in over, ">answered<" in over, over.count(">draft<")) == (True, True, 0)
    assert ("Rows,2" in export, "Total: Amount,19.50,EUR" in export) == (True, True)
    assert await browser.status("/refund-files/2020-01") == 404


async def test_a_page_of_a_file_goes_on_behind_its_last_row(
    database: Database, company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="1.00", c2="2.00", c3="3.00")
    await company.cli.json("refunds", "export", MONTH, str(tmp_path / "r.csv"), "--format", "csv")
    members = BankFileMembers(database)

    first = await members.page(LimitedKind.REFUND_FILE, MONTH, ListPage(limit=2))
    second = await members.page(LimitedKind.REFUND_FILE, MONTH, ListPage(limit=2, after=str(first.following)))
    others = await members.page(LimitedKind.REFUND_FILE, "2026-1", ListPage(limit=2))

    assert [row.account_id for row in (*first.rows, *second.rows)] == ["c1", "c2", "c3"]
    assert (second.following, list(others.rows)) == (None, [])


async def test_the_page_of_a_batch_has_its_debits(
    browser: Browser, cli: CommandLine, database: Database, merchant: Merchant, tmp_path: Path
) -> None:
    company = DirectDebits(merchant, cli, database, tmp_path)
    await company.set_up()
    await company.collect(await company.payer("c1"))
    exported = await cli.json("debits", "export", "sepa", str(tmp_path / "d.xml"), "--actor", "maria", "--reason", "x")
    await browser.sign_in(role=ConsoleRole.VIEWER)

    page = unescape(await browser.open(f"/debit-files/{exported['batch']}"))

    assert ("25.00 EUR" in page, 'href="/accounts/c1"' in page, ">exported<" in page) == (True, True, True)


async def test_an_accountant_rejects_the_month_that_the_schedule_has_drafted(
    acting: None, browser: Browser, temporal_server: Client, merchant: Merchant, workers: None
) -> None:
    await paid_too_much(merchant)
    await waits(await started(temporal_server, SCHEDULED))
    await browser.sign_in()
    page = await browser.open(f"/refund-files/{SCHEDULED}")

    shown = await done(browser, f"/do/refund-files/reject/{SCHEDULED}", reason="all of it is disputed")
    again = await refused(browser, f"/do/refund-files/reject/{SCHEDULED}", reason="again")
    after = unescape(await browser.open(f"/refund-files/{SCHEDULED}"))

    assert f'href="/do/refund-files/reject/{SCHEDULED}"' in page
    assert "rejected" in shown
    assert again
    assert ("all of it is disputed" in after, after.count(">rejected<"), "Not while" in after) == (
        *(True, 2),
        True,
    )


@pytest.mark.parametrize("path", ["/file-refunds", "/file-debits"])
async def test_a_file_has_to_be_named(browser: Browser, path: str) -> None:
    await browser.sign_in()
    assert await browser.status(path) == 404
