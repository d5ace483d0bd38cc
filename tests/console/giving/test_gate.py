"""What gives value away passes one gate, by whichever door: the console, the command line, an import."""

from pathlib import Path

from models.console.roles import ConsoleRole
from tests.bank.statements import camt, entry
from tests.console.conftest import PASSWORD, Browser
from tests.console.test_actions import done, refused
from tests.console.test_four_eyes import asked, becomes, invoices_of, state_of
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LIMITS = """
[approval_rules]
credit_notes = { EUR = "10.00" }
payments = { EUR = "10.00" }
moves = { EUR = "10.00" }
suspense_moves = { EUR = "20.00" }
cancellations = { EUR = "10.00" }
vouchers = { EUR = "10.00" }
statements = { EUR = "10.00" }
"""
MARIA = ("--actor", "maria", "--reason", "a mistake of ours")
PAUL = ("--actor", "paul", "--reason", "I have seen it")


async def limited(browser: Browser, merchant: Merchant) -> None:
    await merchant.configure(LIMITS)
    await browser.users.add("maria", ConsoleRole.ACCOUNTANT, PASSWORD)
    await browser.users.add("paul", ConsoleRole.ACCOUNTANT, PASSWORD)


async def rules(cli: CommandLine, *words: str) -> list[tuple[str, str]]:
    result = await cli(*words, "--json")
    assert result.exit_code == 1, result.stdout
    return result.rules


async def test_a_credit_note_above_the_limit_is_posted_by_no_door_until_another_person_has_approved(
    browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given
    await limited(browser, merchant)
    account = await merchant.account(owes_minor=5000)
    note = ("transactions", "create", "credit_note", account, "--line", "product=plan,quantity=1,price=6.00", "--actor")

    # when small ones come to more than one person does in a day, drafted or not, and under another's name
    await cli.json(*note, "maria")
    above = await rules(cli, *note, "maria")
    draft = await cli.json(*note, "maria", "--draft")
    posted = await rules(cli, "transactions", "post", draft["transaction"]["id"], "--actor", "maria")
    nobody = await rules(cli, *note, "somebody")

    # and she asks, another approves, and she does it once
    ask = ("approvals", "ask", "credit-note", "7.14", "EUR", "--account", account, *MARIA)
    request = (await cli.json(*ask))["approval"]
    waiting = await rules(cli, *note, "maria")
    own = await rules(cli, "approvals", "approve", request, *MARIA, "--yes")
    await cli.json("approvals", "approve", request, *PAUL, "--yes")
    await cli.json("transactions", "post", draft["transaction"]["id"], "--actor", "maria")
    again = await rules(cli, *note, "maria")

    # then
    assert [one[0][1] for one in (above, posted, waiting, again)] == ["approval_required"] * 4
    assert (nobody[0][1], own[0][1]) == ("giver_is_user", "approved_by_another")
    listed = (await cli.json("approvals", "list"))["approvals"]
    assert [(one["id"], one["kind"], one["state"]) for one in listed] == [(request, "credit_note", "approved")]


async def test_the_console_lets_another_person_post_pay_and_move_what_is_above(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    await limited(browser, merchant)
    (invoice,) = await invoices_of(cli, merchant, 1190)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)

    form = await browser.open(f"/do/transactions/quick-pay/{invoice}")
    request = await asked(
        browser, f"/do/transactions/quick-pay/{invoice}", method="bank_transfer", reason="she says so"
    )
    assert await state_of(cli, invoice) == "posted"
    await becomes(browser, "paul", ConsoleRole.ACCOUNTANT)
    await done(browser, f"/do/approvals/approve/{request}", reason="it is in the bank's list")

    assert "An accountant posts payments by hand of 10.00 EUR a day (UTC) alone" in form
    assert await state_of(cli, invoice) in {"settled", "paid"}
    payment = await merchant.value("select id from duly.financial_transactions where classification = 'payment'")
    other = await merchant.account()
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    moving = await asked(browser, f"/do/transactions/move/{payment}", account=other, reason="was his")
    await becomes(browser, "paul", ConsoleRole.ACCOUNTANT)
    await done(browser, f"/do/approvals/approve/{moving}", reason="it is his")
    assert await merchant.balance(other) == -1190


async def test_a_draft_that_was_edited_is_not_the_one_that_was_asked_for(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    await limited(browser, merchant)
    account = await merchant.account(owes_minor=5000)
    line = "product=plan,quantity=1,price={}"
    note = ("transactions", "create", "credit_note", account, "--draft", "--actor", "maria", "--line")
    draft = (await cli.json(*note, line.format("20.00")))["transaction"]["id"]
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    request = await asked(browser, f"/do/transactions/post/{draft}", reason="a mistake of ours")
    await cli.json("transactions", "edit", draft, "--line", line.format("19.00"), *MARIA)
    await becomes(browser, "paul", ConsoleRole.ACCOUNTANT)

    answer = await refused(browser, f"/do/approvals/approve/{request}", reason="seen")

    assert "approval_is_of_draft" in answer[0]
    assert await state_of(cli, draft) == "draft"


async def test_statements_and_cancellations_and_the_release_of_suspense_pass_the_same_gate(
    browser: Browser, cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    (invoice,) = await invoices_of(cli, merchant, 1190)
    await merchant.run("select duly.open_account('acc_suspense_eur', 'EUR', 'Suspense', p_kind => 'suspense')")
    await merchant.transfer("acc_suspense_eur", 1500)
    await merchant.transfer("acc_suspense_eur", 1500)
    first, second = await merchant.run(
        "select id from duly.financial_transactions where account_id = 'acc_suspense_eur'"
    )
    account = await merchant.account()
    await limited(browser, merchant)

    cancelled = await rules(cli, "transactions", "cancel", invoice, *MARIA, "--yes")
    await cli.json("transactions", "move", first.id, account, *MARIA)
    moved = await rules(cli, "transactions", "move", second.id, account, *MARIA)
    imported = (await cli("import", "bank", camt(tmp_path, entry("L-1", "11.00")), *MARIA, "--json")).stderr

    assert [one[0][1] for one in (cancelled, moved)] == ["approval_required"] * 2
    assert "approval_required" in imported


async def test_without_limits_nothing_changes_and_a_file_is_approved_by_its_own_way(
    browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=5000)
    await cli.json(
        *("transactions", "create", "credit_note", account, "--line", "product=plan,quantity=1,price=6.00"),
        *("--actor", "somebody"),
    )
    unlimited = await rules(cli, "approvals", "ask", "payment", "6.00", "EUR", "--account", account, *MARIA)
    file = await rules(cli, "approvals", "ask", "refund-file", "6.00", "EUR", *MARIA)
    assert [one[0][1] for one in (unlimited, file)] == ["kind_is_limited", "kind_known"]
