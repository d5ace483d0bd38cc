"""Refunds by bank transfer: drafted once a month, written for the bank, posted when it has paid."""

import csv
import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.bank.refund_files import (
    IBANS,
    PAYER,
    answers,
    exported,
    exported_by_a_bank,
    in_credit,
    message_id,
    mt940,
    payees,
    status_report,
    transfers,
)
from tests.bank.statements import camt, entry
from tests.collections.cli.test_cli_signals import open_collection
from tests.house.source import ROOT
from tests.support.company import Company


async def test_an_export_drafts_refunds_and_writes_a_valid_pain_001(company: Company, tmp_path: Path) -> None:
    await in_credit(company, c1="12.50", c2="7.00")
    file = tmp_path / "refunds.xml"

    result = await exported(company, file, "--payees", payees(tmp_path, "c1", "c2"))

    assert [(one["account_id"], one["amount_minor"], one["state"]) for one in result["refunds"]] == [
        ("c1", 1250, "draft"),
        ("c2", 700, "draft"),
    ]
    assert transfers(file) == [
        (result["refunds"][0]["reference"], "12.50", "Ann of c1", IBANS["c1"]),
        (result["refunds"][1]["reference"], "7.00", "Ann of c2", IBANS["c2"]),
    ]
    assert (await company.balance("c1"), await company.balance("c2")) == (-1250, -700)


async def test_exporting_a_month_again_gives_the_same_refunds_and_the_same_message(
    company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="12.50")
    known = payees(tmp_path, "c1", "c2")
    first = await exported(company, tmp_path / "1.xml", "--payees", known)
    await in_credit(company, c2="7.00")
    before = await company.footprint()

    second = await exported(company, tmp_path / "2.xml", "--payees", known)

    assert second["refunds"] == first["refunds"]
    assert message_id(tmp_path / "2.xml") == message_id(tmp_path / "1.xml")
    assert await company.footprint() == before


async def test_the_next_month_refunds_only_what_is_not_waiting_already(company: Company, tmp_path: Path) -> None:
    await in_credit(company, c1="12.50", c2="7.00")
    known = payees(tmp_path, "c1", "c2")
    await exported(company, tmp_path / "11.xml", "--payees", known)
    await company.payment("c1", "1.00")

    result = await exported(company, tmp_path / "12.xml", "--payees", known, period="2026-12")

    assert [(one["account_id"], one["amount_minor"]) for one in result["refunds"]] == [("c1", 100)]
    assert [(one["account_id"], one["reason"]) for one in result["skipped"]] == [("c2", "refund_pending")]


async def test_whoever_is_left_out_is_named_with_the_reason(
    company: Company, owner_engine: AsyncEngine, tmp_path: Path
) -> None:
    await in_credit(company, c1="1.00", c2="1.00", c3="1.00")
    await company.account("c4", "JPY")
    await company.payment("c4", "100")
    await company.cli.json("accounts", "terminate", "c2")
    async with owner_engine.begin() as owner:
        await owner.execute(
            text("select duly.make_payment('k', 'c3', 100, 'EUR', 'card', 'stripe', p_gateway_reference => 'pi_1')")
        )

    result = await exported(company, tmp_path / "r.xml", "--payees", payees(tmp_path, "c2", "c3"))

    assert result["refunds"] == []
    assert {one["account_id"]: one["reason"] for one in result["skipped"]} == {
        "c1": "payee_missing",
        "c2": "account_terminated",
        "c3": "gateway_can_refund",
        "c4": "currency_of_format",
    }


async def test_csv_takes_every_currency_and_needs_no_bank_details(company: Company, tmp_path: Path) -> None:
    await company.account("c4", "JPY")
    await company.payment("c4", "100")
    file = tmp_path / "refunds.csv"

    result = await company.cli.json("refunds", "export", "2026-11", str(file), "--format", "csv")

    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["reference"], row["amount"], row["currency"]) for row in rows] == [
        (result["refunds"][0]["reference"], "100", "JPY")
    ]


async def test_bank_details_are_in_the_file_and_nowhere_else(company: Company, tmp_path: Path) -> None:
    await in_credit(company, c1="12.50")
    file = tmp_path / "refunds.xml"

    result = await company.cli("refunds", "export", "2026-11", str(file), *PAYER, "--payees", payees(tmp_path, "c1"))

    stored = await company.value("select string_agg(t::text, '') from duly.financial_transactions t")
    assert IBANS["c1"] not in result.stdout + result.stderr + stored
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_answers_that_are_read_again_tell_the_collection_of_the_refund_once_more(
    company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="12.50")
    result = await exported(company, tmp_path / "r.xml", "--payees", payees(tmp_path, "c1"))
    file = answers(tmp_path, f"{result['refunds'][0]['reference']},paid,12.50,")
    await company.invoice("c1")
    await open_collection(company, "c1")

    away = {"DULY_TEMPORAL_ADDRESS": "127.0.0.1:1"}
    first = (await company.cli("refunds", "confirm", file, "--json", **away)).document
    again = (await company.cli("refunds", "confirm", file, "--json", **away)).document

    assert again["refunds"][0]["outcome"] == "unchanged"
    assert "collection/c1/2026-05 will notice" in first["warning"]
    assert again["warning"] == first["warning"]


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("kind", ["csv", "pain.002", "camt.053", "mt940", "bank's csv"])
async def test_paid_refunds_are_posted_from_every_kind_of_answer(company: Company, tmp_path: Path, kind: str) -> None:
    await in_credit(company, c1="12.50", c2="7.00")
    result = await exported(company, tmp_path / "r.xml", "--payees", payees(tmp_path, "c1", "c2"))
    reference = result["refunds"][0]["reference"]
    file = {
        "csv": answers(tmp_path, f"{reference},paid,12.50,"),
        "pain.002": status_report(tmp_path, (reference, "ACSC", "")),
        "camt.053": camt(tmp_path, entry("B9", "12.50", side="DBIT", end_to_end=reference), entry("B10", "1.00")),
        "mt940": mt940(tmp_path, "12,50", f"116?00UEB?20EREF+{reference}?21SVWZ+Refund?32Ann"),
        "bank's csv": exported_by_a_bank(tmp_path, "12,50", reference),
    }[kind]
    if kind == "bank's csv":
        await company.cli.json("definitions", "apply", str(ROOT / "docs/examples/bank_layouts.toml"))

    first = await company.cli.json("refunds", "confirm", file)
    again = await company.cli.json("refunds", "confirm", file)

    assert first["summary"] == {
        "posted": 1, "rejected": 0, "pending": 0, "unchanged": 0, "refused": 0, "waiting_for_an_answer": 1,
    }  # fmt: skip
    assert [one["outcome"] for one in again["refunds"]] == ["unchanged"]
    assert (await company.balance("c1"), await company.balance("c2")) == (0, -700)


