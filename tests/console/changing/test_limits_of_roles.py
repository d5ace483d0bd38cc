"""What a role does alone: its own limits hold instead of those for all, and whoever is above one reads which it is."""

import re
from html import unescape
from pathlib import Path

import pytest

from models.console.roles import ConsoleRole
from tests.console.conftest import PASSWORD, Browser
from tests.console.test_actions import done, refused
from tests.console.test_four_eyes import becomes, invoices_of, state_of
from tests.refunds.test_bank_refunds import NEXT, in_credit
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LIMITS = """
[approval_rules]
refunds = { EUR = "100.00" }
write_offs = { EUR = "50.00" }
refund_files = {}
[approval_rules.roles.agent]
write_offs = { EUR = "10.00" }
[approval_rules.roles.accountant]
refund_files = { EUR = "5.00" }
"""


def texts(page: str) -> str:
    """Return a page's text."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def test_an_agent_writes_off_within_the_limit_of_agents_and_asks_above_it(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given
    await merchant.configure(LIMITS)
    small, second, large = await invoices_of(cli, merchant, 600, 600, 4000)
    paths = [f"/do/transactions/write-off/{one}" for one in (small, second, large)]
    await becomes(browser, "agnes", ConsoleRole.AGENT)

    # when she writes off 6.00 alone, and another 6.00
    form = texts(await browser.open(paths[0]))
    await done(browser, paths[0], type="write_off", reason="postage")
    used = texts(await browser.open(paths[1]))
    asked = texts(await done(browser, paths[1], type="write_off", reason="postage"))
    request = re.findall(r"apv_[0-9a-f]{32}", asked)[0]
    own = await browser.status(f"/do/approvals/approve/{request}")
    waiting = await state_of(cli, second)

    # and an accountant, whose limit is that for all, approves it and writes off 40.00 alone
    await becomes(browser, "paul", ConsoleRole.ACCOUNTANT)
    pauls = texts(await browser.open(paths[2]))
    await done(browser, f"/do/approvals/approve/{request}", reason="as agreed")
    await done(browser, paths[2], type="write_off", reason="insolvent")

    # then each has read which limit it is
    assert "An agent writes off 10.00 EUR a day (UTC) alone. What is above it waits" in form
    assert "of which 6.00 EUR are used" in used
    assert "An agent writes off 10.00 EUR a day (UTC) alone, of which 6.00 EUR are used: another person" in asked
    assert "An accountant writes off 50.00 EUR a day (UTC) alone." in pauls
    assert (own, waiting, [await state_of(cli, one) for one in (small, second, large)]) == (
        403,
        "posted",
        ["written_off"] * 3,
    )


@pytest.mark.parametrize("limits", ["", '[approval_rules]\nwrite_offs = { EUR = "50.00" }'])
async def test_agents_without_a_limit_of_their_own_write_nothing_off(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, limits: str
) -> None:
    if limits:
        await merchant.configure(limits)
    (invoice,) = await invoices_of(cli, merchant, 100)
    await becomes(browser, "agnes", ConsoleRole.AGENT)
    path = f"/do/transactions/write-off/{invoice}"

    form = texts(await browser.open(path))
    (answer,) = await refused(browser, path, type="write_off", reason="postage")

    assert "the role agent has no write_offs of its own" in form
    assert ("role_has_limit" in answer, await state_of(cli, invoice)) == (True, "posted")


async def test_a_file_for_the_bank_has_the_limit_of_its_askers_role_and_names_it(
    browser: Browser, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    await merchant.configure(LIMITS)
    for user, role in (("maria", ConsoleRole.ACCOUNTANT), ("otto", ConsoleRole.OPERATOR)):
        await browser.users.add(user, role, PASSWORD)
    await in_credit(merchant)
    export = ("refunds", "export", NEXT, str(tmp_path / "refunds.csv"), "--format", "csv")

    nobody = await cli(*export, "--actor", "nobody", "--reason", "the month's", "--json")
    above = await cli(*export, "--actor", "maria", "--reason", "the month's", "--json")

    assert "an accountant releases files of refunds of 5.00 EUR a day (UTC) alone" in above.stderr + above.stdout
    assert (above.exit_code, nobody.exit_code) == (1, 1)
    assert "releaser_is_user" in nobody.stderr + nobody.stdout


@pytest.mark.parametrize(
    ("roles", "rule"),
    [
        ('[approval_rules.roles.viewer]\nrefunds = { EUR = "1.00" }', "the role viewer may not do this"),
        ('[approval_rules.roles.agent]\ncancellations = { EUR = "1.00" }', "the role agent may not do this"),
        ('[approval_rules.roles.boss]\nrefunds = { EUR = "1.00" }', "boss"),
        ('[approval_rules.roles.agent]\nrefunds = { EUR = "-1.00" }', "EUR must be 0 or more"),
        ('[approval_rules.roles.agent]\nrefunds = { EUR = "1.005" }', "1.005"),
    ],
)
async def test_a_limit_that_would_mean_nothing_is_refused_in_the_document(
    cli: CommandLine, tmp_path: Path, roles: str, rule: str
) -> None:
    document = tmp_path / "rules.toml"
    document.write_text(roles, encoding="utf-8")

    answer = await cli("definitions", "apply", str(document), "--actor", "maria", "--reason", "limits")

    assert (answer.exit_code, rule in answer.stderr) == (1, True), answer.stderr
