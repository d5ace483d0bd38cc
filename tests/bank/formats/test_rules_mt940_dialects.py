"""MT940 and MT942 as banks of several countries write them: no line is lost, and the words are the payer's."""

from datetime import date
from pathlib import Path

import pytest

from activities.bank.formats.mt940_details import details_of
from commands.bank.statement_files import read_entries
from models.bank.balance import StatementBalance
from models.bank.entry import BankEntry
from models.bank.identity import KnownLine
from models.bank.recognition import KnownDay, recognise
from models.bank.references import written_references
from models.problem import Problem


def read(folder: Path, content: bytes | str) -> list[BankEntry]:
    """Return the lines of a file, none of which may be a problem."""
    file = folder / "statement.sta"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = list(read_entries(file))
    assert [one for one in found if isinstance(one, Problem)] == []
    assert [one for one in found if isinstance(one, StatementBalance) and one.problem("bank")] == []
    return [one for one in found if isinstance(one, BankEntry)]


def statement(line: str, details: str = "danke", *, head: str = ":60F:C260519EUR100,00\n") -> str:
    return f":20:START\n:25:NL81ASNB9999999999\n:28C:1/1\n{head}:61:{line}\n:86:{details}\n-\n"


GERMAN = "166?00GUTSCHRIFT?20EREF+4711?21KREF+NONREF?22SVWZ+INV-00000000?2312 danke?32Ann ?33Georgiou"
POLISH = "020<00PRZELEW<20INV-00000000<2112 dziekuje<32Ann Georgiou"
TRIODOS = "000>100987654321\n>20INV-00000000>2112 bedankt>32Ann Georgiou"
ABN_AMRO = (
    "/TRTP/SEPA OVERBOEKING/IBAN/NL31RABO0300065264/BIC/RABONL2U/NAME/A\nnn Georgiou/REMI/INV-0000000012/ERE\nF/4711"
)
ING = "/EREF/4711//CNTP/NL92RABO0300065264/RABONL2U/Ann Georgiou///REMI/USTD//INV-0000000012/"


@pytest.mark.parametrize("details", [GERMAN, POLISH, TRIODOS, ABN_AMRO, ING])
def test_payer_and_number_are_found_in_each_countrys_details(tmp_path: Path, details: str) -> None:
    [line] = read(tmp_path, statement("2605200520C20,00NTRFNONREF//B1", details))

    assert "INV-0000000012" in set(written_references(line))
    assert "INV-0000000001" not in set(written_references(line))
    assert line.payer == "Ann Georgiou"
    assert line.end_to_end_id in {"4711", "NONREF"}


@pytest.mark.parametrize("details", ["/REMI/cust-1001/ISDT/2026-05-20", "/EREF/x/REMI/cust-1\n001/ISDT/2026-05-20"])
def test_an_account_between_slashes_is_a_word(details: str) -> None:
    line = BankEntry(2, "B1", True, 1, "EUR", date(2026, 5, 20), text="\n".join(details_of(details).texts))

    assert "cust-1001" in set(written_references(line))


def test_the_payers_own_number_ends_where_the_next_name_begins() -> None:
    assert details_of("166?20EREF+DD-7?21KREF+NONREF?22SVWZ+May").end_to_end_id == "DD-7"
    assert details_of("SVWZ+May EREF+DD-7").end_to_end_id == "DD-7"


@pytest.mark.parametrize(
    ("line", "details"),
    [
        ("2605200520C20,00NTRFNONREF", "159?00RETOURE?20SVWZ+R12"),
        ("2605200520C20,00N159NONREF", "back"),
        ("2605200520D20,00NTRFNONREF", "109?00RUECKLASTSCHRIFT?20SVWZ+AC04"),
        ("2605200520D20,00NRTINONREF", "returned"),
        ("2605200520D20,00NTRFNONREF", "/RTRN/MS03/REMI/INV-0000000012/"),
        ("2605200520RC20,00NTRFNONREF", "reversed"),
    ],
)
def test_what_came_back_is_known_by_each_banks_sign_of_it(tmp_path: Path, line: str, details: str) -> None:
    [found] = read(tmp_path, statement(line, details))

    assert found.is_return


