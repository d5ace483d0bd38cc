"""Statements of ISO 20022 as banks write them: each entry is read, and nothing of it is lost."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.bank.iso20022 import message_of
from activities.bank.iso_statement import KINDS, statement_entries
from commands.bank.statement_files import read_entries
from models.bank.balance import StatementBalance
from models.bank.entry import BankEntry
from models.problem import Problem
from tests.bank.statements import detail, document, entry, statement


@dataclass(frozen=True)
class Found:
    """What is read of a file."""

    entries: list[BankEntry]
    problems: list[Problem]
    balances: list[StatementBalance]

    @property
    def credits_minor(self) -> int:
        return sum(one.amount_minor for one in self.entries if one.is_income)


def read(folder: Path, content: str, *, encoding: str = "UTF-8") -> Found:
    file = folder / "statement.xml"
    file.write_bytes(content.encode(encoding))
    found = list(read_entries(file))
    return Found(
        [one for one in found if isinstance(one, BankEntry)],
        [one for one in found if isinstance(one, Problem)],
        [one for one in found if isinstance(one, StatementBalance)],
    )


def tx(amount: str, *, currency: str = "EUR", more: str = "", **fields: str) -> str:
    """Return a detail of a batch."""
    return f'<TxDtls><Amt Ccy="{currency}">{amount}</Amt>{more}{detail(**fields)}</TxDtls>'


@pytest.mark.parametrize("version", [f"{number:02}" for number in range(2, 14)])
@pytest.mark.parametrize("message", list(KINDS))
def test_every_version_of_every_message_about_an_account_is_read(tmp_path: Path, message: str, version: str) -> None:
    status = "BOOK" if int(version) < 8 else "<Cd>BOOK</Cd>"

    found = read(tmp_path, document(statement(entry("B1", "12.50", status=status)), message=message, version=version))

    assert [(one.reference, one.amount_minor, one.is_booked) for one in found.entries] == [("B1", 1250, True)]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "UTF-16LE", "ISO-8859-1", "windows-1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", ""])
def test_a_file_may_have_any_encoding_and_one_line_alone(tmp_path: Path, encoding: str, newline: str) -> None:
    content = document(statement(*(entry(f"B{n}", "1.00", text="Grüße") for n in range(3))), encoding=encoding)

    found = read(tmp_path, content.replace("\n", newline), encoding=encoding)

    assert [(one.reference, one.text) for one in found.entries] == [("B0", "Grüße"), ("B1", "Grüße"), ("B2", "Grüße")]


def test_a_message_is_found_in_its_envelope(tmp_path: Path) -> None:
    inner = document(statement(entry("B1", "1.00"))).partition("?>")[2]
    header = '<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><BizMsgIdr>1</BizMsgIdr></AppHdr>'

    found = read(tmp_path, f"<Envelope>{header}{inner}</Envelope>")

    assert [one.reference for one in found.entries] == ["B1"]
    assert message_of(tmp_path / "statement.xml") == "BkToCstmrStmt"


def test_a_file_holds_several_statements_of_several_accounts(tmp_path: Path) -> None:
    ones = [
        statement(entry("B1", "1.00"), id="S1", account="<IBAN>DE89370400440532013000</IBAN>"),
        statement(entry("B1", "1.00"), id="S2", account="<Othr><Id>4711 08</Id></Othr>"),
        statement(id="S3"),
        statement(entry("B1", "1.00"), entry("B1", "1.00"), id="S4", account="<IBAN>NL91 ABNA 0417 1643 00</IBAN>"),
    ]

    found = read(tmp_path, document(*ones))

    accounts = [one.bank_account for one in found.entries]
    assert accounts == ["DE89370400440532013000", "471108", "NL91ABNA0417164300", "NL91ABNA0417164300"]
    assert len({one.key for one in found.entries}) == 4


@pytest.mark.parametrize(
    ("shares", "left"),
    [
        (("600.00", "400.00"), ""),
        (("600.00", "0.00", "400.00"), ""),
        (("1005.00", "5.00"), "second is taken off"),
        (("610.00", "400.00"), "charges"),
        (("600.000", "400.00000"), ""),
    ],
)
def test_details_that_come_to_their_entry_are_payments_of_their_own(
    tmp_path: Path, shares: tuple[str, ...], left: str
) -> None:
    charges = '<Chrgs><TtlChrgsAndTaxAmt Ccy="EUR">10.00</TtlChrgsAndTaxAmt></Chrgs>'
    more = {0: charges} if left == "charges" else {1: "<CdtDbtInd>DBIT</CdtDbtInd>"} if left else {}
    details = "".join(tx(share, text=f"cust-{n}", more=more.get(n, "")) for n, share in enumerate(shares))

    found = read(tmp_path, document(statement(entry("B1", "1000.00", details=details))))

    assert found.credits_minor == 100000
    assert [one.is_unsplit for one in found.entries] == ([True] if left.startswith("second") else [False, False])


@pytest.mark.parametrize(
    "details",
    [
        tx("1000.00", text="cust-1001") + tx("500.00", text="cust-1001"),
        tx("1.00", currency="USD", text="cust-1001") + tx("2.00", currency="USD", text="cust-1002"),
        f"<TxDtls>{detail(text='cust-1001')}</TxDtls><TxDtls>{detail(text='cust-1002')}</TxDtls>",
        tx("many", text="cust-1001") + tx("500.00", text="cust-1001"),
    ],
)
def test_a_batch_that_nobody_can_split_is_one_payment_with_every_word(tmp_path: Path, details: str) -> None:
    found = read(tmp_path, document(statement(entry("B1", "1526.00", details=details))))

    [one] = found.entries
    assert (one.amount_minor, one.is_unsplit) == (152600, True)
    assert "cust-1001" in one.note


def test_what_was_exchanged_counts_as_the_account_has_it(tmp_path: Path) -> None:
    sent = '<InstdAmt><Amt Ccy="USD">60.00</Amt></InstdAmt><CntrValAmt><Amt Ccy="EUR">55.00</Amt></CntrValAmt>'
    dollars = tx("60.00", currency="USD", more=f"<AmtDtls>{sent}</AmtDtls>")
    single = entry("B1", "55.00", details=dollars)
    batch = entry("B2", "110.00", details=dollars * 2)

    found = read(tmp_path, document(statement(single, batch)))

    assert [(one.amount_minor, one.currency) for one in found.entries] == [(5500, "EUR")] * 3


@pytest.mark.parametrize("side", ["CRDT", "DBIT"])
@pytest.mark.parametrize(
    "more",
    [
        "<RvslInd>true</RvslInd>",
        "<RvslInd> 1 </RvslInd>",
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>",
    ],
)
def test_what_came_back_is_marked_on_both_sides(tmp_path: Path, side: str, more: str) -> None:
    found = read(
        tmp_path, document(statement(entry("B1", "1.00", side=side, more=more), entry("B2", "1.00", side=side)))
    )

    assert [one.is_return for one in found.entries] == [True, False]


def test_all_that_is_said_of_a_payment_is_read(tmp_path: Path) -> None:
    remittance = (
        "<RmtInf><Ustrd>first</Ustrd><Ustrd>second</Ustrd>"
        "<Strd><RfrdDocInf><Nb>INV-1</Nb></RfrdDocInf><CdtrRefInf><Ref>R1</Ref></CdtrRefInf></Strd>"
        "<Strd><CdtrRefInf><Ref>R2</Ref></CdtrRefInf><AddtlRmtInf>third</AddtlRmtInf></Strd></RmtInf>"
        "<AddtlTxInf>fourth</AddtlTxInf>"
    )
    one = entry("B1", "1.00", details=f"<TxDtls>{remittance}</TxDtls>").replace(
        "</Ntry>", "<AddtlNtryInf>fifth</AddtlNtryInf></Ntry>"
    )

    [line] = read(tmp_path, document(statement(one))).entries

    assert (line.structured_reference, line.other_references, line.documents) == ("R1", ("R2",), ("INV-1",))
    assert line.text.split() == ["first", "second", "third", "fourth", "fifth"]
    assert line.note == "reference: R1, R2; document: INV-1; text: first second    third    fourth    fifth"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (("1.00", "one"), "Amt"),
        (("1.00", "1.005"), "Amt"),
        (("1.00", "-1.00"), "Amt"),
        (("EUR", "XXZ"), "Amt"),
        (("CRDT", ""), "CdtDbtInd"),
        (("2026-05-20", "2026-05-32"), "BookgDt"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_and_costs_no_other(
    tmp_path: Path, wrong: tuple[str, str], field: str
) -> None:
    bad = entry("B2", "1.00").replace(*wrong)
    content = document(statement(entry("B1", "1.00"), bad, bad, entry("B4", "1.00"))).replace("\n", "")

    found = read(tmp_path, content)

    assert [one.reference for one in found.entries] == ["B1", "B4"]
    assert [(one.field, one.id) for one in found.problems] == [(field, "entry 2"), (field, "entry 3")]


@pytest.mark.parametrize(
    ("opening", "closing", "page", "is_wrong"),
    [
        ("10.00", "12.50", "", False),
        ("10.00", "12.60", "", True),
        ("-10.00", "-7.50", "", False),
        ("10.00", "12.60", "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>", False),
    ],
)
def test_opening_and_entries_must_come_to_the_closing_balance(
    tmp_path: Path, opening: str, closing: str, page: str, is_wrong: bool
) -> None:
    lines = (entry("B1", "4.00"), entry("B2", "1.50", side="DBIT"), entry("B3", "9.00", status="<Cd>PDNG</Cd>"))

    found = read(tmp_path, document(statement(*lines, balances=(opening, closing), head=page)))

    problems = [problem.rule for one in found.balances if (problem := one.problem("bank"))]
    assert problems == (["balance_adds_up"] if is_wrong else [])


@pytest.mark.nightly
def test_a_batch_of_twenty_thousand_takes_as_long_for_each_as_one_of_four_thousand(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        details = "".join(tx("1.00", text=f"INV-{n}", payer="Ann") for n in range(count))
        began = time.process_time()
        found = read(tmp_path, document(statement(entry("B1", f"{count}.00", details=details))))
        took = time.process_time() - began

        assert len({one.key for one in found.entries}) == count
        assert found.credits_minor == count * 100
        return took

    small = seconds(4_000)

    # Five times as many: 25 times as long would be quadratic.
    assert seconds(20_000) < small * 12


_MINOR = st.integers(min_value=1, max_value=10**9)


def _amount(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


@st.composite
def _entries(draw: st.DrawFn) -> tuple[str, int]:
    """An entry of some kind that banks write, and the credit that it is, in minor units."""
    shares = draw(st.lists(_MINOR, max_size=4))
    total = sum(shares) + draw(st.sampled_from([0, 0, 0, 7])) or 5
    side = draw(st.sampled_from(["CRDT", "CRDT", "DBIT"]))
    status = draw(st.sampled_from(["<Cd>BOOK</Cd>", "BOOK", "<Cd>PDNG</Cd>"]))
    kinds = [lambda share: tx(_amount(share)), lambda share: tx(_amount(share), currency="USD"), lambda _: "<TxDtls/>"]
    details = "".join(draw(st.sampled_from(kinds))(share) for share in shares)
    reference = draw(st.sampled_from(["B1", "B2", "NONREF", "NOTPROVIDED"]))
    more = draw(st.sampled_from(["", "<RvslInd>1</RvslInd>", "<NtryRef>3</NtryRef>"]))
    credit = total if side == "CRDT" and "PDNG" not in status else 0
    return entry(reference, _amount(total), side=side, status=status, details=details, more=more), credit


@given(st.lists(st.lists(_entries(), max_size=5), min_size=1, max_size=3))
def test_the_credits_of_a_file_are_what_its_entries_come_to(
    tmp_path_factory: pytest.TempPathFactory, ones: list[list[tuple[str, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("generated")
    content = document(*(statement(*(text for text, _ in one), id=f"S{n}") for n, one in enumerate(ones)))

    found = read(folder, content)

    assert found.problems == []
    assert found.credits_minor == sum(credit for one in ones for _, credit in one)
    assert len({one.key for one in found.entries}) == len(found.entries)


def test_a_file_that_says_nothing_of_an_account_is_none(tmp_path: Path) -> None:
    assert list(statement_entries(_written(tmp_path, document()))) == []


def _written(folder: Path, content: str) -> Path:
    file = folder / "empty.xml"
    file.write_text(content, encoding="utf-8")
    return file
