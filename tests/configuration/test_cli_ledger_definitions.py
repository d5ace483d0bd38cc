"""What the ledger works by, and what goes by itself, is configured with a document: compared, applied, kept."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.house.source import ROOT
from tests.support.builders import Merchant, configure
from tests.support.command_line import CommandLine
from tests.support.company import Company

EVERYTHING = """
[[products]]
id = "bad_debt_uk"
name = "Bad debt"
ledger_account = "write_off"

[[payment_methods]]
id = "voucher_summer"
name = "Summer voucher"
ledger_account = "other_methods:voucher_summer"

[[transaction_types]]
id = "voucher_payment"
classification = "payment"
name = "Payment by voucher"
alternative_code = "PV"
payment_methods = ["voucher", "voucher_summer"]
categories = ["retail", "wholesale"]
prefix = "VOU"

[[transaction_types]]
id = "wrong_customer"
classification = "invoice_cancellation"
name = "Wrong customer"
default = true

[[transaction_reasons]]
id = "no_order"
name = "Nobody ordered it"
purpose = "rejection"

[[due_date_rules]]
id = "fifteenth"
day_of_month = 15
after_months = 1

[ledger]
due_date_rule = "fifteenth"
allocation_principle = "fifo"
write_off_product = "bad_debt_uk"

[[internal_accounts]]
id = "canteen"
name = "Canteen"
currency = "EUR"

[card_rules]
warn_days = [60, 30]
stale_days = 200

[[card_networks]]
brand = "amex"
declines_max = 4
days = 30

[alert_rules]
failures_min = 2
unusual_factor = 2.5

[[reminder_rules]]
segment = "business"
days_before = [10]
days_after = [5, 30]

