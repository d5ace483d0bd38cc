"""What a bank answers about a whole file of refunds, and files that banks of every kind take."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sepaxml.validation import try_valid_xml

from activities.bank.refund_file import Instruction, Payer, as_pain_001, sepa_text
from commands.bank.refund_confirmation import read_answers
from models.bank.payee import Payee
from models.bank.refund_answer import BankBatchAnswer
from models.money import Money
from tests.bank.refund_files import PAYEES, answers, exported, file_report, in_credit, message_id, mt940, payees
from tests.bank.statements import camt, entry
from tests.support.company import Company

IBAN = "NL91ABNA0417164300"


async def sent(company: Company, folder: Path) -> tuple[list[str], str]:
    """Export refunds of 12.50, 7.00 and 3.00; return their references and the name of the file."""
    await in_credit(company, c1="12.50", c2="7.00", c3="3.00")
    made = await exported(company, folder / "r.xml", "--payees", payees(folder, "c1", "c2", "c3"))
    return [one["reference"] for one in made["refunds"]], message_id(folder / "r.xml")


async def confirmed(company: Company, file: str) -> dict[str, Any]:
    result: dict[str, Any] = (await company.cli("refunds", "confirm", file, "--json")).document
    return result


def outcomes(result: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in result["refunds"]] + [one["rule"] for one in result["problems"]]


def of_file(id: str, references: list[str], level: str, status: str) -> dict[str, str]:
    """Say at which level a report of a file gives its status."""
    return {"group": f"{id}={status}"} if level == "group" else {"group": id, "batch": f"{id}-1={status}"}


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("level", ["group", "batch"])
@pytest.mark.parametrize(("status", "became"), [("RJCT", "rejected"), ("ACSC", "posted"), ("ACSP", "pending")])
async def test_a_status_of_the_whole_file_is_one_of_each_refund(
    company: Company, tmp_path: Path, level: str, status: str, became: str
) -> None:
    references, id = await sent(company, tmp_path)
    report = file_report(tmp_path, **of_file(id, references, level, status))

    first = await confirmed(company, report)
    again = await confirmed(company, report)

    assert outcomes(first) == [became] * 3
    assert set(outcomes(again)) == {"pending" if became == "pending" else "unchanged"}


@pytest.mark.nightly
async def test_what_is_said_of_a_payment_counts_more_than_what_is_said_of_its_file(
    company: Company, tmp_path: Path
) -> None:
    (first, second, _), id = await sent(company, tmp_path)
    report = file_report(tmp_path, group=f"{id}=ACSC", payments=f"{first}=RJCT {second}=PDNG")

    await confirmed(company, report)

    assert [await company.balance(account) for account in ("c1", "c2", "c3")] == [-1250, -700, 0]


async def test_a_file_that_the_bank_has_twice_is_not_taken_for_refused(company: Company, tmp_path: Path) -> None:
    _, id = await sent(company, tmp_path)

    result = await confirmed(company, file_report(tmp_path, group=f"{id}=RJCT", code="AM05"))

    assert outcomes(result) == ["file_sent_twice"]
    assert result["summary"]["waiting_for_an_answer"] == 3


@pytest.mark.parametrize("level", ["group", "batch"])
async def test_a_payment_without_a_status_of_its_own_has_that_of_its_file(
    company: Company, tmp_path: Path, level: str
) -> None:
    references, id = await sent(company, tmp_path)
    report = of_file(id, references, level, "RJCT")

    result = await confirmed(company, file_report(tmp_path, **report, payments=f"{references[0]}=/AC04", code="AC01"))
    again = await confirmed(company, file_report(tmp_path, **report, payments=f"{references[0]}=", code="AM05"))

    assert sorted(outcomes(result)) == ["rejected"] * 3
    assert sorted(outcomes(again)) == ["file_sent_twice", "unchanged"]


async def test_a_payment_that_the_bank_has_twice_is_not_taken_for_refused(company: Company, tmp_path: Path) -> None:
    (first, second, third), id = await sent(company, tmp_path)
    twice = f"{first}=RJCT/AM05 {second}=RJCT/DU04 {third}=RJCT/AC04"

    result = await confirmed(company, file_report(tmp_path, group=id, payments=twice))
    paid = await confirmed(company, file_report(tmp_path, group=id, payments=f"{first}=ACSC {second}=ACSC"))

    assert outcomes(result) == ["rejected", "payment_sent_twice", "payment_sent_twice"]
    assert outcomes(paid) == ["posted", "posted"]


async def test_the_one_debit_of_a_file_may_name_it_in_its_words_alone(company: Company, tmp_path: Path) -> None:
    _, id = await sent(company, tmp_path)
    words = f"<AddtlNtryInf>SEPA-SAMMLER 3 POSTEN {id.upper()}-1 VOM 20.11.</AddtlNtryInf>"
    line = entry("B1", "22.50", side="DBIT", details="", more=words)

    assert outcomes(await confirmed(company, camt(tmp_path, line))) == ["posted"] * 3


def test_the_name_of_a_file_is_read_in_mt940_though_the_banks_line_cuts_it(tmp_path: Path) -> None:
    id = "2026-11-a8825b432a5b2c4c788e7a88"
    file = mt940(tmp_path, "22,50", f"105?00SAMMLER?20SEPA 3 POSTEN {id[:12]}?21{id[12:]}-1?32Company")

    (answer,) = read_answers(Path(file))

    assert isinstance(answer, BankBatchAnswer)
    assert (answer.ids, answer.period, answer.amount) == ((f"{id}-1",), "2026-11", "22.50")


async def test_an_answer_about_a_file_of_somebody_else_is_named(company: Company, tmp_path: Path) -> None:
    await sent(company, tmp_path)

    result = await confirmed(company, file_report(tmp_path, group="SALARIES-11=RJCT"))

    assert outcomes(result) == ["batch_exported"]


@pytest.mark.parametrize(("amount", "expected"), [("22.50", ["posted"] * 3), ("22.51", ["amount_of_batch"])])
async def test_the_one_debit_of_a_file_confirms_it_where_its_amount_agrees(
    company: Company, tmp_path: Path, amount: str, expected: list[str]
) -> None:
    _, id = await sent(company, tmp_path)
    batch = f"<Btch><MsgId>{id}</MsgId><PmtInfId>{id}-1</PmtInfId><NbOfTxs>3</NbOfTxs></Btch>"
    debit = entry("-", amount, side="DBIT", details=batch).replace("<AcctSvcrRef>-</AcctSvcrRef>", "")

    result = await confirmed(company, camt(tmp_path, debit, entry("B2", "9.00", side="DBIT", details="<TxDtls/>")))

    assert outcomes(result) == expected


async def test_a_debit_that_names_its_payments_without_their_amounts_confirms_them(
    company: Company, tmp_path: Path
) -> None:
    (first, second, _), _ = await sent(company, tmp_path)
    details = "".join(f"<TxDtls><Refs><EndToEndId>{one}</EndToEndId></Refs></TxDtls>" for one in (first, second))

    result = await confirmed(company, camt(tmp_path, entry("B1", "19.50", side="DBIT", details=details)))

    assert outcomes(result) == ["posted", "posted"]


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(("status", "balance"), [("paid", 0), ("rejected", -1250)])
async def test_an_answer_counts_though_the_account_was_terminated_meanwhile(
    company: Company, tmp_path: Path, status: str, balance: int
) -> None:
    (first, *_), _ = await sent(company, tmp_path)
    await company.cli.json("accounts", "terminate", "c1")

    await company.cli.json("refunds", "confirm", answers(tmp_path, f"{first},{status},,"))

    assert await company.balance("c1") == balance
    assert await company.violations() == []


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize("version", ["03", "09", "10", "11"])
@pytest.mark.parametrize("bic", ["", "COBADEFFXXX"])
async def test_a_file_keeps_the_schema_of_its_version_and_is_one_that_every_bank_takes(
    company: Company, tmp_path: Path, version: str, bic: str
) -> None:
    await in_credit(company, c1="12.50")
    known = tmp_path / "payees.csv"
    known.write_text(f'{PAYEES}c1,"Söhne & Co; <Süd>_*@ Γ",NL91ABNA0417164300,{bic}\n', encoding="utf-8")
    payer = ("--payer-bic", bic) if bic else ()

    await exported(company, tmp_path / "r.xml", "--payees", str(known), "--version", version, *payer)

    document = (tmp_path / "r.xml").read_bytes()
    root = etree.fromstring(document)
    try_valid_xml(document, f"pain.001.001.{version}")
    assert root.findtext(".//{*}Cdtr/{*}Nm") == "Sohne + Co, (Sud)-.. G"
    assert [one.tag for one in root.iter() if not len(one) and not (one.text or "").strip()] == []
    assert root.findtext(".//{*}DbtrAgt//{*}Othr/{*}Id", "") == ("" if bic else "NOTPROVIDED")


def test_a_text_has_the_characters_that_sepa_takes_and_keeps_its_length() -> None:
    assert sepa_text('A&B; "C" <d>_e|f') == "A+B, 'C' (d)-e.f"


@pytest.mark.parametrize(
    ("name", "written"), [("\U0001f642", "NOTPROVIDED"), ("\u200bAnn ", "Ann"), ("日本", "Ri Ben")]
)
def test_a_name_without_a_letter_that_sepa_takes_keeps_no_refund_back(name: str, written: str) -> None:
    refunds = [Instruction(f"R{n}", f"c{n}", Money(1000, "EUR"), "") for n in (1, 2)]
    known = {"c1": Payee("c1", name, IBAN), "c2": Payee("c2", "Ann", IBAN)}

    document = as_pain_001(refunds, known, Payer("ZX", IBAN), period="2026-11", execute_on=date(2026, 12, 1))

    assert [one.text for one in etree.fromstring(document).iterfind(".//{*}Cdtr/{*}Nm")] == [written, "Ann"]
