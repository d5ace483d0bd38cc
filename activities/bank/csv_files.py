"""The bank's CSV files, row by row: what can be read, and the problem of each row that cannot."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from models.imports.columns import Header, named_cells, read_header
from models.problem import Problem, RefusedError, refusal

if TYPE_CHECKING:
    import _csv

Read = TypeVar("Read")
Reader = Callable[[int, Mapping[str, str]], Read]


def csv_rows(source: str, path: Path, read: Reader[Read]) -> Iterator[Read | Problem]:
    """Yield the rows of a file and the problems of bad ones. Raises RefusedError when it is no such file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(source, csv.reader(file, strict=True), read)
    except UnicodeDecodeError as error:
        raise RefusedError([Problem("file", "utf8", f"is not UTF-8: {error.reason}", path.name)]) from error


def _rows(source: str, lines: "_csv.Reader", read: Reader[Read]) -> Iterator[Read | Problem]:
    header: Header | None = None
    line = 1
    try:
        for row in lines:
            if row and header is None:
                header = read_header(source, row)
            elif row and header is not None:
                yield from _row(source, line, header, row, read)
            line = lines.line_num + 1
    except csv.Error as error:
        # Where a quote is not closed nobody knows the next row; what was read before stands.
        yield Problem("row", "csv", f"is malformed: {error}", source, line)
    if header is None:
        raise refusal(source, "header_required", "the file is empty: its first line must name the columns")


def _row(source: str, line: int, header: Header, row: list[str], read: Reader[Read]) -> Iterator[Read | Problem]:
    try:
        yield read(line, named_cells(source, line, header, row))
    except RefusedError as refused:
        yield from refused.problems
