"""Banks' own CSV exports are read by their layouts, and refused by field where they are not written so."""

from dataclasses import replace
from pathlib import Path

import pytest

from activities.bank.formats.exported_csv import layouts_of
from activities.configuration.document import DefinitionsDocument
from activities.documents import read_document
from commands.bank.statement_files import read_entries
from models.bank.balance import StatementBalance
from models.bank.entry import BankEntry
from models.bank.exports.layout import StatementLayout
from models.problem import Problem, RefusedError
from tests.bank.formats.exports import EXPORTS, Export
from tests.house.source import ROOT

EXAMPLES = ROOT / "docs/examples/bank_layouts.toml"
COLUMNS = 'columns = { booked_on = "D", amount = "A", text = ["T"] }'
LAYOUTS = {
    one.id: StatementLayout.read(one.id, one.stored())
    for one in read_document(EXAMPLES, DefinitionsDocument).statement_layouts
}


def written(folder: Path, export: Export) -> Path:
    file = folder / "export.csv"
    file.write_bytes(export.text.encode(export.encoding))
    return file


def entries(file: Path, *layouts: StatementLayout) -> list[BankEntry]:
    found = list(read_entries(file, layouts))
    assert [one for one in found if isinstance(one, Problem)] == []
    return [one for one in found if isinstance(one, BankEntry)]


def problems(file: Path, layout: StatementLayout) -> list[tuple[str, str]]:
    try:
        found = [one for one in read_entries(file, [layout], by_layout=True) if isinstance(one, Problem)]
    except RefusedError as refused:
        found = list(refused.problems)
    return [(one.field, one.rule) for one in found]


def balance_of(file: Path, layout: StatementLayout) -> StatementBalance:
    (balance,) = [one for one in read_entries(file, [layout]) if isinstance(one, StatementBalance)]
    return balance


def with_three_lines(export: Export) -> str:
    """The lines of an export with one more, so that one in the middle can be lost between two balances."""
    last = export.text.splitlines(keepends=True)[-1]
    later = last.replace("2026-05-20", "2026-05-21").replace("+1005,00", "+1017,50")
    earlier = last.replace("TRANSFER-900000001", "TRANSFER-1").replace(",1005.00", ",992.50")
    oldest = earlier.replace("TRANSFER-1", "TRANSFER-0").replace(",992.50", ",980.00")
    more = {"+1005,00": later, ",1005.00": earlier + oldest}
    return export.text + next((line for mark, line in more.items() if mark in last), "")


def test_every_layout_of_the_examples_has_a_file_of_its_bank() -> None:
    assert sorted(LAYOUTS) == sorted(EXPORTS)


@pytest.mark.parametrize("bank", list(EXPORTS))
def test_a_file_of_each_bank_is_known_by_its_columns_and_read(tmp_path: Path, bank: str) -> None:
    export = EXPORTS[bank]

    found = entries(written(tmp_path, export), *LAYOUTS.values())

    booked = [one for one in found if one.is_booked]
    (credit,) = [one for one in booked if one.is_credit]
    assert tuple(one.signed_minor for one in booked) == export.amounts
    assert len(found) - len(booked) == export.pending
    assert (credit.text.startswith(export.words), credit.payer or export.payer) == (True, credit.payer)
    assert credit.bank_account == export.account


@pytest.mark.parametrize("bank", ["volksbank", "deutsche_bank", "ing_de", "ing_nl", "rabobank", "revolut", "wise"])
def test_balances_of_a_file_are_compared_with_its_lines(tmp_path: Path, bank: str) -> None:
    export, layout = EXPORTS[bank], LAYOUTS[bank]
    balance = balance_of(written(tmp_path, export), layout)

    assert balance.problem("bank") is None
    assert None not in {balance.opening_minor, balance.closing_minor}


@pytest.mark.parametrize(
    ("bank", "lost"), [("deutsche_bank", "5.5.2026"), ("rabobank", '"2026-05-20","+12,50"'), ("wise", "TRANSFER-1")]
)
def test_a_line_that_is_missing_is_told_by_the_balances(tmp_path: Path, bank: str, lost: str) -> None:
    lines = with_three_lines(EXPORTS[bank]).splitlines(keepends=True)
    (missing,) = [place for place, line in enumerate(lines) if lost in line]
    export = replace(EXPORTS[bank], text="".join(lines[:missing] + lines[missing + 1 :]))

    assert balance_of(written(tmp_path, export), LAYOUTS[bank]).problem("bank") is not None


@pytest.mark.parametrize(
    ("bank", "was", "now", "problem"),
    [
        ("sparkasse", '"Valutadatum"', '"Valuta"', ("columns.value_on", "column_of_layout")),
        ("sparkasse", "20.05.26", "2026-05-20", ("booked_on", "day_format")),
        ("sparkasse", "31.02.26", "31.02.26", None),
        ("sparkasse", '"1.020,00"', '"1,020.00"', ("amount", "amount_format")),
        ("sparkasse", '"1.020,00"', '"1.02,00"', ("amount", "amount_format")),
        ("sparkasse", '"1.020,00"', '""', ("amount", "value_required")),
        ("sparkasse", '"1.020,00";"EUR"', '"1.020,00";"XEU"', ("currency", "currency_exists")),
        ("ing_nl", '"Bij"', '"Credit"', ("sign", "sign_known")),
        ("ing_nl", '"Bij";"12,50"', '"Bij";"-12,50"', ("amount", "amount_positive")),
        ("lloyds", ',"1,012.50"', '1.00,"1,012.50"', ("credit", "one_side")),
        ("lloyds", '"1,012.50"', "", ("credit", "value_required")),
        ("lloyds", '"1,012.50"', "-1.00", ("credit", "amount_positive")),
        ("lloyds", "20/05/2026", "05/20/2026", ("booked_on", "day_format")),
        ("lloyds", "A SMITH CUST-1001 RP4679", '"A SMITH', ("row", "csv")),
        ("lloyds", "A SMITH CUST-1001 RP4679", "A SMITH, 1, 2, 3", ("row", "column_count")),
    ],
)
def test_what_is_not_as_the_layout_says_is_refused_by_its_field(
    tmp_path: Path, bank: str, was: str, now: str, problem: tuple[str, str] | None
) -> None:
    export = EXPORTS[bank]
    file = written(tmp_path, replace(export, text=export.text.replace(was, now, 1)))

    found = problems(file, LAYOUTS[bank])

    assert found[:1] == ([problem] if problem else [])