@pytest.mark.parametrize(
    ("line", "reference"),
    [
        ("2605200520C20,00NOVBNL47INGB9999999999\nhr gjlm paulissen", "NL47INGB9999999999"),
        ("2605200520CR20,00NTRFBIPI-dvT1FzfMqvzF5HaU4oetlH7SGRkonU//2022070616391534000", "2022070616391534000"),
        ("2605200520C20,00NTRFNONREF//1234567890123456789012345\nmore\nand more", "1234567890123456789012345"),
        ("260520    C20,NMSCNONREF//B1", "B1"),
    ],
)
def test_a_reference_that_is_longer_than_it_should_be_costs_no_statement(
    tmp_path: Path, line: str, reference: str
) -> None:
    [found] = read(tmp_path, statement(line))

    assert (found.reference, found.amount_minor, found.is_credit) == (reference, 2000, True)


@pytest.mark.parametrize(("line", "is_credit"), [("2605200520EC20,00NTRFNONREF", True), ("260520ED20,00NTRFX", False)])
def test_what_a_bank_expects_is_not_booked(tmp_path: Path, line: str, is_credit: bool) -> None:
    [found] = read(tmp_path, statement(line))

    assert (found.is_booked, found.is_credit) == (False, is_credit)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_file_is_read_in_any_encoding_from_its_first_line(tmp_path: Path, encoding: str, newline: str) -> None:
    text = statement("2605200520C20,00NTRFNONREF//B1", "Grüße").replace("\n", newline)

    [found] = read(tmp_path, text.encode(encoding))

    assert (found.reference, found.text) == ("B1", "Grüße")


def test_a_day_of_the_year_before_is_in_that_year(tmp_path: Path) -> None:
    [found] = read(tmp_path, statement("2612310102C20,00NTRFNONREF//B1", head=":60F:C261231EUR100,00\n"))

    assert found.booked_on == date(2027, 1, 2)


def test_a_line_of_an_interim_report_is_the_same_in_the_statement_of_the_day(tmp_path: Path) -> None:
    raw = "2605200520C20,00NTRFNONREF"
    [interim] = read(tmp_path, statement(raw, head=":34F:EURD0,00\n:34F:EURC0,00\n:13D:2605201200+0200\n"))
    [final] = read(tmp_path, statement(raw))

    line = KnownLine.read(interim.key)
    assert line is not None
    known = KnownDay()
    known.add(line)
    found = recognise(final.identity, known)

    assert (interim.identity.kind, final.identity.kind) == ("mt942", "mt940")
    assert found is not None
    assert found.doubt is None


@pytest.mark.parametrize("amount", ["1234.50", "1.234,50", "1,234.50", "000000001234.50", "1234,5"])
def test_an_amount_that_has_one_reading_alone_is_read(tmp_path: Path, amount: str) -> None:
    head = ":60F:C260519EUR1.000,00\n"

    [line] = read(tmp_path, statement(f"2605200520C{amount}NTRFNONREF//B1", head=head) + ":62F:C260520EUR2.234,50\n")

    assert (line.amount_minor, line.reference) == (123450, "B1")


@pytest.mark.parametrize("amount", ["1.234", "1'234,50", "1.2.3,50", "12345678901234567,50"])
def test_an_amount_that_is_not_written_as_swift_says_is_refused_and_not_cut(tmp_path: Path, amount: str) -> None:
    file = tmp_path / "statement.sta"
    file.write_text(statement(f"2605200520C{amount}NTRFNONREF//B1"), encoding="utf-8")

    found = list(read_entries(file))

    assert [one for one in found if isinstance(one, BankEntry)] == []
    assert [one.rule for one in found if isinstance(one, Problem)] == ["mt940"]


@pytest.mark.parametrize("amount", ["1.234", "1'234,50", "12.34.50"])
def test_a_balance_with_marks_between_thousands_is_not_taken_for_another_one(tmp_path: Path, amount: str) -> None:
    ends = f":62F:C260519EUR{amount}\n"

    [line] = read(tmp_path, statement("2605190519C20,00NTRFNONREF//B1", head=f":60F:C260519EUR{amount}\n") + ends)

    assert line.amount_minor == 2000


