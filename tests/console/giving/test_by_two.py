"""Limits are loosened, and people let in, by two, where the rules say so."""

from pathlib import Path

from models.console.roles import APPROVERS, ConsoleRole
from tests.console.conftest import PASSWORD, Browser
from tests.console.giving.test_gate import MARIA, PAUL, rules
from tests.console.test_four_eyes import becomes
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

BY_TWO = """
[approval_rules]
refunds = {{ EUR = "{refunds}" }}
changes_by_two = {by_two}
"""


def written(tmp_path: Path, *, refunds: str, by_two: bool = True) -> str:
    path = tmp_path / "rules.toml"
    path.write_text(BY_TWO.format(refunds=refunds, by_two=str(by_two).lower()), encoding="utf-8")
    return str(path)


async def waiting(cli: CommandLine) -> tuple[str, dict[str, str]]:
    (found,) = (await cli.json("approvals", "list", "--state", "waiting"))["approvals"]
    return found["id"], found["fields"]


async def test_limits_are_loosened_by_two_and_tightened_by_one(
    browser: Browser, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    # given two accountants, without whom it cannot begin
    await browser.users.add("maria", ConsoleRole.ACCOUNTANT, PASSWORD)
    apply = ("definitions", "apply", written(tmp_path, refunds="50.00"), *MARIA)
    alone = await rules(cli, *apply)
    await browser.users.add("paul", ConsoleRole.ACCOUNTANT, PASSWORD)
    await cli.json(*apply)

    # when one tightens, and loosens
    written(tmp_path, refunds="20.00")
    await cli.json(*apply)
    written(tmp_path, refunds="500.00")
    compared = await cli.json("definitions", "diff", apply[2])
    first, second = await rules(cli, *apply), await rules(cli, *apply)
    request, fields = await waiting(cli)
    own = await rules(cli, "approvals", "approve", request, *MARIA, "--yes")
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    shown = await browser.open(f"/approvals/{request}"), await browser.open("/approvals")
    await cli.json("approvals", "approve", request, *PAUL, "--yes")

    # and uses what was approved for something else, for that, and once more
    written(tmp_path, refunds="600.00")
    more = await rules(cli, *apply)
    written(tmp_path, refunds="500.00")
    await cli.json(*apply)
    written(tmp_path, refunds="20.00")
    await cli.json(*apply)
    written(tmp_path, refunds="500.00")
    again = await rules(cli, *apply)
    written(tmp_path, refunds="20.00", by_two=False)
    ended = await rules(cli, *apply)

    # then
    assert alone[0][1] == "two_approvers"
    assert [one[0][1] for one in (first, second, more, again, ended)] == ["change_by_two"] * 5
    assert compared["fields"]
    assert (fields, own[0][1]) == ({"refunds": "20.00 EUR -> 500.00 EUR"}, "approved_by_another")
    assert ("asks to change approval_rules" in shown[0], "approval_rules" in shown[1]) == (True, True)
    assert (await cli.json("approvals", "show", request))["outcome"] == "done"
    assert await merchant.value("select refunds_minor ->> 'EUR' from duly.approval_rules") == "2000"


async def test_nobody_is_let_in_or_given_more_by_one_person(
    browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    for name in ("maria", "paul"):
        await browser.users.add(name, ConsoleRole.ACCOUNTANT, PASSWORD)
    await browser.users.add("vera", ConsoleRole.VIEWER, PASSWORD)
    await merchant.configure("[approval_rules]\nchanges_by_two = true\n")

    # when she makes herself a second pair of eyes, by a user of her own or by one who is there
    second = await rules(cli, "users", "add", "mary", "--role", "accountant", "--generate", *MARIA)
    taken = await rules(cli, "users", "change", "vera", "--role", "accountant", *MARIA)
    asked = {one["subject"]: one for one in (await cli.json("approvals", "list"))["approvals"]}
    await cli.json("approvals", "approve", asked["vera"]["id"], *PAUL, "--yes")
    more = await rules(cli, "users", "change", "vera", "--role", "administrator", *MARIA)
    await cli.json("users", "change", "vera", "--role", "accountant", *MARIA)

    # and takes rights away
    await cli.json("users", "change", "vera", "--role", "viewer", *MARIA)
    last = await rules(cli, "users", "disable", "paul", *MARIA)

    # then
    assert [one[0][1] for one in (second, taken, more, last)] == [*["change_by_two"] * 3, "two_approvers"]
    assert asked["vera"]["fields"] == {"role": "accountant"}
    assert asked["mary"]["fields"] == {
        "role": "accountant",
        "password": "another",
        "state": "active",
        "merchants": "all",
    }
    assert not await browser.users.known("mary")
    assert {ConsoleRole.ACCOUNTANT, ConsoleRole.ADMINISTRATOR} == APPROVERS, "duly.require_two_approvers names them"
