"""What banks write otherwise in ISO 20022 and MT940: words that are not understood are kept, and returns are known."""

from pathlib import Path

import pytest

from commands.bank.statement_files import read_entries
from models.bank.entry import BankEntry
from models.bank.references import stated_references, written_references
from tests.bank.statements import document, entry, statement

WORD = "NUMBER7"
IBAN = "DE02120300000000202051"


def read(folder: Path, content: str | bytes) -> BankEntry:
    file = folder / "statement.xml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    [found] = [one for one in read_entries(file) if isinstance(one, BankEntry)]
    return found


def with_detail(inside: str) -> str:
    return document(statement(entry("B1", "20.00", details=f"<TxDtls>{inside}</TxDtls>")))


@pytest.mark.parametrize(
    "inside",
    [
        "<RmtInf><Strd><Invcr><Nm>NUMBER7</Nm></Invcr></Strd></RmtInf>",
        "<RmtInf><Strd><TaxRmt><RefNb>NUMBER7</RefNb></TaxRmt></Strd></RmtInf>",
        "<RmtInf><Strd><GrnshmtRmt><RefNb>NUMBER7</RefNb></GrnshmtRmt></Strd></RmtInf>",
        "<RmtInf><Strd><RfrdDocInf><LineDtls><Desc>NUMBER7</Desc></LineDtls></RfrdDocInf></Strd></RmtInf>",
        "<RltdRmtInf><RmtLctnDtls><ElctrncAdr>NUMBER7</ElctrncAdr></RmtLctnDtls></RltdRmtInf>",
        "<Purp><Prtry>NUMBER7</Prtry></Purp>",
        "<RltdPties><Dbtr><Agt><FinInstnId><Nm>NUMBER7</Nm></FinInstnId></Agt></Dbtr></RltdPties>",
        "<RltdPties><DbtrAcct><Nm>NUMBER7</Nm></DbtrAcct></RltdPties>",
        "<RltdPties><InitgPty><Pty><Nm>NUMBER7</Nm></Pty></InitgPty></RltdPties>",
        "<RltdAgts><DbtrAgt><FinInstnId><Nm>NUMBER7</Nm></FinInstnId></DbtrAgt></RltdAgts>",
        "<Refs><AcctOwnrTxId>NUMBER7</AcctOwnrTxId></Refs>",
        "<Refs><PrcgId>NUMBER7</PrcgId></Refs>",
        "<Refs><PmtInfId>NUMBER7</PmtInfId></Refs>",
        "<RtrInf><Orgtr><Nm>NUMBER7</Nm></Orgtr></RtrInf>",
        "<SplmtryData><Envlp><Any><Field>NUMBER7</Field></Any></Envlp></SplmtryData>",
    ],
)
def test_what_a_bank_says_further_is_kept_and_names_nobody(tmp_path: Path, inside: str) -> None:
    found = read(tmp_path, with_detail(inside))

    assert WORD in found.note
    assert WORD not in {*stated_references(found), *written_references(found)}


def test_bank_accounts_are_not_kept_among_what_a_bank_says_further(tmp_path: Path) -> None:
    account = f"<Id><IBAN>{IBAN}</IBAN></Id><Nm>{WORD}</Nm>"
    parties = f"<RltdPties><Dbtr><Nm>Ann</Nm></Dbtr><DbtrAcct>{account}</DbtrAcct></RltdPties>"

    found = read(
        tmp_path, with_detail(f"{parties}<RltdAgts><DbtrAgt><FinInstnId><BIC>X</BIC></FinInstnId></DbtrAgt></RltdAgts>")
    )

    assert WORD in found.note
    assert IBAN not in found.note


@pytest.mark.parametrize(
    "inside",
    [
        "<Strd><CdtrRefInf><CdtrRef>INV-0000000012</CdtrRef></CdtrRefInf></Strd>",
        "<Strd><RfrdDocInf><RfrdDocNb>INV-0000000012</RfrdDocNb></RfrdDocInf></Strd>",
    ],
)
def test_the_first_version_calls_references_otherwise(tmp_path: Path, inside: str) -> None:
    found = read(tmp_path, with_detail(f"<RmtInf>{inside}</RmtInf>"))

    assert "INV-0000000012" in stated_references(found)


@pytest.mark.parametrize(
    ("code", "is_return"),
    [("NRTI+159+00931", True), ("NTRF+109", True), ("NTRF+166+00931", False), ("RTI", False), ("159", False)],
)
def test_a_german_banks_own_code_says_that_money_came_back(tmp_path: Path, code: str, is_return: bool) -> None:
    more = f"<BkTxCd><Prtry><Cd>{code}</Cd><Issr>DK</Issr></Prtry></BkTxCd>"

    assert read(tmp_path, document(statement(entry("B1", "20.00", more=more)))).is_return is is_return


@pytest.mark.parametrize(("code", "is_return"), [("RRTN", True), ("UPCQ", True), ("CQRV", True), ("ESCT", False)])
def test_a_code_of_iso_20022_says_that_money_came_back(tmp_path: Path, code: str, is_return: bool) -> None:
    more = f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>{code}</SubFmlyCd></Fmly></Domn></BkTxCd>"

    assert read(tmp_path, document(statement(entry("B1", "20.00", more=more)))).is_return is is_return


@pytest.mark.parametrize("before", [b"\r\n", b"\xef\xbb\xbf\xef\xbb\xbf", b" \t\n"])
def test_what_a_program_writes_before_the_document_costs_nothing(tmp_path: Path, before: bytes) -> None:
    content = document(statement(entry("B1", "20.00", text="cust-1001")))

    assert read(tmp_path, before + content.encode()).text == "cust-1001"


@pytest.mark.parametrize("written", ["/REMI/USTD//cust-1001/", "/REMI/STRD/CUR/cust-1001/", "/REMI/USTD//cust-1001!/"])
def test_a_dutch_banks_remittance_is_a_word_of_its_own(tmp_path: Path, written: str) -> None:
    lines = (
        ":20:S1", ":25:NL91INGB0417164300EUR", ":28C:1", ":60F:C260519EUR0,00", ":61:2605200520C20,00NTRFEREF//B1",
        f":86:/EREF/7//CNTP/NL20INGB0001234567/INGBNL2A/A SMITH//{written}", ":62F:C260520EUR20,00", "-",
    )  # fmt: skip

    assert "cust-1001" in written_references(read(tmp_path, "\n".join(lines)))