def test_a_file_of_another_account_is_refused(tmp_path: Path) -> None:
    layout = replace(LAYOUTS["dkb"], bank_account="DE02120300000000202051")

    assert problems(written(tmp_path, EXPORTS["dkb"]), layout) == [("account_label", "account_of_layout")]


def test_two_accounts_of_one_bank_are_told_apart_by_what_the_file_says(tmp_path: Path) -> None:
    mine = replace(LAYOUTS["sparkasse"], id="mine", bank_account="DE89370400440532013000")
    other = replace(LAYOUTS["sparkasse"], id="other", bank_account="DE02120300000000202051")

    assert entries(written(tmp_path, EXPORTS["sparkasse"]), mine, other)[0].amount_minor == 102000


def test_two_layouts_with_the_columns_of_a_file_are_ambiguous(tmp_path: Path) -> None:
    twice = (LAYOUTS["n26"], replace(LAYOUTS["n26"], id="again"))

    with pytest.raises(RefusedError, match="layout_ambiguous"):
        entries(written(tmp_path, EXPORTS["n26"]), *twice)


def test_a_file_in_another_encoding_than_the_layout_s_is_refused(tmp_path: Path) -> None:
    layout = replace(LAYOUTS["sparkasse"], encoding="utf-8-sig")

    assert problems(written(tmp_path, EXPORTS["sparkasse"]), layout) == [("encoding", "encoding_of_layout")]


def test_a_returned_transfer_and_its_words_are_told_from_the_kind(tmp_path: Path) -> None:
    export = EXPORTS["sparkasse"]
    file = written(tmp_path, replace(export, text=export.text.replace("GUTSCHR. ÜBERWEISUNG", "RETOURE", 1)))

    assert entries(file, LAYOUTS["sparkasse"])[0].is_return


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ('columns = { amount = "A", text = ["T"] }', "statement_layouts.0.columns.booked_on"),
        ('columns = { booked_on = "D", text = ["T"] }', "statement_layouts.0.columns"),
        ('columns = { booked_on = "D", amount = "A", credit = "C", debit = "E" }', "statement_layouts.0.columns"),
        ('columns = { booked_on = "D", credit = "C", text = ["T"] }', "statement_layouts.0.columns"),
        ('columns = { booked_on = "D", amount = "A" }', "statement_layouts.0.columns"),
        ('columns = { booked_on = "D", amount = "A", balance = "A", text = ["T"] }', "statement_layouts.0.columns"),
        (f'date_format = "DD.MM"\n{COLUMNS}', "statement_layouts.0.date_format"),
        (f'thousands_mark = ","\n{COLUMNS}', "statement_layouts.0"),
        (f'encoding = "utf-7"\n{COLUMNS}', "statement_layouts.0.encoding"),
        (f'currency = "XEU"\n{COLUMNS}', "statement_layouts.0.currency"),
        ('columns = { booked_on = "D", amount = "A", text = ["T"], currency = "C" }', "statement_layouts.0"),
        ('columns = { booked_on = "D", amount = "A", sign = "S", text = ["T"] }', "statement_layouts.0"),
        (f'booked_states = ["x"]\n{COLUMNS}', "statement_layouts.0"),
    ],
)  # fmt: skip
def test_a_layout_that_cannot_be_read_by_is_refused_by_field(tmp_path: Path, wrong: str, field: str) -> None:
    currency = "" if "currency" in wrong.partition("columns")[0] else 'currency = "EUR"\n'
    document = tmp_path / "layouts.toml"
    document.write_text(f'[[statement_layouts]]\nid = "a"\n{currency}{wrong}\n', encoding="utf-8")

    with pytest.raises(RefusedError) as refused:
        read_document(document, DefinitionsDocument)

    assert [one.field for one in refused.value.problems] == [field]


def test_a_line_without_a_day_of_booking_is_not_booked_where_no_column_says_it(tmp_path: Path) -> None:
    columns = {"booked_on": "D", "value_on": "V", "amount": "A", "text": ["T"]}
    layout = StatementLayout.read("own", {"currency": "EUR", "columns": columns})
    file = tmp_path / "export.csv"
    file.write_text("D;V;A;T\n;20.05.2026;5,00;cust-1001\n21.05.2026;20.05.2026;7,00;cust-1002\n", encoding="utf-8")

    assert [(one.text, one.is_booked) for one in entries(file, layout)] == [("cust-1001", False), ("cust-1002", True)]


def test_a_first_line_that_cannot_be_read_is_named_and_leaves_the_layout_as_found(tmp_path: Path) -> None:
    columns = {"booked_on": "D", "amount": "A", "text": ["T"], "bank_account": "I"}
    stored = {"currency": "EUR", "columns": columns, "bank_account": "DE89370400440532013000"}
    layout = StatementLayout.read("own", stored)
    file = tmp_path / "export.csv"
    file.write_text('I;D;A;T\n"DE89"x;2026-05-20;5,00;a\n', encoding="utf-8")

    assert layouts_of(file, [layout]) == [layout]
    assert problems(file, layout) == [("row", "csv")]
