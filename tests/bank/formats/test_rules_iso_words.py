"""What banks say around a payment, by ISO 20022: days, names and numbers that a person needs are kept."""

from pathlib import Path

import pytest

from commands.bank.statement_files import read_entries
from models.bank.entry import BankEntry
from tests.bank.statements import document, entry, statement

NO_DAY = "<BookgDt><Dt>2026-05-20</Dt></BookgDt>"
CLOSING = ("100.00", "120.00")
PERIOD = "<FrToDt><FrDtTm>2026-05-18T00:00:00</FrDtTm><ToDtTm>2026-05-18T23:59:59</ToDtTm></FrToDt>"


def read(folder: Path, content: str) -> BankEntry:
    file = folder / "statement.xml"
    file.write_text(content, encoding="utf-8")
    [found] = [one for one in read_entries(file) if isinstance(one, BankEntry)]
    return found


@pytest.mark.parametrize(
    ("more", "head", "balances", "expected"),
    [
        ("<ValDt><Dt>2026-05-17</Dt></ValDt>", PERIOD, CLOSING, "2026-05-17"),
        ("", PERIOD, CLOSING, "2026-05-18"),
        ("", "", CLOSING, "2026-05-20"),
        ("", "<CreDtTm>2026-05-21T01:00:00+02:00</CreDtTm>", CLOSING, "2026-05-20"),
        ("", "<CreDtTm>2026-05-21T01:00:00+02:00</CreDtTm>", None, "2026-05-21"),
        # The message's own: what every file has.
        ("", "", None, "2026-05-20"),
    ],
)
def test_an_entry_without_a_day_has_its_statements(
    tmp_path: Path, more: str, head: str, balances: tuple[str, str] | None, expected: str
) -> None:
    line = entry("B1", "20.00", text="INV-1").replace(NO_DAY, more)

    found = read(tmp_path, document(statement(line, head=head, balances=balances)))

    assert str(found.booked_on) == expected


def test_an_entry_without_a_day_is_of_the_day_on_which_it_was_settled(tmp_path: Path) -> None:
    details = "<TxDtls><RltdDts><IntrBkSttlmDt>2026-05-19</IntrBkSttlmDt></RltdDts></TxDtls>"
    line = entry("B1", "20.00", details=details).replace(NO_DAY, "")

    assert str(read(tmp_path, document(statement(line))).booked_on) == "2026-05-19"


@pytest.mark.parametrize(
    "kept",
    [
        "<Refs><InstrId>NUMBER7</InstrId></Refs>",
        "<Refs><TxId>NUMBER7</TxId></Refs>",
        "<Refs><UETR>NUMBER7</UETR></Refs>",
        "<Refs><MndtId>NUMBER7</MndtId></Refs>",
        "<Refs><Prtry><Tp>01</Tp><Ref>NUMBER7</Ref></Prtry></Refs>",
        "<RltdRmtInf><RmtId>NUMBER7</RmtId></RltdRmtInf>",
        "<RltdPties><Dbtr><Nm>A bank</Nm></Dbtr><UltmtDbtr><Nm>NUMBER7</Nm></UltmtDbtr></RltdPties>",
        "<RltdPties><Dbtr><Pty><Nm>A</Nm></Pty></Dbtr><UltmtDbtr><Pty><Nm>NUMBER7</Nm></Pty></UltmtDbtr></RltdPties>",
        "<RmtInf><Strd><RfrdDocInf><Nb>NUMBER7</Nb></RfrdDocInf></Strd></RmtInf>",
        "<RmtInf><Strd><AddtlRmtInf>NUMBER7</AddtlRmtInf></Strd></RmtInf>",
        "<AddtlTxInf>NUMBER7</AddtlTxInf>",
        "<RtrInf><Rsn><Cd>AC06</Cd></Rsn><AddtlInf>NUMBER7</AddtlInf></RtrInf>",
    ],
)
def test_what_the_bank_says_of_a_payment_is_in_its_note(tmp_path: Path, kept: str) -> None:
    found = read(tmp_path, document(statement(entry("B1", "20.00", details=f"<TxDtls>{kept}</TxDtls>"))))

    assert "NUMBER7" in found.note


def test_a_payment_that_came_back_says_why(tmp_path: Path) -> None:
    details = "<TxDtls><RtrInf><Rsn><Cd>AC06</Cd></Rsn><AddtlInf>KONTO GESPERRT</AddtlInf></RtrInf></TxDtls>"

    found = read(tmp_path, document(statement(entry("B1", "20.00", details=details))))

    assert "returned: AC06 KONTO GESPERRT" in found.note
    assert found.is_return


def test_what_a_batch_says_of_itself_names_nobody_and_is_kept(tmp_path: Path) -> None:
    parts = "".join(f'<TxDtls><Amt Ccy="EUR">{amount}</Amt></TxDtls>' for amount in ("12.00", "8.00"))
    line = entry("B1", "20.00", details=parts).replace("</Ntry>", "<AddtlNtryInf>KUNDE cust-1001</AddtlNtryInf></Ntry>")
    file = tmp_path / "statement.xml"
    file.write_text(document(statement(line)), encoding="utf-8")

    found = [one for one in read_entries(file) if isinstance(one, BankEntry)]

    assert [(one.amount_minor, one.text) for one in found] == [(1200, ""), (800, "")]
    assert all("KUNDE cust-1001" in one.note for one in found)


def test_numbers_of_banks_on_the_way_name_nobody(tmp_path: Path) -> None:
    details = "<TxDtls><Refs><InstrId>INV-0000000012</InstrId><TxId>cust-1001</TxId></Refs></TxDtls>"

    found = read(tmp_path, document(statement(entry("B1", "20.00", details=details))))

    assert (found.text, found.structured_reference, found.other_references, found.documents) == ("", "", (), ())
    assert found.other_ids == ("INV-0000000012", "cust-1001")
