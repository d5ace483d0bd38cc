"""Files of the bank in the console: shown with what they would do, and imported once, as the command does it."""

import asyncio
import re
import zipfile
from html import unescape
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from models.console.roles import ConsoleRole
from tests.bank.formats.exports import EXPORTS
from tests.bank.formats.test_cli_bank_exports import TEXT, written
from tests.bank.refund_files import answers, exported, in_credit, payees
from tests.bank.statements import csv_statement
from tests.console.conftest import OURS, Browser
from tests.support.builders import Merchant
from tests.support.company import Company
from web.bank.uploads import FILE_BYTES_MAX, KEPT_BYTES_MAX

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


def read(file: str) -> bytes:
    return Path(file).read_bytes()


async def uploaded(browser: Browser, content: bytes, kind: str = "statement", **chosen: str) -> httpx.Response:
    """Choose a file on the page, and ask what it would do."""
    page = await browser.open("/bank-files")
    hidden = dict(_HIDDEN.findall(page))
    return await browser.client.post(
        "/bank-files", data={**hidden, "kind": kind, **chosen}, files={"file": ("file", content)}, headers=OURS
    )


async def until(browser: Browser, path: str) -> str:
    """Return the page of a form once it is not under way any more."""
    page = await browser.open(path)
    if "under way" in page:
        await asyncio.sleep(0.05)
        return await until(browser, path)
    return page


async def imported(
    browser: Browser, preview: str, reason: str = "of Monday", again: tuple[str, bytes] = ("", b"")
) -> httpx.Response:
    """Send the form of a preview as it came, with the file that is chosen again where it is too large for the page."""
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(preview)}
    return await browser.client.post(
        "/bank-files/send", data={**hidden, "reason": reason}, files={"file": again}, headers=OURS
    )


def figures(page: str) -> dict[str, str]:
    """Return the counts that stand above a preview."""
    return dict(
        re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page.partition('class="figures"')[2].partition("</dl>")[0])
    )


async def test_what_a_statement_would_do_is_shown_and_then_done_once(
    acting: None, browser: Browser, merchant: Merchant, tmp_path: Path
) -> None:
    # given a statement: a payment, money of nobody, a bad line
    account = await merchant.account(owes_minor=1190)
    rows = [
        f"B1,2026-05-20,11.90,EUR,{account},,thanks,,",
        "B2,2026-05-20,1.00,EUR,,,whose is it,,",
        "B3,soon,1,EUR,,,,,",
    ]
    content = read(csv_statement(tmp_path, rows))
    await browser.sign_in()

    # when it is tried out, nothing is written; sent, it is imported; sent again, it is what it was
    preview = (await uploaded(browser, content)).text
    before = await merchant.run("select count(*) from duly.financial_transactions where classification = 'payment'")
    sent = await imported(browser, preview)
    again = await imported(browser, preview)
    after = await merchant.run("select account_id, total_minor from duly.financial_transactions where actor = 'maria'")
    done = unescape(await browser.open(sent.headers["location"]))
    known = (await uploaded(browser, content)).text

    # then the preview has said what became of it
    assert figures(preview) == {"Posted": "1", "Suspense": "1", "Refused": "1"}
    assert "must be a day" in unescape(preview) or "booked_on" in preview
    assert before[0][0] == 0
    assert sorted(tuple(row) for row in after) == sorted([(account, 1190), ("acc_suspense_eur", 100)])
    assert (sent.status_code, again.headers["location"]) == (303, sent.headers["location"])
    assert [line in done for line in ("posted: 1", "suspense: 1", "refused: 1")] == [True] * 3
    assert figures(known) == {"Unchanged": "2", "Refused": "1"}
    assert "would change nothing" in known
    (command,) = await merchant.run("select actor, reason, subject from duly.commands where name = 'import bank'")
    assert (command.actor, command.reason, command.subject[:7]) == ("maria", "of Monday", "sha256:")


@pytest.mark.nightly
async def test_answers_about_refunds_are_shown_and_applied(
    acting: None, browser: Browser, company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="12.50", c2="7.00")
    made = await exported(company, tmp_path / "r.xml", "--payees", payees(tmp_path, "c1", "c2"))
    first, second = (one["reference"] for one in made["refunds"])
    rows = (f"{first},paid,12.50,", f"{second},rejected,7.00,closed", "R999,paid,1.00,")
    content = read(answers(tmp_path, *rows))
    await browser.sign_in()

    preview = (await uploaded(browser, content, "answers")).text
    balances = [await company.balance(one) for one in ("c1", "c2")]
    sent = await imported(browser, preview)

    assert figures(preview) == {"Posted": "1", "Rejected": "1", "Refused": "1"}
    assert (balances, sent.status_code) == ([-1250, -700], 303)
    assert [await company.balance(one) for one in ("c1", "c2")] == [0, -700]


