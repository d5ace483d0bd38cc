"""`refunds` through the gateway: what an operator types, and what comes back."""

import pytest
from temporalio.client import Client

from models.workflow_ids import refund_id
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "the goods came back")


@pytest.fixture
async def payment(cli: CommandLine, merchant: Merchant, period: str, workers: None) -> str:
    """A payment of 100.00 EUR through the gateway."""
    account = await merchant.account(owes_minor=10000, cards=["pm_card_refundFail"])
    await cli.json("collections", "start", account, period)
    merchant.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    return str(await merchant.value("select id from duly.financial_transactions where classification = 'payment'"))


async def test_a_part_goes_back_and_can_be_shown_and_listed(cli: CommandLine, payment: str, period: str) -> None:
    name = f"rf_{period}"

    made = await cli.json("refunds", "create", payment, "--amount", "12.50", "--id", name, *WHO)
    again = await cli.json("refunds", "create", payment, "--amount", "12.50", "--id", name, *WHO)
    shown = await cli("refunds", "show", name)
    stands = (await cli.json("refunds", "show", name))["state"]
    listed = await cli.json("refunds", "list", "--state", "refunded")

    assert (made["first_outcome"]["outcome"], made["first_outcome"]["amount_minor"]) == ("refunded", 1250)
    assert again["first_outcome"] == made["first_outcome"]
    assert "12.50 EUR" in shown.stdout
    assert "the goods came back" in shown.stdout
    assert [(each["id"], each["amount_minor"]) for each in listed["refunds"]] == [(name, 1250)]
    assert [each["state"] for each in (*listed["refunds"], *listed["totals"])] == ["refunded", "refunded"]
    assert stands == "refunded"


@pytest.mark.nightly
async def test_what_came_back_is_asked_for_again_under_the_next_id(
    cli: CommandLine, temporal_server: Client, merchant: Merchant, payment: str, period: str
) -> None:
    name = f"rf_{period}"
    made = await cli.json("refunds", "create", payment, "--amount", "10", "--id", name, *WHO)
    merchant.sandbox.fail_refund(made["first_outcome"]["gateway_reference"])
    early = await cli("refunds", "retry", name, *WHO, "--json")
    await cli.json("refunds", "check", name, *WHO)
    await temporal_server.get_workflow_handle(refund_id(name)).result()

    again = await cli.json("refunds", "retry", name, *WHO)

    assert early.rules == [("refund", "refund_is_over")]
    assert (again["refund"], again["first_outcome"]["outcome"]) == (f"{name}.2", "refunded")


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--amount", "100.01"), ("amount", "refund_within_captured")),
        (("--amount", "1.005"), ("amount", "amount_valid")),
        (("--amount", "0"), ("amount", "amount_in_range")),
        (("--id", "X"), ("id", "refund_valid")),
        (("--actor", " "), ("actor", "command_says_who_and_why")),
    ],
)
async def test_what_makes_no_sense_names_field_and_rule(
    cli: CommandLine, payment: str, words: tuple[str, ...], problem: tuple[str, str]
) -> None:
    refused = await cli("refunds", "create", payment, *WHO, *words, "--json")

    assert refused.rules == [problem]


async def test_a_refund_that_is_not_there_is_said_so(cli: CommandLine) -> None:
    assert (await cli("refunds", "show", "rf_none", "--json")).rules == [("refund", "refund_exists")]


@pytest.mark.nightly
async def test_a_days_refunds_are_run_once_and_certified(
    cli: CommandLine, merchant: Merchant, payment: str, period: str
) -> None:
    await merchant.configure("[refund_rules]\nrefunds_credit = true")
    account = await merchant.value("select account_id from duly.financial_transactions where id = :id", id=payment)
    await merchant.run("select duly.create_payment('again', :account, 10000, 'EUR', 'cash')", account=account)
    day = f"{period}-15"

    first = await cli.json("refunds", "run", "--day", day, "--not-due-yet")
    again = await cli.json("refunds", "run", "--day", day, "--not-due-yet")
    shown = await cli.json("refunds", "certificate", day)
    missing = await cli("refunds", "certificate", "2020-01-01", "--json")

    assert first == again == shown
    assert [(total["outcome"], total["refunded_minor"]) for total in first["certificate"]["totals"]] == [
        ("refunded", 10000)
    ]
    assert missing.rules == [("day", "run_is_certified")]
