"""How a CSV file is written: what divides its cells, and in which encoding; spreadsheets of each country differ."""

import codecs
import csv
import re

from models.imports.columns import COLUMNS

DELIMITERS = (",", ";", "\t")
# With its mark or without.
UTF_8 = "utf-8-sig"

# The line by which some spreadsheets say what divides the cells.
_NAMED = re.compile(r"^\"?sep=(.)\"?$")


def encoding_of(beginning: bytes) -> str:
    """Return a file's encoding by its byte order mark: UTF-8 with one or without, or UTF-16, which must have one."""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return UTF_8


def is_encoded_so(beginning: bytes, encoding: str) -> bool:
    """Say whether a file can have that encoding: a zero byte is UTF-16 with a mark, and two of them are UTF-32."""
    return b"\0" not in beginning or (encoding == "utf-16" and not beginning.endswith(b"\0\0"))


def named_delimiter(line: str) -> str | None:
    """Return the delimiter that a first line such as `sep=;` says; None for any other line."""
    found = _NAMED.match(line.rstrip("\r\n"))
    return found[1] if found and found[1] in DELIMITERS else None


def delimiter_of(source: str, header: str) -> str:
    """Return what divides the cells of a file: by which of the delimiters its first line names most known columns.

    The rows are not looked at: a comma in a name or in an amount decides nothing.
    """
    known = {column.name for column in COLUMNS[source]}
    return max(DELIMITERS, key=lambda delimiter: len(known & _names(header, delimiter)))


def _names(header: str, delimiter: str) -> set[str]:
    cells = next(csv.reader([header], delimiter=delimiter), [])
    return {cell.strip().lower() for cell in cells}