async def test_what_is_no_file_of_the_bank_says_so_and_another_may_be_chosen(acting: None, browser: Browser) -> None:
    await browser.sign_in()

    wrong = await uploaded(browser, b"dear all,\nthe money came\n")
    empty = await uploaded(browser, b"")
    large = await uploaded(browser, b"x" * (FILE_BYTES_MAX + KEPT_BYTES_MAX * 2))
    above_limit = await uploaded(browser, b"x" * (FILE_BYTES_MAX + 1))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.csv", "bank_reference,booked_on,amount,currency\n")
    zipped = await uploaded(browser, packed.getvalue())
    unreasoned = await imported(
        browser, (await uploaded(browser, b"bank_reference,booked_on,amount,currency\n")).text, ""
    )

    assert [one.status_code for one in (wrong, empty, large, unreasoned)] == [422, 422, 413, 422]
    assert [one.status_code for one in (above_limit, zipped)] == [422, 422]
    assert "16 MB at most" in large.text
    assert "16 MB at most" in above_limit.text
    assert "is a ZIP file" in zipped.text
    assert 'type="file"' in wrong.text
    assert "choose a file" in empty.text
    assert "say why" in unreasoned.text


async def test_bank_files_are_for_accountants(browser: Browser) -> None:
    await browser.sign_in(role=ConsoleRole.OPERATOR)

    page = await browser.open("/bank-files")
    sent = await browser.client.post(
        "/bank-files", data={**dict(_HIDDEN.findall(browser.last))}, files={"file": ("f", b"x")}, headers=OURS
    )

    assert "imported by accountants" in page
    assert sent.status_code == 403


async def test_a_banks_own_csv_is_read_by_the_layout_that_is_chosen(
    acting: None, browser: Browser, merchant: Merchant, tmp_path: Path
) -> None:
    # given two layouts that have the columns of one file
    n26 = next(one for one in TEXT.split("[[statement_layouts]]") if 'id = "n26"' in one)
    second = n26.replace('id = "n26"', 'id = "second"')
    await merchant.configure(f"[[statement_layouts]]{n26}\n[[statement_layouts]]{second}")
    content = read(str(written(tmp_path, EXPORTS["n26"])))
    await browser.sign_in()

    unsaid = await uploaded(browser, content)
    chosen = await uploaded(browser, content, layout="second")
    sent = await imported(browser, chosen.text)

    assert 'value="second"' in await browser.open("/bank-files")
    assert unsaid.status_code == 422
    assert "say which layout it is of" in unescape(unsaid.text)
    assert "Suspense" in figures(chosen.text)
    assert sent.status_code == 303
    kept = await merchant.run("select count(*) from duly.financial_transactions where actor = 'maria'")
    assert kept[0][0] > 0


async def test_a_file_that_no_page_holds_is_chosen_again_and_is_the_one_that_was_shown(
    acting: None, browser: Browser, merchant: Merchant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a statement that is larger than what comes back with a page
    account = await merchant.account(owes_minor=1190)
    content = read(csv_statement(tmp_path, [f"B1,2026-05-20,11.90,EUR,{account},,thanks,,"]))
    monkeypatch.setattr("web.bank.uploads.KEPT_BYTES_MAX", len(content) - 1)
    await browser.sign_in()

    # when another file is chosen the second time, and none, and the same
    preview = (await uploaded(browser, content)).text
    refused = [await imported(browser, preview, again=one) for one in (("f", content + b"\n"), ("", b""))]
    sent = await imported(browser, preview, again=("f", content))

    # then it is imported as it was shown
    assert (figures(preview), 'name="content"' in preview) == ({"Posted": "1"}, False)
    assert [one.status_code for one in (*refused, sent)] == [422, 422, 303]
    assert "another file than the one that was shown" in refused[0].text
    assert "posted: 1" in await browser.open(sent.headers["location"])


async def test_what_takes_too_long_to_try_out_is_counted_and_imported_after_the_answer(
    acting: None, browser: Browser, merchant: Merchant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a statement that nobody can wait for
    account = await merchant.account(owes_minor=1190)
    rows = [f"B1,2026-05-20,11.90,EUR,{account},,thanks,,", "B2,2026-05-20,-2.00,EUR,,,fees,,", "B3,soon,1,EUR,,,,,"]
    content = read(csv_statement(tmp_path, rows))
    monkeypatch.setattr("activities.console.dry_run.DRY_RUN_SECONDS", 0.001)
    monkeypatch.setattr("web.bank.pages._ANSWERED_WITHIN", 0.0)
    await browser.sign_in()

    # when it is shown and sent
    preview = unescape((await uploaded(browser, content)).text)
    sent = await imported(browser, preview)
    following = await browser.open(sent.headers["location"])
    page = await until(browser, sent.headers["location"])

    # then the page has said what is in it, and then what became of it
    assert figures(preview) == {"Lines": "2", "Refused": "1"}
    assert ["11.90 EUR" in preview, "2.00 EUR" in preview, "is not shown" in preview] == [True] * 3
    assert ("under way" in following, "posted: 1" in page, "refused: 1" in page) == (True, True, True)
