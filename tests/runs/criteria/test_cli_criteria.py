"""Criteria in a definitions document, and what the commands show of them and of the accounts they are about."""

from pathlib import Path

import pytest

from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine

PAYMENT = '[[run_definitions]]\nid = "some"\nname = "Some"\nkind = "payment"\nprovider = "stripe"\n'
HEAD = PAYMENT + "[run_definitions.criteria]\n"
BILLING = '[[run_definitions]]\nid = "bills"\nname = "Bills"\nkind = "billing"\n[run_definitions.criteria]\n'
CRITERIA = """segments = ["business"]
classifications = ["vip"]
payment_methods = ["card"]
minimum = { EUR = "10.00" }
maximum = { EUR = "500.00" }
due_within_days = 3
"""


async def apply(cli: CommandLine, folder: Path, text: str) -> str:
    path = folder / "definitions.toml"
    path.write_text(text, encoding="utf-8")
    return str((await cli.json("definitions", "apply", str(path)))["changes"][-1]["change"])


async def test_criteria_are_applied_kept_in_the_history_and_listed(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    changes = [await apply(cli, tmp_path, HEAD + text) for text in (CRITERIA, CRITERIA, 'segments = ["private"]\n')]
    listed = (await cli.json("definitions", "list"))["run_definitions"]
    history = (await cli.json("definitions", "history", "some"))["changes"]
    text = (await cli("definitions", "list", COLUMNS="300")).stdout

    assert changes == ["created", "unchanged", "updated"]
    assert next(row["criteria"] for row in listed if row["id"] == "some") == {"segments": ["private"]}
    assert history[0]["changes"]["criteria"]["was"] == {
        "segments": ["business"],
        "classifications": ["vip"],
        "payment_methods": ["card"],
        "minimum_minor": {"EUR": 1000},
        "maximum_minor": {"EUR": 50000},
        "due_within_days": 3,
    }
    assert "segment private" in text


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        (HEAD + "segment = 'business'", "run_definitions.0.criteria.segment", "extra_forbidden"),
        (HEAD + "segments = ['']", "run_definitions.0.criteria.segments.0", "string_too_short"),
        (HEAD + "due_within_days = -1", "run_definitions.0.criteria.due_within_days", "greater_than_equal"),
        (HEAD + "minimum = { EUR = '1.005' }", "run_definitions.0.criteria", "value_error"),
        (HEAD + "minimum = { EUR = '0.00' }", "run_definitions.0.criteria", "value_error"),
        (HEAD + "minimum = { EUR = '9.00' }\nmaximum = { EUR = '8.99' }", "run_definitions.0.criteria", "value_error"),
        (HEAD + "maximum = { USD = '9.00' }", "run_definitions.0.criteria.maximum", "currency_of_definition"),
        (HEAD + "payment_methods = ['cash']", "run_definitions.0.criteria.payment_methods", "method_of_provider"),
        (BILLING + "segments = ['business']", "run_definitions.0", "value_error"),
    ],
)
async def test_criteria_that_make_no_sense_are_refused_by_field_and_rule(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, text: str, field: str, rule: str
) -> None:
    path = tmp_path / "definitions.toml"
    path.write_text(text, encoding="utf-8")

    refused = await cli("definitions", "apply", str(path), "--json")

    assert (refused.exit_code, refused.rules) == (1, [(field, rule)])
    assert await merchant.value("select count(*) from duly.run_definitions where id in ('some', 'bills')") == 0


async def test_a_dry_run_shows_the_criteria_and_why_each_account_is_left_out(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    await merchant.account("acc_1", owes_minor=2500)
    await merchant.account("acc_2", owes_minor=700)
    await merchant.run("update duly.accounts set segment = 'business' where id = 'acc_1'")
    await apply(cli, tmp_path, HEAD + 'segments = ["business"]\n')

    found = await cli.json("runs", "dry-run", "some", PERIOD)
    text = (await cli("runs", "dry-run", "some", PERIOD, COLUMNS="200")).stdout

    assert {one["account_id"]: one["reason"] for one in found["members"]} == {
        "acc_1": "",
        "acc_2": "segment_not_in_criteria",
    }
    assert found["criteria"] == {"segments": ["business"]}
    assert "Criteria: segment business" in text


async def test_accounts_are_listed_by_segment_and_classification(cli: CommandLine, merchant: Merchant) -> None:
    who = ("--actor", "maria", "--reason", "new customer")
    for account, segment, classification in (("c1", "business", "vip"), ("c2", "business", "new"), ("c3", "x", "vip")):
        described = ("--segment", segment, "--classification", classification)
        await cli.json("accounts", "create", account, "--owner", "Ann", "--currency", "EUR", *described, *who)

    businesses = await cli.json("accounts", "list", "--segment", "business")
    vip = await cli.json("accounts", "list", "--segment", "business", "--classification", "vip")
    shown = (await cli("accounts", "show", "c1")).stdout

    assert [row["id"] for row in businesses["accounts"]] == ["c2", "c1"]
    assert [row["id"] for row in vip["accounts"]] == ["c1"]
    assert "Classification" in shown
    assert "vip" in shown
