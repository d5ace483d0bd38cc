"""Statements of MT940 as banks write them: every line is read or named, with the side and the words that it has."""

from pathlib import Path

import pytest

from commands.bank.statement_files import read_entries
from models.bank.balance import StatementBalance
from models.bank.entry import BankEntry
from models.bank.references import written_references
from models.problem import Problem

LINE = ":61:2605200520{side}{amount}NTRFNONREF{reference}\n:86:{details}\n"


def a_line(details: str = "danke", *, side: str = "C", amount: str = "12,50", reference: str = "//B1") -> str:
    return LINE.format(side=side, amount=amount, reference=reference, details=details)


def statement(*lines: str, number: str = "1", opening: str = "100,00", closing: str = "") -> str:
    end = f":62F:C260520EUR{closing}\n" if closing else ""
    return f":20:START\n:25:37040044/0532013000\n:28C:{number}/1\n:60F:C260519EUR{opening}\n{''.join(lines)}{end}-\n"


def read(folder: Path, text: str, *, encoding: str = "utf-8") -> tuple[list[BankEntry], list[Problem]]:
    file = folder / "statement.sta"
    file.write_bytes(text.encode(encoding))
    found = list(read_entries(file))
    problems = [one for one in found if isinstance(one, Problem)]
    balances = [one.problem("bank") for one in found if isinstance(one, StatementBalance)]
    return [one for one in found if isinstance(one, BankEntry)], problems + [one for one in balances if one]


@pytest.mark.parametrize(
    ("side", "is_credit", "is_return"),
    [("C", True, False), ("D", False, False), ("RC", False, True), ("RD", True, True), ("CR", True, False)],
)
def test_the_mark_says_the_side_and_whether_the_bank_took_it_back(
    tmp_path: Path, side: str, is_credit: bool, is_return: bool
) -> None:
    [line], problems = read(tmp_path, statement(a_line(side=side)))

    assert (line.is_credit, line.is_return, line.amount_minor, line.currency) == (is_credit, is_return, 1250, "EUR")
    assert (line.reference, line.bank_account, str(line.booked_on)) == ("B1", "37040044/0532013000", "2026-05-20")
    assert problems == []


@pytest.mark.parametrize(
    "details",
    [
        "Zahlung Mai Kunde Muster Rechnung INV-000000001\n2 danke",
        "166?00GUTSCHRIFT?20SVWZ+Zahlung INV-000000001?212 danke?32Ann Georgiou",
        "166?00GUTSCHRIFT?20SVWZ+INV-00\n00000012 danke?32Ann ?33Georgiou",
    ],
)
def test_a_number_that_is_cut_in_the_details_is_read_whole(tmp_path: Path, details: str) -> None:
    [line], _ = read(tmp_path, statement(a_line(details)))

    assert "INV-0000000012" in set(written_references(line))
    assert line.payer in {"", "Ann Georgiou"}


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_may_have_several_statements_and_any_encoding(tmp_path: Path, encoding: str, newline: str) -> None:
    text = statement(a_line("Grüße"), closing="112,50") + statement(a_line("Grüße", reference=""), number="2")

    lines, problems = read(tmp_path, text.replace("\n", newline), encoding=encoding)

    assert [one.text for one in lines] == ["Grüße", "Grüße"]
    assert [one.line for one in lines] == [5, 13]
    assert len({one.key for one in lines}) == 2
    assert problems == []


def test_a_statement_that_cannot_be_read_is_named_and_costs_no_other(tmp_path: Path) -> None:
    bad = statement(":61:not a line at all with 4242 4242 4242 4242\n", number="1")

    lines, problems = read(tmp_path, bad + statement(a_line(), number="2"))

    assert [one.reference for one in lines] == ["B1"]
    assert [(one.rule, one.id) for one in problems] == [("mt940", "statement 1")]


def test_opening_and_lines_must_come_to_the_closing_balance(tmp_path: Path) -> None:
    _, problems = read(tmp_path, statement(a_line(), a_line(side="D", amount="2,"), closing="110,00"))

    assert [one.rule for one in problems] == ["balance_adds_up"]


def test_a_line_without_a_reference_of_the_bank_is_known_as_an_earlier_release_knew_it(tmp_path: Path) -> None:
    [line], _ = read(tmp_path, statement(":61:2605200520C12,50N541EREF\n:86:danke INV-1\n"))

    assert line.read_as is not None
    assert (line.read_as.content, line.end_to_end_id) == ("d12b7d80ead146d2", "")
