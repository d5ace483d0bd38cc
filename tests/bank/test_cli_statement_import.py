"""Bank statements become payments: each line once, the uncertain ones in suspense, no good one lost to a bad one."""

from pathlib import Path
from typing import Any

import pytest

from tests.bank.statements import camt, csv_statement, detail, entry
from tests.support.company import Company


def outcomes(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["outcome"], one["account_id"], one["reason"]) for one in result["entries"]]


def torn(file: str) -> str:
    """Cut a file off before its end."""
    whole = Path(file).read_text(encoding="utf-8")
    Path(file).write_text(whole[:-200], encoding="utf-8")
    return file


@pytest.mark.parametrize("version", ["02", "04", "08", "13"])
async def test_every_version_of_camt_053_is_read(company: Company, tmp_path: Path, version: str) -> None:
    await company.account("cust-1001")
    file = camt(tmp_path, entry("B1", "12.50", structured="cust-1001"), version=version)

    result = await company.cli.json("import", "bank", file)

    assert outcomes(result) == [("posted", "cust-1001", "")]
    assert await company.balance("cust-1001") == -1250


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    "fields",
    [
        {"structured": "cust-1001"},
        {"end_to_end": "cust-1001"},
        {"text": "Thank you! (cust-1001)"},
        {"text": "Rechnung INV-0000000001, Mai"},
        {"text": "inv 1"},
        {"structured": "RF29INV0000000001"},
    ],
)
async def test_the_account_is_found_by_its_id_or_by_an_invoice_in_any_reference(
    company: Company, tmp_path: Path, fields: dict[str, Any]
) -> None:
    await company.account("cust-1001")
    await company.invoice("cust-1001", "20.00")

    result = await company.cli.json("import", "bank", camt(tmp_path, entry("B1", "20.00", **fields)))

    assert outcomes(result) == [("posted", "cust-1001", "")]
    assert await company.balance("cust-1001") == 0


