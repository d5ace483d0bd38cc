"""Lists whose rows have a number as their key, and which stand for work: what waits first, then all of it."""

import csv
import io
from typing import Any

import pytest

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "takes back every payment")
HOLDS = """
    insert into duly.charge_holds (account_id, period, amount_minor, currency, provider_id, rule_id, because)
    select :account, '2026-0' || month, 100 * month, 'EUR', 'stripe', 'large', 'above' from generate_series(1, 3) month
"""
RELEASED = """
    update duly.charge_holds set released_at = now(), released_by = 'maria', released_because = 'asked'
    where period = '2026-01'
"""


async def pages(cli: CommandLine, rows: str, *words: str) -> list[dict[str, Any]]:
    """Return all rows of a list, read two at a time."""
    page = await cli.json(*words, "--limit", "2")
    found: list[dict[str, Any]] = page[rows]
    while page["next"] is not None:
        page = await cli.json(*words, "--limit", "2", "--after", page["next"])
        found += page[rows]
    return found


async def test_the_block_list_is_read_page_by_page_and_says_what_has_ended(
    cli: CommandLine, merchant: Merchant
) -> None:
    for domain in ("one.example", "two.example", "three.example", "four.example"):
        await cli.json("fraud", "block", "domain", domain, *WHO)
    await cli.json("fraud", "unblock", "domain", "two.example", *WHO)
    await merchant.run("update duly.charge_blocks set ends_at = now() where value = 'one.example'")

    in_force = await pages(cli, "blocks", "fraud", "list")
    every = await pages(cli, "blocks", "fraud", "list", "--all")
    totals = (await cli.json("fraud", "list", "--all"))["totals"]

    assert [one["value"] for one in in_force] == ["four.example", "three.example"]
    assert [(one["value"], one["state"]) for one in every] == [
        ("four.example", "in_force"),
        ("three.example", "in_force"),
        ("two.example", "lifted"),
        ("one.example", "ended"),
    ]
    assert [(one["state"], one["rows"]) for one in totals] == [("ended", 1), ("in_force", 2), ("lifted", 1)]


async def test_what_rules_hold_is_read_page_by_page_with_what_it_comes_to(cli: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account()
    await merchant.run(HOLDS, account=account)
    await merchant.run(RELEASED)

    waiting = await pages(cli, "holds", "fraud", "holds")
    released = await cli.json("fraud", "holds", "--state", "released")
    written = list(csv.DictReader(io.StringIO((await cli("fraud", "holds", "--csv")).stdout)))

    assert [one["period"] for one in waiting] == ["2026-03", "2026-02"]
    assert [(one["why"], one["figures"], one["ends_at"]) for one in waiting] == [("above", {}, None)] * 2
    assert [(one["period"], one["released_by"]) for one in released["holds"]] == [("2026-01", "maria")]
    assert released["totals"] == [{"state": "released", "currency": "EUR", "rows": 1, "amount_minor": 100}]
    assert [(row["amount"], row["currency"], row["state"]) for row in written] == [
        ("3.00", "EUR", "waiting"),
        ("2.00", "EUR", "waiting"),
    ]


@pytest.mark.parametrize("after", ["7", "three.example", "-1", "9" * 30, "٣"])
async def test_a_place_that_is_no_row_is_refused_in_words(cli: CommandLine, merchant: Merchant, after: str) -> None:
    refused = await cli("fraud", "list", "--after", after, "--json")

    assert (refused.exit_code, refused.rules) == (1, [("after", "row_exists")])


async def test_a_table_of_the_configuration_is_csv_by_its_name(cli: CommandLine, merchant: Merchant) -> None:
    written = await cli("definitions", "list", "--kind", "payment_methods", "--csv")
    without = await cli("definitions", "list", "--csv")
    unknown = await cli("definitions", "list", "--kind", "gadgets", "--json")
    listed = await cli.json("definitions", "list", "--kind", "payment_methods")

    rows = list(csv.DictReader(io.StringIO(written.stdout)))
    assert [row["id"] for row in rows] == [one["id"] for one in listed["payment_methods"]]
    assert (without.exit_code, "give --kind" in without.stderr) == (2, True)
    assert (unknown.exit_code, unknown.rules) == (1, [("kind", "table_exists")])