@pytest.mark.parametrize(
    ("line", "booked_on"),
    [("260230C20,00NTRFNONREF//B1", date(2026, 2, 28)), ("2602300301C20,00NTRFNONREF//B1", date(2026, 3, 1))],
)
def test_a_day_of_a_year_of_360_days_is_the_last_of_its_month(tmp_path: Path, line: str, booked_on: date) -> None:
    ends = ":62F:C260230EUR120,00\n"

    [found] = read(tmp_path, statement(line, head=":60F:C260131EUR100,00\n") + ends)

    assert (found.booked_on, found.amount_minor) == (booked_on, 2000)


def test_lines_without_a_type_are_lines_each(tmp_path: Path) -> None:
    more = ":61:2605200520D5,00//B2\n:86:fee\n:62F:C260520EUR115,00\n:86:COMPANY BANK\n"

    lines = read(tmp_path, statement("2605200520CN20,00//B1").replace("-\n", "") + more)

    assert [(one.reference, one.signed_minor) for one in lines] == [("B1", 2000), ("B2", -500)]
    # What stands below the balance is about the statement.
    assert lines[1].text == "fee"


@pytest.mark.parametrize("field", [":28C: /1", ":28C:", ":65:Dnullnull7414,3", ":64:", ":90D:x", ":13D:2605"])
def test_a_field_that_nobody_needs_costs_no_statement(tmp_path: Path, field: str) -> None:
    text = statement("2605200520C20,00NTRFNONREF//B1").replace(
        ":28C:1/1", field if field.startswith(":28") else ":28C:1/1"
    )

    [line] = read(tmp_path, text if field.startswith(":28") else text.replace("-\n", f"{field}\n-\n"))

    assert (line.reference, line.amount_minor) == ("B1", 2000)


def test_a_line_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    bad = ":61:2613450520C7,00NTRFNONREF//B9\n:86:cust-9\n"
    good = ":61:2605200520C5,00NTRFNONREF//B2\n:86:cust-2\n:62F:C260520EUR132,00\n"
    file = tmp_path / "statement.sta"
    file.write_text(statement("2605200520C20,00NTRFNONREF//B1").replace("-\n", "") + bad + good, encoding="utf-8")

    found = list(read_entries(file))

    assert [(one.reference, one.amount_minor) for one in found if isinstance(one, BankEntry)] == [
        ("B1", 2000),
        ("B2", 500),
    ]
    assert [(one.rule, one.line) for one in found if isinstance(one, Problem)] == [("mt940", 7)]
    assert [one.problem("bank") for one in found if isinstance(one, StatementBalance)] == [None]


def test_words_below_a_line_are_read_to_their_end(tmp_path: Path) -> None:
    details = "\n".join(["x" * 65] * 12) + "\nINV-0000000012"

    [line] = read(tmp_path, statement("2605200520C20,00NTRFNONREF//B1", details))

    assert "INV-0000000012" in set(written_references(line))


@pytest.mark.parametrize("details", ["INV-0000000012 danke ?20 Stueck", "INV-0000000012 was ?20 or so ?21"])
def test_what_a_payer_wrote_before_a_mark_is_not_lost(tmp_path: Path, details: str) -> None:
    [line] = read(tmp_path, statement("2605200520C20,00NTRFNONREF//B1", details))

    assert "INV-0000000012" in line.text


@pytest.mark.parametrize("beside", ["before", "behind"])
def test_what_german_banks_write_beside_a_line_is_the_payers(tmp_path: Path, beside: str) -> None:
    own = "01Rechnung INV-00000000\n0212 Mai\n15Ann\n16Georgiou\n17GUTSCHRIFT\n23DE02120300000000202051"
    line, details = "2605200520C20,00NTRFNONREF//B1", "166?00GUTSCHRIFT"
    written = statement(f"{line}\n:NS:{own}" if beside == "before" else line, details)

    [found] = read(tmp_path, written if beside == "before" else written.replace("\n-\n", f"\n:NS:{own}\n-\n"))

    assert "INV-0000000012" in set(written_references(found))
    assert found.payer == "Ann Georgiou"
    assert "DE02" not in found.note
