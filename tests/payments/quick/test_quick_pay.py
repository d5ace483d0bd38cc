"""Quick Pay of an invoice or a bill: charged where a gateway handles the method, booked by hand where none does."""

import pytest

from tests.support.builders import Merchant, declined
from tests.support.command_line import CommandLine

BECAUSE = ("--actor", "maria", "--reason", "asked on the phone")


@pytest.mark.usefixtures("workers")
async def test_what_is_left_of_an_invoice_is_charged_on_the_card_of_the_method_once_by_its_key(
    cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account(cards=["pm_card_visa", "pm_card_mastercard"])
    invoice, other = await merchant.invoice(account, 12000), await merchant.invoice(account, 500)
    second = await merchant.value("select id from duly.cards where brand = 'mastercard'")
    await cli.json("payments", "create", account, "--invoice", f"{invoice}=20.00", *BECAUSE)

    words = ("transactions", "quick-pay", invoice, "--method", "card", "--card", second, "--key", "call 7", *BECAUSE)
    paid, again = await cli.json(*words), await cli.json(*words)
    by_hand = await cli("transactions", "quick-pay", other, "--method", "cash", "--key", "call 7", "--json")
    settled = await cli("transactions", "quick-pay", invoice, "--method", "card", "--json", *BECAUSE)

    assert (paid["state"], paid["payment"]["amount_minor"], paid["payment"]["card"]) == (
        "succeeded",
        10000,
        "mastercard 4444",
    )
    assert again["payment"]["number"] == paid["payment"]["number"]
    assert await merchant.balance(account) == 500
    assert by_hand.rules == [("key", "key_means_one_request")]
    assert [rule for _, rule in settled.rules] == ["invoices_collectable"]


@pytest.mark.usefixtures("workers")
async def test_a_decline_ends_it_and_the_invoice_can_be_paid_in_cash(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")])
    invoice = await merchant.invoice(account, 2500)

    lost = await cli.json("transactions", "quick-pay", invoice, "--method", "card", *BECAUSE)
    paid = await cli.json("transactions", "quick-pay", invoice, "--method", "cash", "--reference", "till 3")

    assert (lost["state"], lost["first_outcome"]["decline_code"]) == ("canceled", "insufficient_funds")
    assert (paid["transaction"]["total_minor"], paid["balance_minor"]) == (2500, 0)


@pytest.mark.usefixtures("workers")
async def test_a_bill_is_charged_through_the_gateway_and_never_booked_by_a_gateways_method(
    cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account()
    for amount in (2500, 700):
        await merchant.invoice(account, amount)
    day = await merchant.value("select max(posted_on) from duly.financial_transactions")
    bill = await cli.json("bills", "make", account, f"{day:%Y-%m}", *BECAUSE)

    words = ("bills", "quick-pay", bill["number"], "--method", "card", "--key", "k", *BECAUSE)
    paid, again = await cli.json(*words), await cli.json(*words)
    settled = await cli("bills", "quick-pay", bill["number"], "--method", "card", "--json", *BECAUSE)

    assert (paid["state"], paid["payment"]["amount_minor"]) == ("succeeded", 3200)
    assert again["payment"]["number"] == paid["payment"]["number"]
    assert await merchant.run(
        "select distinct provider, gateway_reference like 'pi\\_%' from duly.financial_transactions"
        " where classification = 'payment'"
    ) == [("stripe", True)]
    assert settled.rules == [("bill", "bill_unsettled")]


async def test_what_is_of_the_other_way_to_pay_is_refused_before_anything_is_written(
    cli: CommandLine, merchant: Merchant
) -> None:
    account = await merchant.account()
    invoice = await merchant.invoice(account, 2500)
    words = ("transactions", "quick-pay", invoice, "--json", "--actor", "maria", "--method")

    refused = [
        await cli(*words, "card"),
        await cli(*words, "card", "--reason", "x", "--reference", "till 3", "--type", "payment"),
        await cli(*words, "card", "--reason", "x", "--posted-on", "2026-05-01"),
        await cli(*words, "cash", "--card", "card_1"),
        await cli(*words, "cash", "--hand-over"),
        await cli(*words, "card", "--reason", "x", "--card", "card_1"),
        await cli("transactions", "quick-pay", "ft_404", "--json", "--method", "card", "--reason", "x"),
    ]

    assert [one.exit_code for one in refused] == [1] * len(refused)
    assert [one.rules for one in refused] == [
        [("reason", "command_says_who_and_why")],
        [("reference", "method_is_not_a_gateways"), ("type", "method_is_not_a_gateways")],
        [("posted_on", "method_is_not_a_gateways")],
        [("card", "method_of_gateway")],
        [("hand_over", "method_of_gateway")],
        [("card", "card_required")],
        [("transaction", "transaction_exists")],
    ]
    assert await merchant.value("select count(*) from duly.payment_orders") == 0
