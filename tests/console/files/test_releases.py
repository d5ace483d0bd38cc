"""Files for the bank above a limit are written when a second person has approved them, from wherever it is asked."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from activities.database import Database
from models.console.roles import ConsoleRole
from tests.bank.debits.direct_debits import DirectDebits
from tests.console.conftest import PASSWORD, Browser
from tests.console.test_actions import done, refused
from tests.console.test_four_eyes import asked, becomes
from tests.refunds.test_bank_refunds import MONTH, NEXT, in_credit, started, waits
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LIMITS = """
[approval_rules]
refund_files = { EUR = "5.00" }
debit_files = { EUR = "20.00" }
"""
MARIA, PAUL = (("--actor", name, "--reason", why) for name, why in (("maria", "the month's"), ("Paul", "as agreed")))
_REQUEST = re.compile(r"apv_[0-9a-f]{32}")


async def users(browser: Browser) -> None:
    for user in ("maria", "paul"):
        await browser.users.add(user, ConsoleRole.ACCOUNTANT, PASSWORD)


def batch_in(answer: Any) -> str:
    """Return the batch that a refusal names."""
    return str(re.findall(r"DDB-[0-9]+", answer.stderr)[0])


def request_in(answer: Any) -> str:
    """Return the request that a refusal names."""
    found: list[str] = _REQUEST.findall(answer.stderr)
    assert (answer.exit_code, "file_is_released" in answer.stderr, bool(found)) == (1, True, True), answer.stderr
    return found[0]


@pytest.fixture
async def debits(cli: CommandLine, database: Database, merchant: Merchant, tmp_path: Path) -> DirectDebits:
    """A company that collects by bank debit, with limits of its files."""
    company = DirectDebits(merchant, cli, database, tmp_path)
    await company.set_up()
    await merchant.configure(LIMITS)
    return company


async def test_debits_above_the_limit_are_written_when_another_person_has_approved_them(
    browser: Browser, cli: CommandLine, debits: DirectDebits
) -> None:
    # given debits of 25.00, and two users
    await users(browser)
    await debits.collect(await debits.payer("c1"))
    file = debits.folder / "debits.xml"
    export = ("debits", "export", "sepa", str(file))

    # when one exports them, who may not be anybody, and approves them alone
    first = await cli(*export, *MARIA)
    request, batch = request_in(first), batch_in(first)
    nobody = await cli(*export, "--batch", batch, "--actor", "nobody", "--reason", "x", "--json")
    again = request_in(await cli(*export, "--batch", batch, *MARIA))
    own = await cli("approvals", "approve", request, "--yes", *MARIA)
    is_written = file.exists()

    # and another does
    await cli.json("approvals", "approve", request, "--yes", *PAUL)
    written = await cli.json(*export, "--batch", batch, *MARIA)

    # then it is asked once, refused, approved, and written as often as wanted
    assert (again, "approved_by_another" in own.stderr, is_written) == (request, True, False)
    assert nobody.rules == [("file", "file_is_released")]
    assert set(_REQUEST.findall(nobody.stderr + nobody.stdout)) == {request}
    assert (written["batch"], [one["amount_minor"] for one in written["debits"]]) == (batch, [2500])
    assert file.exists()
    assert (await cli("debits", "export", "sepa", f"{file}.2", "--batch", batch, *MARIA)).exit_code == 0
    kept = {(one["name"], one["actor"], one["outcome"]) for one in (await cli.json("commands", "list"))["commands"]}
    assert kept >= {("debits release", "maria", "done"), ("approvals approve", "Paul", "done")}


@pytest.mark.nightly
async def test_files_of_a_day_are_added_up_and_who_is_no_user_releases_none(
    browser: Browser, cli: CommandLine, debits: DirectDebits, merchant: Merchant
) -> None:
    await users(browser)
    exports, batch = [], ""
    for name in ("one", "two"):
        await debits.collect(await debits.payer(name, owes_minor=1500))
        words = ("debits", "export", "sepa", str(debits.folder / f"{name}.xml"))
        if name == "one":
            exports.append(await cli(*words, "--actor", "nobody", "--reason", "x"))
            batch = str(await merchant.value("select id from duly.debit_batches"))
            exports.append(await cli(*words, "--batch", batch, *MARIA))
        else:
            exports.append(await cli(*words, *MARIA))

    released = await cli.json("debits", "release", batch, *MARIA)
    waiting = await cli.json("debits", "release", batch_in(exports[2]), *MARIA)

    assert [one.exit_code for one in exports] == [1, 0, 1]
    assert "releaser_is_user" in exports[0].stderr
    assert (released["state"], waiting["state"], waiting["waits_as"]) == ("released", "waits", [request_in(exports[2])])
    assert (await cli("debits", "release", "DDB-0", *MARIA)).exit_code == 1


@pytest.mark.nightly
async def test_refunds_drafted_by_hand_are_released_in_the_console_by_two_people(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    # given a credit of 7.00, of which the month's file was asked for
    await merchant.configure(LIMITS)
    await users(browser)
    await in_credit(merchant)
    export = ("refunds", "export", NEXT, str(tmp_path / "refunds.csv"), "--format", "csv", "--actor", "maria")
    silent = await cli(*export)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)

    # when one of them releases it, and the other approves
    listed = await browser.open("/bank-files")
    request = await asked(browser, f"/do/refund-files/release/{NEXT}", reason="everybody has been written to")
    own = await refused(browser, f"/do/approvals/approve/{request}", reason="I may")
    early = await cli(*export, "--reason", "the month's")
    hers = await browser.open(f"/refund-files/{NEXT}")
    await becomes(browser, "paul", ConsoleRole.ACCOUNTANT)
    leads = await browser.open("/approvals?state=waiting")
    page = unescape(await browser.open(f"/approvals/{request}"))
    shown = await done(browser, f"/do/approvals/approve/{request}", reason="the sum is the report's")
    written = await cli.json(*export, "--reason", "the month's")

    # then
    assert "command_says_who_and_why" in silent.stderr
    assert (f"/refund-files/{NEXT}" in listed, "7.00 EUR" in listed, f"/refund-files/{NEXT}" in leads) == (True,) * 3
    assert "approved_by_another" in own[0]
    assert request_in(early) == request
    assert (request in hers, "/do/refund-files/release/" in hers) == (True, True)
    assert f"maria asks to release refund file {NEXT}, at most 7.00 EUR: everybody has been written to" in page
    assert "State: released" in shown
    assert [one["amount_minor"] for one in written["refunds"]] == [700]
    released = unescape(await browser.open(f"/refund-files/{NEXT}"))
    assert ("the sum is the report's" in released, request in released) == (True, True)


async def test_a_month_of_the_schedule_is_released_with_the_approval(
    browser: Browser,
    cli: CommandLine,
    temporal_server: Client,
    merchant: Merchant,
    workers: None,
    tmp_path: Path,
) -> None:
    await merchant.configure(LIMITS)
    await users(browser)
    await in_credit(merchant)
    await waits(await started(temporal_server))

    asked_for = await cli.json("refunds", "release", MONTH, "--yes", *MARIA)
    (request,) = asked_for["waits_as"]
    before = await merchant.value("select state from duly.bank_refund_months where period = :month", month=MONTH)
    await cli.json("approvals", "approve", request, "--yes", *PAUL)
    after = await merchant.value("select state || ' by ' || actor from duly.bank_refund_months")
    written = await cli.json(
        "refunds", "export", MONTH, str(tmp_path / "r.csv"), "--format", "csv", "--actor", "somebody else"
    )

    assert (before, after) == ("waiting", "released by maria")
    assert [one["amount_minor"] for one in written["refunds"]] == [700]


@pytest.mark.nightly
async def test_what_was_rejected_is_not_written_and_may_be_asked_for_again(
    browser: Browser, cli: CommandLine, debits: DirectDebits
) -> None:
    await users(browser)
    await debits.collect(await debits.payer("c1"))
    words = ("debits", "export", "sepa", str(debits.folder / "debits.xml"))
    asked_for = await cli(*words, *MARIA)
    first = request_in(asked_for)
    await cli.json("approvals", "reject", first, *PAUL)

    second = request_in(await cli(*words, "--batch", batch_in(asked_for), *MARIA))

    assert first != second
    states = {one["id"]: one["state"] for one in (await cli.json("approvals", "list"))["approvals"]}
    assert states == {first: "rejected", second: "waiting"}
