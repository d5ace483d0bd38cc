"""What is above the limit of its asker waits for another person, who approves it or does not."""

import re
from html import unescape
from typing import Any

import pytest

from activities.database import Database
from models.console.roles import ConsoleRole
from tests.console.conftest import OURS, PASSWORD, Browser
from tests.console.test_actions import done, refused
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LIMITS = """
[approval_rules]
refunds = { EUR = "5.00" }
write_offs = { EUR = "10.00" }
expire_hours = 24
"""
_APPROVAL = re.compile(r"apv_[0-9a-f]{32}")


async def becomes(browser: Browser, user: str, role: ConsoleRole) -> None:
    """Let somebody else sit down in front of the console."""
    browser.client.cookies.clear()
    if not await browser.users.known(user):
        await browser.users.add(user, role, PASSWORD)
    assert (await browser.send("/sign-in", user=user, password=PASSWORD)).status_code == 303
    await browser.open("/")


async def asked(browser: Browser, path: str, **fields: str) -> str:
    """Ask for something that waits, and return the id of the request."""
    shown = await done(browser, path, **fields)
    assert "waits for another person" in shown
    return str(_APPROVAL.findall(shown)[0])


async def invoices_of(cli: CommandLine, merchant: Merchant, *owed: int) -> list[str]:
    accounts = [await merchant.account(owes_minor=minor) for minor in owed]
    return [(await cli.json("transactions", "list", "--account", one))["transactions"][0]["id"] for one in accounts]


async def state_of(cli: CommandLine, invoice: str) -> str:
    return str((await cli.json("transactions", "show", invoice))["state"])


async def test_a_write_off_above_the_limit_is_carried_out_when_another_person_approves_it(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given
    await merchant.configure(LIMITS)
    small, large = await invoices_of(cli, merchant, 1000, 1190)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)

    # when she writes off what she may alone, and asks for more
    await done(browser, f"/do/transactions/write-off/{small}", type="write_off", reason="insolvent")
    request = await asked(browser, f"/do/transactions/write-off/{large}", type="write_off", reason="insolvent too")
    twice = await refused(browser, f"/do/transactions/write-off/{large}", type="write_off", reason="again")
    own = await refused(browser, f"/do/approvals/approve/{request}", reason="I may")
    hers = await browser.open(f"/approvals/{request}")
    waiting = await state_of(cli, large)

    # and another accountant approves it
    await becomes(browser, "paul", ConsoleRole.ACCOUNTANT)
    home, listed = await browser.open("/"), await browser.open("/approvals?state=waiting")
    page = await browser.open(f"/approvals/{request}")
    withdrawn = await refused(browser, f"/do/approvals/withdraw/{request}", reason="not mine")
    shown = await done(browser, f"/do/approvals/approve/{request}", reason="I have seen the letter")

    # then
    assert (await state_of(cli, small), waiting, await state_of(cli, large)) == ("written_off", "posted", "written_off")
    assert (twice[0].count("approval_waits"), own[0].count("approved_by_another")) == (1, 1)
    assert "withdrawn_by_asker" in withdrawn[0]
    assert ("/do/approvals/withdraw/" in hers, "/do/approvals/approve/" in hers) == (True, False)
    assert ("/do/approvals/withdraw/" in page, "/do/approvals/approve/" in page) == (False, True)
    assert "Requests that another person approves" in home
    assert ("11.90 EUR" in listed, "insolvent too" in unescape(page)) == (True, True)
    assert "Answer: Number: " in shown
    kept = (await cli.json("commands", "list"))["commands"]
    assert {(one["name"], one["actor"], one["outcome"]) for one in kept if large in one["subject"]} >= {
        ("approvals ask", "maria", "done"),
        ("transactions write-off", "maria", "done"),
    }
    assert any(one["name"] == "transactions write-off" and "approved by paul" in one["reason"] for one in kept)
    assert ("approvals approve", "paul") in {(one["name"], one["actor"]) for one in kept}
    found = await cli.json("approvals", "show", request)
    assert (found["state"], found["asked_by"], found["decided_by"], found["outcome"]) == (
        *("approved", "maria", "paul"),
        "done",
    )
    again = await refused(browser, f"/do/approvals/approve/{request}", reason="once more")
    assert "was approved by paul" in again[0]


async def test_several_small_amounts_of_a_day_are_one_large_one(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    await merchant.configure(LIMITS)
    first, refused_one, second = await invoices_of(cli, merchant, 600, 600, 600)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)

    await refused(browser, f"/do/transactions/write-off/{refused_one}", type="nonsense", reason="insolvent")
    await done(browser, f"/do/transactions/write-off/{first}", type="write_off", reason="insolvent")
    await asked(browser, f"/do/transactions/write-off/{second}", type="write_off", reason="insolvent")

    assert [await state_of(cli, one) for one in (first, second)] == ["written_off", "posted"]


