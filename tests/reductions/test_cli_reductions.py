"""`merchants` and `reductions`: what an operator types, and what comes back."""

from pathlib import Path

import pytest
from temporalio.client import Client

from models.workflow_ids import reduction_id
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.house.source import ROOT
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

HEADER = "award_id,merchant_id,account_id,amount,currency,payment_id"


@pytest.fixture
async def cafe(cli: CommandLine, tmp_path: Path, merchant: Merchant, workers: None) -> Path:
    """The example's café takes part."""
    await cli.json("merchants", "apply", str(ROOT / "docs" / "merchants.example.toml"))
    return tmp_path


async def paid(cli: CommandLine, merchant: Merchant, period: str) -> str:
    """An account that has paid 100.00 EUR, which the gateway has booked: a refund does not wait for that."""
    account = await merchant.account(owes_minor=10000)
    await cli.json("collections", "start", account, period)
    merchant.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    return account


async def test_the_example_is_applied_and_listed(cli: CommandLine, cafe: Path) -> None:
    listed = await cli.json("merchants", "list")
    shown = await cli("merchants", "list")

    assert [(each["id"], each["settings"]["hold_days"]) for each in listed["merchants"]] == [("cafe", 0)]
    assert "20.00" in shown.stdout


@pytest.mark.nightly
async def test_an_award_goes_back_and_can_be_shown_and_listed(
    cli: CommandLine, merchant: Merchant, temporal_server: Client, cafe: Path, period: str
) -> None:
    account = await paid(cli, merchant, period)
    award = f"award_{period}"

    made = await cli.json("reductions", "create", award, account, "--merchant", "cafe", "--amount", "2.50")
    await temporal_server.get_workflow_handle(reduction_id(award)).execute_update("first_outcome")
    shown = await cli.json("reductions", "show", award)
    listed = await cli.json("reductions", "list", "--account", account)
    read = await cli("reductions", "show", award)

    assert made["reduction"]["amount_minor"] == 250
    assert ([part["state"] for part in shown["parts"]], shown["granted_minor"]) == (["refunded"], 250)
    assert [(each["id"], each["state"]) for each in listed["reductions"]] == [(award, "paid")]
    assert (shown["state"], listed["totals"][0]["state"]) == ("paid", "paid")
    assert "2.50 EUR" in read.stdout


async def test_a_file_of_awards_loses_no_good_row_to_a_bad_one(
    cli: CommandLine, merchant: Merchant, cafe: Path, period: str
) -> None:
    account = await merchant.account(cards=[])
    rows = [
        f"award_{period}_1,cafe,{account},1.00,EUR,",
        f"award_{period}_2,cafe,{account},20.01,EUR,",
        f"award_{period}_3,bakery,{account},1.00,EUR,",
        f"A,cafe,{account},1.00,EUR,",
        f"award_{period}_4,cafe,{account},0,EUR,",
    ]
    file = cafe / "awards.csv"
    file.write_text("\n".join([HEADER, *rows]))

    first = await cli("reductions", "import", str(file), "--no-send", "--json")
    again = await cli("reductions", "import", str(file), "--no-send", "--json")

    assert first.exit_code == again.exit_code == 1
    assert first.document["summary"] == again.document["summary"] == {"awarded": 1, "refused": 4}
    assert [(problem["line"], problem["rule"]) for problem in first.document["problems"]] == [
        (5, "award_valid"),
        (6, "amount_positive"),
        (3, "award_limit"),
        (4, "merchant_exists"),
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--amount", "20.01"), ("amount", "award_limit")),
        (("--amount", "1.005"), ("amount", "amount_valid")),
        (("--amount", "1", "--payment", "ft_0"), ("payment", "payment_exists")),
        (("--amount", "1", "--merchant", "bakery"), ("merchant", "merchant_exists")),
    ],
)
async def test_what_makes_no_sense_names_field_and_rule(
    cli: CommandLine, merchant: Merchant, cafe: Path, words: tuple[str, ...], problem: tuple[str, str]
) -> None:
    account = await merchant.account()

    refused = await cli("reductions", "create", "award_wrong", account, "--merchant", "cafe", *words, "--json")

    assert refused.rules == [problem]


async def test_settings_that_make_no_sense_are_refused_whole(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "merchants.toml"
    file.write_text('[[merchants]]\nid = "x"\nname = "X"\ncurrency = "EUR"\nreduction = {hold_days = 400, bears = 1}\n')

    refused = await cli("merchants", "apply", str(file), "--json")

    assert refused.rules == [
        ("merchants.0.reduction.hold_days", "less_than_equal"),
        ("merchants.0.reduction.bears", "extra_forbidden"),
    ]
