"""Exports that name no columns, as Austrian banks write them: each field has its place."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from activities.bank.formats.exported_csv import layouts_of
from activities.configuration.document_parts.layout_document import StatementLayoutPart
from commands.bank.statement_files import read_entries
from models.bank.entry import BankEntry
from models.bank.exports.layout import StatementLayout
from models.problem import Problem, RefusedError

IBAN = "AT611904300234573201"
FILE = f"""{IBAN};INV-0000000012 Ann Georgiou;20.05.2026;20.05.2026;+12,50;EUR
{IBAN};Kontoführung;21.05.2026;21.05.2026;-1.000,00;EUR
"""
PLACES = {"bank_account": "#1", "text": ["#2"], "booked_on": "#3", "value_on": "#4", "amount": "#5", "currency": "#6"}


def layout(**given: object) -> StatementLayout:
    part = StatementLayoutPart.model_validate({"id": "giro", "columns": PLACES, "bank_account": IBAN, **given})
    return StatementLayout.read(part.id, part.stored())


def written(folder: Path, text: str = FILE) -> Path:
    file = folder / "export.csv"
    file.write_text(text, encoding="cp1252")
    return file


def test_the_first_line_is_the_first_entry(tmp_path: Path) -> None:
    found = list(read_entries(written(tmp_path), [layout()]))

    lines = [one for one in found if isinstance(one, BankEntry)]
    assert [(one.line, one.signed_minor, one.text) for one in lines] == [
        (1, 1250, "INV-0000000012 Ann Georgiou"),
        (2, -100000, "Kontoführung"),
    ]
    assert {one.bank_account for one in lines} == {IBAN}


def test_lines_above_the_entries_are_skipped_and_a_line_that_is_not_so_is_refused_alone(tmp_path: Path) -> None:
    text = f"Umsatzliste\n{FILE}{IBAN};short\n{IBAN};x;31.02.2026;;1,00;EUR\n"

    found = list(read_entries(written(tmp_path, text), [layout(skip_lines=1)]))

    assert [one.line for one in found if isinstance(one, BankEntry)] == [2, 3]
    assert [(one.line, one.field) for one in found if isinstance(one, Problem)] == [(4, "row"), (5, "booked_on")]


def test_such_a_file_is_known_by_its_account_alone(tmp_path: Path) -> None:
    file = written(tmp_path)

    assert layouts_of(file, [layout()]) == [layout()]
    assert layouts_of(file, [layout(bank_account="")]) == []
    assert layouts_of(file, [layout(bank_account="DE89370400440532013000")]) == []
    assert len(list(read_entries(file, [layout(bank_account="")], by_layout=True))) == 3


def test_a_file_with_fewer_cells_than_the_layout_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        list(read_entries(written(tmp_path, "a;b;c\n"), [layout()], by_layout=True))

    assert {one.rule for one in refused.value.problems} == {"column_of_layout"}


def test_columns_have_names_or_places() -> None:
    with pytest.raises(ValidationError, match="name each column, or give each its place"):
        layout(columns=PLACES | {"amount": "Betrag"})