async def test_money_for_an_invoice_that_was_written_off_is_told(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    given_up = await company.invoice("cust-1001", "20.00")
    await company.cli.json("transactions", "write-off", given_up["number"], "--type", "write_off", "--yes")

    result = await company.cli.json("import", "bank", camt(tmp_path, entry("B1", "20.00", text="INV-0000000001")))

    (line,) = result["entries"]
    assert (line["outcome"], line["account_id"], line["written_off"]) == ("posted", "cust-1001", ["INV-0000000001"])
    payment = await company.shown(line["number"])
    assert payment["addressed_invoice_ids"] == [given_up["id"]]
    assert payment["notes"][0]["note"].startswith("for INV-0000000001, which was written off")


async def test_operators_are_told_once_of_money_for_an_invoice_that_was_written_off(
    company: Company, tmp_path: Path
) -> None:
    await company.account("cust-1001")
    given_up = await company.invoice("cust-1001", "20.00")
    await company.invoice("cust-1001", "30.00")
    await company.cli.json("transactions", "write-off", given_up["number"], "--type", "write_off", "--yes")
    file = camt(tmp_path, entry("B1", "20.00", text="INV-0000000001"), entry("B2", "30.00", text="INV-0000000002"))

    (line, _) = (await company.cli.json("import", "bank", file))["entries"]
    await company.cli.json("import", "bank", file)
    by_hand = ("--amount", "1.00", "--method", "cash", "--invoice", given_up["number"])
    other = await company.create("payment", "cust-1001", *by_hand)

    rows = await company.run(
        "select parameters ->> 'payment_id' as id, parameters ->> 'object' as object from duly.messages"
    )
    assert {(one.id, one.object) for one in rows} == {
        ((await company.shown(number))["id"], "INV-0000000001") for number in (line["number"], other["number"])
    }
    assert len(rows) == 2


async def test_a_payment_that_names_an_invoice_is_meant_for_it(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    await company.invoice("cust-1001", "20.00")
    later = await company.invoice("cust-1001", "20.00")

    await company.cli.json("import", "bank", camt(tmp_path, entry("B1", "20.00", text=later["number"])))

    assert (await company.shown(later["id"]))["is_settled"] is True


async def test_importing_a_statement_again_changes_nothing(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    file = camt(tmp_path, entry("B1", "12.50", structured="cust-1001"), entry("B2", "5.00", text="who am I"))
    first = await company.cli.json("import", "bank", file)
    before = await company.footprint()

    second = await company.cli.json("import", "bank", file)

    assert await company.footprint() == before
    assert {one["outcome"] for one in second["entries"]} == {"unchanged"}
    assert [one["number"] for one in second["entries"]] == [one["number"] for one in first["entries"]]


async def test_uncertain_money_goes_to_suspense_with_the_reason(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001", owner_reference="C7")
    await company.account("cust-1002", "JPY")
    await company.account("cust-1003")
    await company.cli.json("accounts", "terminate", "cust-1003")
    rows = (
        "B1,2026-05-20,10.00,EUR,,,no reference at all,,",
        "B2,2026-05-20,10.00,EUR,,,cust-1001 or cust-1003,,",
        "B3,2026-05-20,10.00,EUR,cust-1003,,,,",
        "B4,2026-05-20,10.00,EUR,cust-1002,,,,",
        "B5,2026-05-20,10.00,EUR,cust-1001,,,,C8",
        "B6,2026-05-20,10.00,EUR,cust-9999,,,,",
    )

    result = await company.cli.json("import", "bank", csv_statement(tmp_path, rows))

    assert [one["reason"] for one in result["entries"]] == [
        "account_unknown",
        "account_ambiguous",
        "account_terminated",
        "currency_differs",
        "owner_differs",
        "account_unknown",
    ]
    assert await company.balance("acc_suspense_eur") == -6000


async def test_money_that_a_bank_returned_waits_for_somebody_to_look(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    returned = detail(text="cust-1001") + "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    file = camt(tmp_path, entry("B1", "10.00", details=f"<TxDtls>{returned}</TxDtls>"))

    result = await company.cli.json("import", "bank", file)

    assert [one["reason"] for one in result["entries"]] == ["returned_transfer"]


async def test_debits_and_what_is_not_booked_are_listed_and_not_posted(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    debit = entry("B1", "10.00", side="DBIT", text="cust-1001")
    pending = entry("B2", "10.00", status="<Cd>PDNG</Cd>", text="cust-1001")
    old_style = entry("B3", "10.00", status="BOOK", text="cust-1001")

    result = await company.cli.json("import", "bank", camt(tmp_path, debit, pending, old_style))

    assert [one["outcome"] for one in result["entries"]] == ["debit", "not_booked", "posted"]
    assert await company.balance("cust-1001") == -1000


async def test_a_batch_entry_is_as_many_payments_as_it_has_details(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    await company.account("cust-1002")
    parts = (("cust-1001", "4.00"), ("cust-1002", "6.00"))
    details = "".join(f"<TxDtls>{detail(text=text, amount=amount)}</TxDtls>" for text, amount in parts)

    result = await company.cli.json("import", "bank", camt(tmp_path, entry("B1", "10.00", details=details)))

    assert [(one["bank_reference"], one["account_id"], one["amount_minor"]) for one in result["entries"]] == [
        ("B1/1", "cust-1001", 400),
        ("B1/2", "cust-1002", 600),
    ]


async def test_a_bad_line_is_named_and_costs_no_good_one(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    rows = (
        "B1,2026-05-20,10.00,EUR,cust-1001,,,,",
        "B2,2026-05-32,10.00,EUR,cust-1001,,,,",
        "B3,2026-05-20,10.001,EUR,cust-1001,,,,",
        "B4,2026-05-20,0,EUR,cust-1001,,,,",
        "B5,2026-05-20,10.00,ABC,cust-1001,,,,",
        ",2026-05-20,10.00,EUR,cust-1001,,,,",
        "B7,2026-05-20,10.00,EUR,cust-1001",
        "B1,2026-05-20,10.00,EUR,cust-1001,,,,",
        "B9,2026-05-20,10.00,EUR,cust-1001,,,,",
    )

    result = await company.cli("import", "bank", csv_statement(tmp_path, rows), "--json")

    assert result.exit_code == 1
    assert [(one["line"], one["field"], one["rule"]) for one in result.document["problems"]] == [
        (3, "booked_on", "day_exists"),
        (4, "amount", "amount_format"),
        (5, "amount", "amount_not_zero"),
        (6, "currency", "currency_exists"),
        (7, "bank_reference", "value_required"),
        (8, "row", "column_count"),
        (9, "bank_reference", "bank_reference_once"),
    ]
    assert await company.balance("cust-1001") == -2000


async def test_a_bad_entry_of_camt_053_is_named_with_its_line_and_costs_no_good_one(
    company: Company, tmp_path: Path
) -> None:
    await company.account("cust-1001")
    twice = "".join(f"<TxDtls>{detail(amount='4.00')}</TxDtls>" for _ in range(2))
    file = camt(
        tmp_path,
        entry("B1", "10.00", text="cust-1001"),
        entry("B2", "ten", text="cust-1001"),
        entry("NONREF", "-10.00", text="cust-1001"),
        entry("B4", "10.00", details=twice),
        entry("B5", "10.00", text="cust-1001"),
        entry("B6", "10.00", text="cust-1001").replace("2026-05-20", "0001-05-20"),
    )

    result = await company.cli("import", "bank", file, "--json")

    assert [(one["line"], one["field"], one["rule"]) for one in result.document["problems"]] == [
        (4, "Amt", "amount_format"),
        (5, "Amt", "amount_positive"),
        (8, "BookgDt", "day_in_years"),
    ]
    assert await company.balance("cust-1001") == -2000


async def test_what_stands_before_the_end_of_a_torn_file_is_posted(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    file = camt(tmp_path, entry("B1", "10.00", text="cust-1001"), entry("B2", "10.00", text="cust-1001"))

    result = await company.cli("import", "bank", torn(file), "--json")

    assert [one["rule"] for one in result.document["problems"]] == ["xml"]
    assert await company.balance("cust-1001") == -1000


async def test_a_reference_that_comes_with_another_amount_is_refused(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    await company.cli.json("import", "bank", csv_statement(tmp_path, ["B1,2026-05-20,10.00,EUR,cust-1001,,,,"]))

    result = await company.cli(
        "import", "bank", csv_statement(tmp_path, ["B1,2026-05-20,11.00,EUR,cust-1001,,,,"]), "--json"
    )

    assert [one["rule"] for one in result.document["problems"]] == ["bank_reference_once"]
    assert await company.balance("cust-1001") == -1000


async def test_a_hostile_file_opens_nothing_and_expands_nothing(company: Company, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("cust-1001")
    await company.account("cust-1001")
    head = f'<!DOCTYPE Document [<!ENTITY leak SYSTEM "file://{secret}"><!ENTITY boom "cust-1001">]>'
    file = camt(tmp_path, entry("B1", "10.00", text="&leak;&boom;"), head=head)

    result = await company.cli.json("import", "bank", file)

    assert [one["reason"] for one in result["entries"]] == ["account_unknown"]


@pytest.mark.parametrize(
    ("content", "field", "rule"),
    [
        ("", "bank", "header_required"),
        ("bank_reference,amount\n", "booked_on", "column_required"),
        ("<html></html>", "file", "iso_20022"),
        ("<Document><CstmrCdtTrfInitn/></Document>", "file", "camt_053"),
        ("<Document", "file", "xml"),
    ],
)
async def test_a_file_that_is_no_statement_is_refused(
    company: Company, tmp_path: Path, content: str, field: str, rule: str
) -> None:
    file = tmp_path / "statement"
    file.write_text(content)

    refused = await company.refused("import", "bank", str(file))

    assert (field, rule) in refused


async def test_a_card_number_in_the_payers_text_is_not_kept(company: Company, tmp_path: Path) -> None:
    file = csv_statement(tmp_path, ["B1,2026-05-20,10.00,EUR,,,my card is 4242 4242 4242 4242,Ann,"])

    await company.cli.json("import", "bank", file)
    result = await company.cli.json("suspense", "list")

    assert result["payments"][0]["note"] == ("suspense: account_unknown; payer: Ann; text: my card is (number removed)")
