"""Statements of a bank in every format that is read: ISO 20022, MT940 or CSV."""

from collections.abc import Iterator
from pathlib import Path

from activities.bank.formats.mt940 import is_mt940, statement_lines
from activities.bank.iso20022 import message_of
from activities.bank.iso_statement import KINDS, Read, statement_entries
from activities.imports.csv_files import csv_rows
from models.bank.rows import bank_entry
from models.imports.columns import BANK
from models.problem import refusal


def read_entries(file: Path) -> Iterator[Read]:
    """Return the lines of a statement, whatever the file is. Raises RefusedError when it is none."""
    message = message_of(file)
    if message and message not in KINDS:
        raise refusal("file", "camt_053", f"holds {message}; a statement is camt.053, camt.052 or camt.054")
    if message:
        return statement_entries(file)
    return statement_lines(file) if is_mt940(file) else csv_rows(BANK, file, bank_entry)