[refund_rules]
refunds_credit = true
"""
TYPE = '[[transaction_types]]\nid = "{}"\n'


@pytest.fixture
def apply(cli: CommandLine, tmp_path: Path) -> Any:
    """Apply a document that must be in order; return the answer."""

    async def applied(text: str, verb: str = "apply") -> Any:
        return await cli.json("definitions", verb, written(tmp_path, text))

    return applied


def written(folder: Path, text: str) -> str:
    path = folder / "definitions.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


async def test_everything_that_the_ledger_works_by_is_listed_as_it_was_applied(cli: CommandLine, apply: Any) -> None:
    applied = await apply(EVERYTHING)
    again = await apply(EVERYTHING)
    listed = await cli.json("definitions", "list")
    by_id = {
        kind: {row.get("id", row.get("brand", row.get("segment"))): row for row in listed[kind]}
        for kind in listed
        if listed[kind]
    }

    assert {change["change"] for change in applied["changes"]} == {"created", "updated"}
    assert {change["change"] for change in again["changes"]} == {"unchanged"}
    assert (applied["version"], again["version"]) == (1, None)
    voucher = by_id["transaction_types"]["voucher_payment"]
    assert (voucher["payment_methods"], voucher["categories"], voucher["prefix"], voucher["gap_free"]) == (
        ["voucher", "voucher_summer"],
        ["retail", "wholesale"],
        "VOU",
        False,
    )
    cancelling = {
        id: row["is_default"] for id, row in by_id["transaction_types"].items() if "cancel" in row["classification"]
    }
    assert (cancelling["wrong_customer"], cancelling["invoice_cancellation"]) == (True, False)
    assert by_id["transaction_reasons"]["no_order"]["purpose"] == "rejection"
    assert listed["ledger"] == [
        {"due_date_rule": "fifteenth", "allocation_principle": "fifo", "write_off_product": "bad_debt_uk"}
    ]
    assert by_id["internal_accounts"]["canteen"]["currency"] == "EUR"
    assert listed["card_rules"] == [{"warn_days": [60, 30], "stale_days": 200, "action_days": 7, "reminder_days": 2}]
    assert by_id["card_networks"]["amex"] == {"brand": "amex", "declines_max": 4, "days": 30}
    assert listed["alert_rules"][0]["failures_days"] == 7
    assert by_id["reminder_rules"]["business"]["days_before"] == [10]
    assert listed["refund_rules"][0]["refunds_credit"] is True


async def test_a_difference_is_shown_field_by_field_and_nothing_of_it_is_written(cli: CommandLine, apply: Any) -> None:
    before = await cli.json("definitions", "list")

    shown = await apply(EVERYTHING, "diff")
    same = await cli("definitions", "diff", str(ROOT / "docs" / "definitions.example.toml"))

    fields = {(one["kind"], one["id"]): one["changes"] for one in shown["fields"]}
    assert fields["ledger", "ledger"]["allocation_principle"] == {"was": "against_item_and_fifo", "is": "fifo"}
    assert fields["transaction_types", "invoice_cancellation"] == {"is_default": {"was": True, "is": False}}
    assert "version" not in shown
    assert same.exit_code == 0
    assert "null -> null" not in " ".join(same.stdout.split())
    assert await cli.json("definitions", "list") == before
    assert (await cli.json("definitions", "history"))["changes"] == []


async def test_each_document_is_a_version_with_who_and_why_and_can_be_applied_again(
    cli: CommandLine, tmp_path: Path
) -> None:
    who = ("--actor", "paula", "--reason", "as agreed with the auditor")
    await cli.json("definitions", "apply", written(tmp_path, EVERYTHING), *who)
    await cli.json(
        "definitions", "apply", written(tmp_path, "[refund_rules]\nrefunds_credit = false"), "--actor", "max"
    )

    history = (await cli.json("definitions", "history", "refund_rules"))["changes"]
    kinds = {one["kind"] for one in (await cli.json("definitions", "history", "--limit", "500"))["changes"]}
    first = await cli.json("definitions", "show", "1")
    (tmp_path / "first.json").write_text(str(await _text(cli, "1")), encoding="utf-8")
    back = await cli.json("definitions", "apply", str(tmp_path / "first.json"))
    unknown = await cli("definitions", "show", "9", "--json")
    no_table = await cli("definitions", "history", "--kind", "gadgets", "--json")

    assert no_table.rules == [("kind", "table_exists")]
    assert [(one["version"], one["actor"], one["reason"]) for one in history] == [
        (2, "max", ""),
        (1, "paula", "as agreed with the auditor"),
    ]
    assert history[0]["changes"] == {"refunds_credit": {"was": True, "is": False}}
    assert {"products", "transaction_types", "due_date_rules", "ledger", "internal_accounts", "card_networks"} < kinds
    assert (first["actor"], first["document"]["ledger"]["allocation_principle"]) == ("paula", "fifo")
    assert [one["id"] for one in back["changes"] if one["change"] != "unchanged"] == ["refund_rules"]
    assert unknown.rules == [("version", "version_exists")]


async def _text(cli: CommandLine, version: str) -> str:
    """What a person copies from the terminal: the document behind the line that says whose it is."""
    return (await cli("definitions", "show", version, COLUMNS="100000")).stdout.split("\n", 1)[1]


async def test_what_is_configured_is_given_out_as_a_document_that_changes_nothing(
    cli: CommandLine, apply: Any, merchant: Merchant, tmp_path: Path
) -> None:
    await cli.json("definitions", "apply", str(ROOT / "docs" / "definitions.example.toml"))
    await apply(EVERYTHING)
    await merchant.run("update duly.definitions set write_off_product_id = null")
    await merchant.run("insert into duly.run_definitions (id, kind, name) values ('by_sql', 'billing', 'By SQL')")

    given = await cli("definitions", "export")
    (tmp_path / "all.json").write_text(given.stdout, encoding="utf-8")
    again = await cli.json("definitions", "apply", str(tmp_path / "all.json"))

    assert {change["change"] for change in again["changes"]} == {"unchanged"}
    listed = await cli.json("definitions", "list")
    assert len(again["changes"]) == sum(len(rows) for rows in listed.values() if rows)


async def test_documents_that_come_at_once_are_applied_one_after_another(cli: CommandLine, engine: AsyncEngine) -> None:
    texts = [EVERYTHING.replace("200", str(200 + number)) for number in range(4)]

    applied = await asyncio.gather(*(configure(engine, text) for text in texts))

    assert sorted(one.version for one in applied) == [1, 2, 3, 4]
    stale = [
        one["changes"]["stale_days"] for one in (await cli.json("definitions", "history", "card_rules"))["changes"]
    ]
    assert [one["was"] for one in stale[:-1]] == [one["is"] for one in stale[1:]]


async def test_a_type_says_which_methods_and_categories_it_allows(company: Company, apply: Any) -> None:
    await apply(EVERYTHING)
    await company.account("a1")
    paying = ("transactions", "create", "payment", "a1", "--amount", "5.00", "--type", "voucher_payment")

    made = await company.cli.json(*paying, "--method", "voucher_summer", "--category", "retail")

    assert made["transaction"]["number"].startswith("VOU-")
    assert [rule for _, rule in await company.refused(*paying, "--method", "cash")] == ["method_allowed"]
    refused = await company.refused(*paying, "--method", "voucher", "--category", "staff")
    assert [rule for _, rule in refused] == ["category_allowed"]


async def test_a_write_off_has_a_category_of_its_type_and_the_product_of_the_document(
    company: Company, apply: Any
) -> None:
    await apply(EVERYTHING + TYPE.format("write_off") + 'categories = ["insolvent", "moved"]\n')
    await company.account("a1")
    invoice = await company.invoice("a1")
    writing_off = ("transactions", "write-off", invoice["number"], "--type", "write_off", "--category")

    refused = await company.refused(*writing_off, "lost")
    written_off = await company.cli.json(*writing_off, "moved", "--yes")

    shown = await company.shown(written_off["transaction"]["id"])
    assert [rule for _, rule in refused] == ["category_allowed"]
    assert (shown["category"], shown["lines"][0]["product_id"]) == ("moved", "bad_debt_uk")


async def test_what_a_type_is_not_told_again_it_keeps(cli: CommandLine, apply: Any) -> None:
    await apply(EVERYTHING)

    await apply(TYPE.format("voucher_payment") + 'categories = ["retail"]\n')

    types = {row["id"]: row for row in (await cli.json("definitions", "list"))["transaction_types"]}
    assert types["voucher_payment"]["categories"] == ["retail"]
    assert types["voucher_payment"]["payment_methods"] == ["voucher", "voucher_summer"]
    assert types["voucher_payment"]["alternative_code"] == "PV"


async def test_a_draft_is_rejected_for_a_reason_of_the_document(company: Company, apply: Any) -> None:
    await apply(EVERYTHING)
    await company.account("a1")
    draft = await company.invoice("a1", "10", "--draft")

    await company.cli.json("transactions", "reject", draft["id"], "no_order", "--yes")

    assert (await company.shown(draft["id"]))["state"] == "rejected"