async def test_the_command_line_lists_and_decides_and_who_may_not_is_refused_by_the_database(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given a request of an accountant, and other people
    await merchant.configure(LIMITS)
    (invoice,) = await invoices_of(cli, merchant, 5000)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    ask = f"/do/transactions/write-off/{invoice}"
    request = await asked(browser, ask, type="write_off", reason="insolvent")
    for user, role in (("agnes", ConsoleRole.AGENT), ("ada", ConsoleRole.ADMINISTRATOR)):
        await browser.users.add(user, role, PASSWORD)

    # when
    async def decided(verb: str, actor: str) -> tuple[int, str]:
        final = ("--yes",) if verb == "approve" else ()
        answer = await cli("approvals", verb, request, "--actor", actor, "--reason", "looked at it", *final)
        return answer.exit_code, answer.stderr

    nobodys = [await decided("approve", one) for one in ("MARIA", "agnes", "nobody")]
    rejected = await decided("reject", "Ada")
    late = await decided("approve", "ada")

    # then
    assert [code for code, _ in [*nobodys, rejected, late]] == [1, 1, 1, 0, 1]
    assert [re.findall(r"approve[a-z_]*(?=\)$)", error.strip())[0] for _, error in nobodys] == [
        "approved_by_another",
        "approver_may",
        "approver_may",
    ]
    listed = (await cli.json("approvals", "list", "--state", "rejected"))["approvals"]
    assert [(one["id"], one["decided_by"], one["decided_because"]) for one in listed] == [
        (request, "ada", "looked at it")
    ]
    assert await state_of(cli, invoice) == "posted"
    # and it may be asked for again, withdrawn, and asked for until it expires
    second = await asked(browser, ask, type="write_off", reason="insolvent")
    await done(browser, f"/do/approvals/withdraw/{second}", reason="he has paid")
    third = await asked(browser, ask, type="write_off", reason="insolvent")
    await merchant.run("update duly.approvals set expires_at = now() where state = 'waiting'")
    expired = await cli("approvals", "approve", third, "--actor", "ada", "--reason", "late", "--yes")
    states = {one["id"]: one["state"] for one in (await cli.json("approvals", "list"))["approvals"]}
    assert "has expired" in expired.stderr
    assert states == {request: "rejected", second: "withdrawn", third: "expired"}


async def test_what_has_grown_since_it_was_asked_for_is_asked_for_anew(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    await merchant.configure(LIMITS)
    (invoice,) = await invoices_of(cli, merchant, 5000)
    account = (await cli.json("transactions", "show", invoice))["account_id"]
    part = await cli.json("transactions", "create", "payment", account, "--amount", "20.00", "--method", "cash")
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    request = await asked(browser, f"/do/transactions/write-off/{invoice}", type="write_off", reason="insolvent")
    await cli.json("transactions", "cancel", part["transaction"]["id"], "--reason", "bounced", "--yes")
    await browser.users.add("ada", ConsoleRole.ADMINISTRATOR, PASSWORD)

    answer = await cli("approvals", "approve", request, "--actor", "ada", "--reason", "as agreed", "--yes")

    assert (answer.exit_code, "it is 50.00 EUR by now" in answer.stderr) == (1, True)
    assert (await cli.json("approvals", "show", request))["outcome"] == "refused"
    assert await state_of(cli, invoice) == "posted"


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("verb", ["cancel-payment", "refund"])
async def test_money_of_a_gateway_goes_back_in_the_name_of_who_asked(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant, workers: None, period: str, verb: str
) -> None:
    # given a payment, and an agent, who may refund it but not cancel it
    await merchant.configure(LIMITS)
    account = await merchant.account(f"acc_{verb}_{period}", owes_minor=1190)
    await cli.json("collections", "start", account, period)
    payment = await merchant.value(
        "select transaction_id from duly.gateway_requests where account_id = :id and kind = 'payment'", id=account
    )
    await becomes(browser, "agnes", ConsoleRole.AGENT)
    path = f"/do/transactions/{verb}/{payment}"
    assert await browser.status(path) == (403 if verb == "cancel-payment" else 200)
    if verb == "cancel-payment":
        await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)

    # when
    amount = {"amount": "8.00"} if verb == "refund" else {}
    request = await asked(browser, path, reason="it was broken", **amount)
    before = (await cli.json("refunds", "list", "--account", account))["refunds"]
    await becomes(browser, "ada", ConsoleRole.ADMINISTRATOR)
    await done(browser, f"/do/approvals/approve/{request}", reason="I have seen it")

    # then
    (refund,) = (await cli.json("refunds", "list", "--account", account))["refunds"]
    asker = "agnes" if verb == "refund" else "maria"
    assert before == []
    assert (refund["amount_minor"], refund["asked_by"]) == (800 if verb == "refund" else 1190, asker)


async def test_without_limits_nothing_waits_and_of_another_currency_everything_does(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    first, second = await invoices_of(cli, merchant, 5000, 100)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)

    await done(browser, f"/do/transactions/write-off/{first}", type="write_off", reason="insolvent")
    await merchant.configure('[approval_rules]\nwrite_offs = { CHF = "10.00" }')
    await asked(browser, f"/do/transactions/write-off/{second}", type="write_off", reason="insolvent")
    answer = await browser.send("/do/approvals/approve/apv_1", OURS, reason="x", key="0" * 32)

    assert [await state_of(cli, one) for one in (first, second)] == ["written_off", "posted"]
    assert answer.status_code == 422


async def test_a_form_that_is_sent_again_counts_once(
    acting: None, browser: Browser, database: Database, merchant: Merchant
) -> None:
    await merchant.configure(LIMITS)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    form: dict[str, Any] = {
        "key": "0" * 32,
        "user_id": "maria",
        "action": "transactions/write-off",
        "kind": "write_off",
        "subject": "ft_1",
        "account_id": await merchant.account(),
        "currency": "EUR",
        "fields": {},
        "reason": "gone",
    }

    answers = [await database.call("ask_approval", **form, amount_minor=minor) for minor in (600, 600, 700, 700)]

    # What is the same form is neither counted nor asked for twice; another amount under its key is more than the limit.
    assert answers == [None, None, f"apv_{'0' * 32}", f"apv_{'0' * 32}"]
