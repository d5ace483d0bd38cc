"""CSV files of every kind, row by row: what can be read, and the problem of each row that cannot."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TextIO, TypeVar

from models.imports.columns import OF_THE_BANK, Header, NamedCells, cells_of, id_of, read_header
from models.imports.dialect import UTF_8, delimiter_of, encoding_of, is_encoded_so, named_delimiter
from models.problem import Problem, RefusedError, refusal

Read = TypeVar("Read")
Reader = Callable[[int, NamedCells], Read]

# As many characters as no line of a real file has.
LINE_MAX = 1024 * 1024
# As many bytes as say which byte order mark it is.
_BEGINNING = 4
# How a spreadsheet calls what it has to be saved as.
SAVE_AS = ": save it as CSV UTF-8"
# What banks write where it is not Unicode; what is no text in it either is refused.
_OF_WESTERN_BANKS = "cp1252"


@dataclass(frozen=True)
class CsvRow:
    """A row as it stands in a file, below the header that names its cells."""

    line: int
    header: Header
    cells: list[str]


class MalformedRowError(RefusedError):
    """A row after which nobody knows where the next one begins, such as one with a quote that is not closed."""


def table_rows(source: str, path: Path) -> Iterator[CsvRow]:
    """Yield the rows of a file. Raises RefusedError when it is no file of that kind, and MalformedRowError."""
    encoding = UTF_8
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
        encoding = encoding_of(beginning)
        if not is_encoded_so(beginning, encoding):
            raise RefusedError(
                [Problem("file", "utf8", "is neither UTF-8 nor UTF-16 with its mark" + SAVE_AS, path.name)]
            )
        if source in OF_THE_BANK and not _is_read_as(path, encoding):
            encoding = _OF_WESTERN_BANKS
        with path.open(encoding=encoding, newline="") as text:
            yield from _rows(source, text)
    except UnicodeError as error:
        raise RefusedError([_not_unicode(path, encoding)]) from error
    except OSError as error:
        raise RefusedError([Problem("file", "readable", str(error.strerror), path.name)]) from error


def csv_rows(source: str, path: Path, read: Reader[Read]) -> Iterator[Read | Problem]:
    """Yield what the rows of a file say, and the problems of bad ones. Raises RefusedError when it is no such file."""
    try:
        for row in table_rows(source, path):
            yield from _row(source, row, read)
    except MalformedRowError as malformed:
        # What was read before stands.
        yield from malformed.problems


def naming(problems: RefusedError, row: CsvRow, source: str) -> list[Problem]:
    """Return the problems of a row with its id."""
    return [replace(problem, id=id_of(source, row.header, row.cells)) for problem in problems.problems]


def _rows(source: str, text: TextIO) -> Iterator[CsvRow]:
    first, line = text.readline(LINE_MAX), 1
    delimiter = named_delimiter(first)
    if delimiter is not None:
        first, line = text.readline(LINE_MAX), 2
    while first and not first.strip():
        first, line = text.readline(LINE_MAX), line + 1
    before = line - 1
    lines = csv.reader(chain([first], _lines(text)), strict=True, delimiter=delimiter or delimiter_of(source, first))
    header: Header | None = None
    try:
        for row in lines:
            if row and header is None:
                header = read_header(source, row)
            elif row and header is not None:
                yield CsvRow(line, header, row)
            line = before + lines.line_num + 1
    except csv.Error as error:
        raise MalformedRowError([Problem("row", "csv", f"is malformed: {error}", source, line)]) from error
    if header is None:
        raise refusal(source, "header_required", "the file is empty: its first line must name the columns")


def _is_read_as(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as text:
            while text.read(LINE_MAX):
                continue
    except UnicodeError:
        return False
    return True


def _not_unicode(path: Path, encoding: str) -> Problem:
    """Return the problem of a file with the first line that is not in the encoding, where lines can be told apart."""
    line = 0
    if encoding == UTF_8:
        with path.open("rb") as file:
            lines = enumerate(iter(lambda: file.readline(LINE_MAX), b""), start=1)
            line = next((number for number, text in lines if not _is_utf_8(text)), 0)
    return Problem("file", "utf8", "is neither UTF-8 nor UTF-16" + SAVE_AS, path.name, line)


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode(UTF_8)
    except UnicodeError:
        return False
    return True


def _lines(text: TextIO) -> Iterator[str]:
    """Yield the lines of a file. Raises csv.Error at one without an end, which would fill the memory."""
    while line := text.readline(LINE_MAX):
        if len(line) == LINE_MAX:
            raise csv.Error(f"a line has {LINE_MAX} characters or more")
        yield line


def _row(source: str, row: CsvRow, read: Reader[Read]) -> Iterator[Read | Problem]:
    try:
        yield read(row.line, cells_of(source, row.line, row.header, row.cells))
    except RefusedError as refused:
        yield from naming(refused, row, source)
