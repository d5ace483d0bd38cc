"""Statements of a bank in every format that is read: ISO 20022, MT940, or CSV, Duly's own or the bank's."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from activities.bank.formats.exported_csv import exported_lines, layouts_of
from activities.bank.formats.mt940 import is_mt940, statement_lines
from activities.bank.iso20022 import message_of
from activities.bank.iso_statement import KINDS, Read, statement_entries
from activities.imports.csv_files import csv_rows
from models.bank.exports.layout import StatementLayout
from models.bank.rows import bank_entry
from models.imports.columns import BANK
from models.problem import refusal


def read_entries(file: Path, layouts: Sequence[StatementLayout] = (), *, by_layout: bool = False) -> Iterator[Read]:
    """Return the lines of a statement, whatever the file is. Raises RefusedError when it is none.

    CSV is Duly's own, or of one of the layouts; `by_layout`, of the one that is given, whatever its columns are.
    """
    message = message_of(file)
    if message and message not in KINDS:
        raise refusal("file", "camt_053", f"holds {message}; a statement is camt.053, camt.052 or camt.054")
    if message:
        return statement_entries(file)
    if is_mt940(file):
        return statement_lines(file)
    found = layouts if by_layout else layouts_of(file, layouts)
    if len(found) > 1:
        named = ", ".join(one.id for one in found)
        raise refusal("layout", "layout_ambiguous", f"the file has the columns of {named}: say which layout it is of")
    return exported_lines(file, found[0]) if found else csv_rows(BANK, file, bank_entry)