async def test_what_the_bank_refused_is_rejected_with_its_reason_and_may_be_refunded_next_month(
    company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="12.50", c2="7.00")
    known = payees(tmp_path, "c1", "c2")
    made = await exported(company, tmp_path / "11.xml", "--payees", known)
    first, second = (one["reference"] for one in made["refunds"])

    result = await company.cli.json(
        "refunds", "confirm", status_report(tmp_path, (first, "RJCT", "AC04"), (second, "ACSP", ""))
    )
    shown = await company.shown(first)
    after = await exported(company, tmp_path / "12.xml", "--payees", known, period="2026-12")

    assert [one["outcome"] for one in result["refunds"]] == ["rejected", "pending"]
    assert (shown["state"], shown["rejection_reason"]) == ("rejected", "declined")
    assert shown["notes"][0]["note"] == "the bank: AC04"
    assert [one["account_id"] for one in after["refunds"]] == ["c1"]


async def test_bad_answers_are_named_and_cost_no_good_one(company: Company, tmp_path: Path) -> None:
    await in_credit(company, c1="12.50", c2="7.00")
    made = await exported(company, tmp_path / "r.xml", "--payees", payees(tmp_path, "c1", "c2"))
    first, second = (one["reference"] for one in made["refunds"])
    payment = (await company.payment("c1", "0.01"))["reference_number"]
    file = answers(
        tmp_path, f"{first},paid,12.51,", f"{payment},paid,,", "R999,paid,,", f"{first},lost,,", f"{second},paid,7.00,"
    )

    result = await company.cli("refunds", "confirm", file, "--json")

    assert result.exit_code == 1
    assert [(one["line"], one["field"], one["rule"]) for one in result.document["problems"]] == [
        (2, "amount", "amount_of_refund"),
        (3, "reference", "refund_exported"),
        (4, "transaction", "transaction_exists"),
        (5, "status", "status_exists"),
    ]
    assert (await company.balance("c1"), await company.balance("c2")) == (-1251, 0)


async def test_a_refund_that_was_paid_cannot_be_refused_afterwards(company: Company, tmp_path: Path) -> None:
    await in_credit(company, c1="12.50")
    made = await exported(company, tmp_path / "r.xml", "--payees", payees(tmp_path, "c1"))
    reference = made["refunds"][0]["reference"]
    await company.cli.json("refunds", "confirm", answers(tmp_path, f"{reference},paid,,"))

    result = await company.cli("refunds", "confirm", answers(tmp_path, f"{reference},rejected,,"), "--json")

    assert [one["rule"] for one in result.document["problems"]] == ["draft_only"]


@pytest.mark.parametrize(
    ("words", "field", "rule"),
    [
        ((), "payer", "payer_required"),
        (("--payer-name", "ZX", "--payer-iban", "DE88370400440532013000"), "payer-iban", "iban_valid"),
        ((*PAYER, "--payer-bic", "x"), "payer-bic", "bic_format"),
    ],
)
async def test_an_export_that_nobody_could_pay_is_refused_before_anything_is_drafted(
    company: Company, tmp_path: Path, words: tuple[str, ...], field: str, rule: str
) -> None:
    await in_credit(company, c1="12.50")

    refused = await company.refused(
        "refunds", "export", "2026-11", str(tmp_path / "r.xml"), "--payees", payees(tmp_path, "c1"), *words
    )

    assert refused == [(field, rule)]


async def test_a_mistyped_iban_is_refused_and_not_repeated(company: Company, tmp_path: Path) -> None:
    await in_credit(company, c1="12.50")
    (tmp_path / "p.csv").write_text("account_id,name,iban\nc1,Ann,NL91ABNA0417164301\n")

    result = await company.cli(
        "refunds", "export", "2026-11", str(tmp_path / "r.xml"), *PAYER, "--payees", str(tmp_path / "p.csv"), "--json"
    )

    assert result.rules == [("iban", "iban_valid")]
    assert "NL91" not in result.stderr


async def test_a_file_that_exists_is_never_written_over(company: Company, tmp_path: Path) -> None:
    file = tmp_path / "r.xml"
    file.write_text("with the bank")

    assert await company.refused("refunds", "export", "2026-11", str(file), *PAYER) == [("file", "file_is_new")]
    assert file.read_text() == "with the bank"
