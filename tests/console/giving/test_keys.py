"""What was counted or approved lets one thing through, whatever key somebody chooses for another."""

from models.console.roles import ConsoleRole
from tests.console.conftest import PASSWORD, Browser
from tests.console.giving.test_gate import MARIA, rules
from tests.console.test_four_eyes import asked, becomes, invoices_of
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

LIMITS = """
[approval_rules]
write_offs = { EUR = "10.00" }
cancellations = { EUR = "10.00" }
credit_notes = { EUR = "10.00" }
payments = { EUR = "10.00" }
"""


async def test_a_key_that_looks_like_another_ones_opens_no_door(
    acting: None, browser: Browser, cli: CommandLine, merchant: Merchant
) -> None:
    # given a payment by hand, and what one person has counted and another approved without its being done
    invoice, other = await invoices_of(cli, merchant, 1190, 1190)
    account = (await cli.json("transactions", "show", invoice))["account_id"]
    paid = ("transactions", "create", "payment", account, "--amount", "11.90", "--method", "cash")
    payment = (await cli.json(*paid))["transaction"]["id"]
    await merchant.configure(LIMITS)
    await becomes(browser, "maria", ConsoleRole.ACCOUNTANT)
    request = await asked(browser, f"/do/transactions/write-off/{other}", type="write_off", reason="insolvent")
    await browser.users.add("paul", ConsoleRole.ACCOUNTANT, PASSWORD)
    await merchant.run("insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR')")
    await browser.users.add("carla", ConsoleRole.ACCOUNTANT, PASSWORD, ["cafe"])
    approve = ("approvals", "approve", request, "--reason", "seen", "--yes", "--actor")
    limited = await rules(cli, *approve, "carla")
    await browser.users.change("maria", state="disabled")
    gone = await rules(cli, *approve, "paul")
    await browser.users.change("maria", state="active")
    await merchant.run(
        "update duly.approvals set state = 'approved', decided_by = 'paul', decided_at = now(), outcome = 'failed'"
    )
    key = request.removeprefix("apv_")

    # when keys are chosen by whoever wants more
    moved = await rules(cli, "transactions", "cancel", payment, "--key", "move:1", *MARIA, "--yes")
    note = ("transactions", "create", "credit_note", account, "--line", "product=plan,quantity=1,price=9.00")
    kind = await rules(cli, *note, "--key", f"console:{key}", "--actor", "maria")
    system = await rules(cli, *note, "--actor", "System")

    # then
    assert [one[0][1] for one in (moved, kind)] == ["approval_required"] * 2
    assert (system[0][1], limited[0][1], gone[0][1]) == ("actor_is_person", "approver_may", "giver_is_user")


async def test_what_a_person_gives_up_stays_owed_where_write_offs_have_a_limit(merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=5000)
    await merchant.run(
        "select duly.open_collection(:account, '2026-11', :provider, '', '{}', 'execution-1')",
        account=account,
        provider=merchant.provider,
    )
    await merchant.configure(LIMITS)

    written_off = await merchant.value(
        "select duly.write_off_given_up(:account, '2026-11', 10, 'operator_gave_up')", account=account
    )
    await merchant.run(
        "select duly.close_collection(:account, '2026-11', 'given_up', 'operator_gave_up', 'write_off')",
        account=account,
    )

    assert (written_off, await merchant.balance(account)) == (0, 5000)
    assert await merchant.value("select action from duly.collections") == "nothing"
