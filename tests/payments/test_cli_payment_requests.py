"""`payment-requests`: an agent asks for a payment by a link, sees it, mails it again and withdraws it."""

import pytest

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from tests.payments.paying_by_link import payer_at, reachable
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly

BECAUSE = ("--actor", "maria", "--reason", "asked on the phone")


@pytest.mark.usefixtures("workers")
async def test_an_agent_asks_for_an_amount_shows_it_and_withdraws_it(cli: CommandLine, merchant: Merchant) -> None:
    account = await reachable(merchant, await merchant.account(cards=[]))
    id = f"cli-{account}"
    words = ("payment-requests", "create", account, "--title", "Consulting", "--id", id, *BECAUSE)

    made = await cli.json(*words, "--amount", "25.00")
    again = await cli.json(*words, "--amount", "25.00")
    other = await cli(*words, "--amount", "26.00", "--json")
    shown = await cli.json("payment-requests", "show", id)
    linked = await cli.json("payment-requests", "link", id, *BECAUSE)
    sent = await cli.json("payment-requests", "send", id, *BECAUSE)
    listed = await cli.json("payment-requests", "list", "--state", "open", "--account", account)
    collections = await cli.json("collections", "list")
    withdrawn = await cli.json("payment-requests", "withdraw", id, "--yes", *BECAUSE)
    late = await cli("payment-requests", "send", id, "--json", *BECAUSE)
    too_late = await cli("payment-requests", "link", id, "--json", *BECAUSE)

    assert len({one["url"] for one in (made, again, linked)}) == 3
    assert all("/pay/" in one["url"] for one in (made, again, linked))
    assert "url" not in shown
    assert (other.exit_code, [rule for _, rule in other.rules]) == (1, ["id_means_one_request"])
    assert (shown["title"], shown["payable_minor"], shown["sender"]) == ("Consulting", 2500, "maria")
    assert (sent["answer"], withdrawn["answer"]) == ("sent again", "withdrawn")
    assert [row["id"] for row in listed["payment_requests"]] == [id]
    assert account not in {row["account_id"] for row in collections["collections"]}
    assert (late.exit_code, [rule for _, rule in too_late.rules]) == (1, ["payment_request_open"])
    ended = await cli.json("payment-requests", "show", id)
    assert ended["state"] == "withdrawn"
    assert [line.partition("Z ")[2] for line in ended["decisions"]] == [
        "link given out, says maria: asked on the phone",
        "sent again, says maria: asked on the phone",
        "withdrawn, says maria: asked on the phone",
    ]


async def test_what_makes_no_sense_is_refused_before_anything_is_written(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account(owes_minor=2500)
    title = ("--title", "Consulting")

    refused = [
        await cli("payment-requests", "create", *words, "--json", *BECAUSE)
        for words in (
            ("nobody", *title, "--amount", "1"),
            (account, *title),
            (account, "--title", " ", "--amount", "1"),
            (account, *title, "--amount", "25"),
            (account, *title, "--amount", "0.10", "--no-mail"),
            (account, *title, "--amount", "25", "--no-mail", "--sender-email", "maria"),
            (account, *title, "--amount", "25", "--no-mail", "--id", "4711"),
            (account, *title, "--invoice", "INV-404", "--no-mail"),
            (account, *title, "--amount", "25", "--no-mail", "--valid-for", "soon"),
            (account, *title, "--amount", "25", "--no-mail", "--valid-for", "366d"),
        )
    ]

    assert [(one.exit_code, one.rules[0][1]) for one in refused] == [
        (1, "account_exists"),
        (1, "something_asked"),
        (1, "payment_request_valid"),
        (1, "address_known"),
        (1, "amount_at_least"),
        (1, "payment_request_valid"),
        (1, "id_format"),
        (1, "invoices_collectable"),
        (1, "validity_format"),
        (1, "validity_format"),
    ]
    assert await merchant.value("select count(*) from duly.payment_requests") == 0


async def test_what_the_bank_statement_pays_ends_the_request_and_the_payment_is_listed_by_its_link(
    cli: CommandLine, merchant: Merchant, standing_duly: RunningDuly, database: Database, gateway: StripeGateway
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    first, second = f"bank-{account}", f"link-{account}"
    asked = ("payment-requests", "create", account, "--title", "Consulting", "--no-mail")

    await cli.json(*asked, "--invoice", invoice, "--id", first, *BECAUSE)
    made = await cli.json(*asked, "--amount", "10", "--id", second, *BECAUSE)
    paid = ("--amount", "25.00", "--method", "bank_transfer", "--invoice", invoice)
    await cli.json("transactions", "create", "payment", account, *paid)
    async with payer_at(database, standing_duly, gateway) as payer:
        await payer.pay("/" + made["url"].split("/", 3)[3])
    await standing_duly.client.get_workflow_handle(f"payment-request/{second}").signal("gateway_event")

    async def are_paid() -> bool:
        return bool(await merchant.value("select count(*) = 2 from duly.payment_requests where state = 'paid'"))

    await until(are_paid)
    [payment] = (await cli.json("payments", "list", "--kind", "by_link", "--account", account))["payments"]
    assert (payment["payment_request_id"], payment["state"]) == (second, "succeeded")
    assert (await cli.json("payment-requests", "show", first))["reason"] == "paid_elsewhere"
