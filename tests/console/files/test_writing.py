"""Files for the bank in the console: drafted, released and written, byte for byte as the commands write them."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities.database import Database
from models.console.roles import ConsoleRole
from tests.bank.debits.direct_debits import DirectDebits
from tests.bank.refund_files import PAYER, in_credit, payees
from tests.console.conftest import OURS, Browser
from tests.console.test_actions import done
from tests.console.test_four_eyes import becomes
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.company import Company

MONTH, IBAN = "2026-11", "NL91ABNA0417164300"
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
_VALUE = re.compile(r'name="(\w+)" type="(?:text|date|month)" value="([^"]*)"')
_REQUEST = re.compile(r"apv_[0-9a-f]{32}")
PAIN = {"format": "pain.001", "version": "09", "payer_name": PAYER[1], "payer_iban": PAYER[3]}


def read(file: str) -> bytes:
    """Return what a file holds."""
    return Path(file).read_bytes()


async def sent(browser: Browser, path: str, file: str = "", **fields: str) -> httpx.Response:
    """Open a form, and send it with a file perhaps, as a browser does."""
    page = await browser.open(path)
    known = dict(_HIDDEN.findall(page)) | {name: unescape(value) for name, value in _VALUE.findall(page)}
    content = read(file) if file else b""
    answer = await browser.client.post(
        path, data={**known, "reason": "the month's", **fields}, files={"payees": ("p.csv", content)}, headers=OURS
    )
    if answer.status_code == 303:
        browser.last = await browser.open(answer.headers["location"])
    return answer


def problems(answer: httpx.Response) -> list[str]:
    """Return why something was refused."""
    assert answer.status_code == 422, answer.text
    return [unescape(one) for one in re.findall(r"<li>(.*?)</li>", answer.text)]


def named(answer: httpx.Response) -> tuple[int, str]:
    """Return how a file was answered, and its name."""
    return answer.status_code, answer.headers.get("content-disposition", "")


def without_moments(content: bytes) -> bytes:
    """Return a file without when it was written."""
    return re.sub(rb"<CreDtTm>[^<]*", b"", content)


async def test_refunds_are_drafted_and_their_file_is_the_commands(
    acting: None, browser: Browser, company: Company, tmp_path: Path
) -> None:
    # given two accounts in credit, of whom one has a bank account
    await in_credit(company, c1="12.50", c2="7.00")
    details = payees(tmp_path, "c1")
    await browser.sign_in()

    # when the month is drafted, twice, and its file written, twice
    await sent(browser, "/bank-files/refunds", details, period=MONTH, format="pain.001")
    drafted = unescape(browser.last)
    await sent(browser, "/bank-files/refunds", details, period=MONTH, format="pain.001")
    balance = await company.balance("c1")
    page = await browser.open(f"/refund-files/{MONTH}")
    files = [await sent(browser, f"/refund-files/{MONTH}/file", details, **PAIN) for _ in range(2)]
    csv = await sent(browser, f"/refund-files/{MONTH}/file", details, format="csv", version="09")
    by_command = tmp_path / "r.xml"
    await company.cli.json("refunds", "export", MONTH, str(by_command), *PAYER, "--payees", details)

    # then it says what the command's says, and nothing has moved
    assert ("12.50 EUR" in drafted, "c2: " in drafted, "7.00 EUR" in drafted) == (True, True, False)
    assert f'href="/refund-files/{MONTH}/file"' in page
    assert named(files[0]) == (200, f'attachment; filename="refunds-{MONTH}.xml"')
    assert {without_moments(one.content) for one in files} == {without_moments(read(str(by_command)))}
    assert (named(csv)[1], b"12.50" in csv.content) == (f'attachment; filename="refunds-{MONTH}.csv"', True)
    assert files[0].headers["cache-control"] == "no-store"
    assert (balance, await company.balance("c1")) == (-1250, -1250)
    kept = (await company.cli.json("commands", "list", "--command", "refunds export"))["commands"]
    assert {(one["subject"], one["actor"], one["reason"]) for one in kept} >= {(MONTH, "maria", "the month's")}


async def test_what_a_file_lacks_is_said_on_its_form(
    acting: None, browser: Browser, company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="12.50")
    details = payees(tmp_path, "c1")
    (tmp_path / "bad.csv").write_text("account_id,name,iban,bic\nc1,Ann,DE00,\n", encoding="utf-8")
    path = f"/refund-files/{MONTH}/file"
    await browser.sign_in()
    empty = problems(await sent(browser, path, details, **PAIN, execute_on=""))
    month = problems(await sent(browser, "/bank-files/refunds", details, period="soon", format="pain.001"))
    await sent(browser, "/bank-files/refunds", details, period=MONTH, format="pain.001")

    bad = problems(await sent(browser, path, str(tmp_path / "bad.csv"), **PAIN))
    nobody = problems(await sent(browser, path, "", **PAIN))
    payer = problems(await sent(browser, path, details, **PAIN | {"payer_iban": ""}))
    unreasoned = problems(await sent(browser, path, details, **PAIN, reason=""))
    shown = await sent(browser, path, details, **PAIN | {"payer_iban": "DE00"})

    assert "must be given" in empty[0]
    assert "period" in month[0]
    assert "iban" in bad[0]
    assert "'c1' is drafted and has no row" in nobody[0]
    assert "--payer-iban" in payer[0]
    assert "say why" in unreasoned[0]
    assert ('value="DE00"' in shown.text, IBAN in shown.text) == (True, False)


async def test_a_batch_is_made_released_by_two_written_and_noted_as_sent(
    acting: None, browser: Browser, cli: CommandLine, database: Database, merchant: Merchant, tmp_path: Path
) -> None:
    # given a debit of 25.00 EUR, with a limit of 20.00
    company = DirectDebits(merchant, cli, database, tmp_path)
    await company.set_up()
    await merchant.configure('[approval_rules]\ndebit_files = { EUR = "20.00" }')
    await company.collect(await company.payer("c1"))
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)

    # when she makes the batch, and wants its file
    made = await sent(browser, "/bank-files/debits", provider="sepa")
    batch = re.findall(r"DDB-[0-9]+", browser.last)[0]
    nothing = problems(await sent(browser, "/bank-files/debits", provider="sepa"))
    early = problems(await sent(browser, f"/debit-files/{batch}/file"))
    request = _REQUEST.findall(early[0])[0]

    # and another has approved it
    await becomes(browser, "paul", ConsoleRole.ACCOUNTANT)
    await done(browser, f"/do/approvals/approve/{request}", reason="the sum is the report's")
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    files: list[Any] = [await sent(browser, f"/debit-files/{batch}/file") for _ in range(2)]
    await done(browser, f"/do/debit-files/sent/{batch}", reason="uploaded")
    by_command = tmp_path / "debits.xml"
    await cli.json(
        "debits", "export", "sepa", str(by_command), "--batch", batch, "--actor", "maria", "--reason", "again"
    )

    # then it is the command's file, and the limit was named
    assert (made.status_code, "no debit is due" in nothing[0]) == (303, True)
    assert "an accountant releases files of debits of 20.00 EUR a day (UTC) alone" in early[0]
    assert named(files[0]) == (200, f'attachment; filename="{batch}.xml"')
    assert {one.content for one in files} == {read(str(by_command))}
    assert await merchant.value("select state from duly.debit_batches") == "sent"


@pytest.mark.parametrize("path", ["/bank-files/refunds", "/bank-files/debits", f"/refund-files/{MONTH}/file"])
async def test_accountants_alone_write_files(browser: Browser, path: str) -> None:
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    assert await browser.status(path) == 403
    assert (await browser.send(path, reason="x")).status_code == 403
