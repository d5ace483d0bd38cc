"""A bank's own CSV export, read by the layout that its owner has configured (F122, decision 0205)."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from activities.bank.formats.export_balances import ExportBalances
from activities.bank.iso_statement import Read
from models.bank.exports.layout import StatementLayout, cells_of, column_key, places_of
from models.bank.exports.line import LineReader
from models.bank.identity import is_one_account
from models.imports.columns import BANK, cleaned
from models.imports.dialect import encoding_of
from models.problem import Problem, RefusedError, refusal

# Banks write this many lines at most above the names of the columns.
HEADER_WITHIN = 60
# As many characters as no line of a real file has.
LINE_MAX = 1024 * 1024
_BEGINNING = 4
_OF_WESTERN_BANKS = "cp1252"


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


@dataclass(frozen=True)
class _Header:
    """The row that names the columns, what stands above it, and where each field of a layout is found in a row."""

    row: _Row
    above: Sequence[_Row] = ()
    places: Mapping[str, Sequence[int]] = field(default_factory=dict)
    missing: Sequence[tuple[str, str]] = ()


def layouts_of(path: Path, layouts: Iterable[StatementLayout]) -> list[StatementLayout]:
    """Return the layouts that a file may be of: it has their columns, and says no other account than theirs."""
    found = []
    for layout in layouts:
        try:
            header = _header(layout, path)
        except (RefusedError, csv.Error, UnicodeError, OSError):
            continue
        if header.missing:
            continue
        account = _account(layout, header)
        # A first line that cannot be read says nothing of its account: reading the file names it.
        with suppress(csv.Error, UnicodeError):
            account = account or _of_first_line(layout, path)
        is_named = bool(account and layout.bank_account)
        # A file that names no columns may be any bank's: its account says whose it is, or somebody names the layout.
        if is_one_account(account, layout.bank_account) if is_named else not layout.is_headless:
            found.append(layout)
    return found


def exported_lines(path: Path, layout: StatementLayout) -> Iterator[Read]:
    """Yield the lines of an export, then its balances. Raises RefusedError when it is no file of the layout.

    A line that cannot be read is a problem with its field, and costs no other.
    """
    try:
        header = _header(layout, path)
    except UnicodeError as error:
        raise refusal("encoding", "encoding_of_layout", f"is not as layout {layout.id!r} says: {error}") from error
    except csv.Error as error:
        raise refusal("file", "csv", f"is malformed: {error}") from error
    if header.missing:
        raise RefusedError(
            Problem(f"columns.{name}", "column_of_layout", f"layout {layout.id!r}: the file has no column {column!r}")
            for name, column in header.missing
        )
    account = _account(layout, header)
    if account and layout.bank_account and not is_one_account(account, layout.bank_account):
        raise refusal("account_label", "account_of_layout", f"the file is of another account than layout {layout.id!r}")
    yield from _lines(path, layout, header, account)


def _lines(path: Path, layout: StatementLayout, header: _Header, account: str) -> Iterator[Read]:
    reader, balances = LineReader(layout, account), ExportBalances(layout)
    balances.stated(row.cells for row in header.above)
    below: deque[_Row] = deque()
    try:
        for row in _rows(layout, path):
            if row.line <= header.row.line or not any(cell.strip() for cell in row.cells):
                continue
            below.append(row)
            if len(below) > layout.footer_lines:
                yield from _line(below.popleft(), header, reader, balances)
    except UnicodeError as error:
        yield Problem("encoding", "encoding_of_layout", f"is not as the layout says: {error}", BANK)
        balances.is_known = False
    except csv.Error as error:
        # Nobody knows where the next line begins; what was read before stands.
        yield Problem("row", "csv", f"is malformed: {error}", BANK, below[-1].line + 1 if below else header.row.line)
        balances.is_known = False
    balances.stated(row.cells for row in below)
    yield from balances.found()


def _line(row: _Row, header: _Header, reader: LineReader, balances: ExportBalances) -> Iterator[Read]:
    count = len(header.row.cells)
    if any(cell.strip() for cell in row.cells[count:]) or len(row.cells) < _least(header):
        balances.is_known = False
        yield Problem("row", "column_count", f"has {len(row.cells)} cells, the header {count}", BANK, row.line)
        return
    cells = {
        name: [cleaned(row.cells[place]) if place < len(row.cells) else "" for place in places]
        for name, places in header.places.items()
    }
    try:
        line = reader.line(row.line, cells)
    except RefusedError as refused:
        balances.is_known = False
        yield from (replace(one, line=row.line) for one in refused.problems)
        return
    balances.add(line)
    yield line.entry


def _least(header: _Header) -> int:
    """Return how many cells a row must have: some banks leave out the last ones where they are empty."""
    wanted = ("booked_on", "amount", "credit", "debit")
    return 1 + max(max(header.places[name]) for name in wanted if name in header.places)


def _header(layout: StatementLayout, path: Path) -> _Header:
    """Find the row that names the columns: behind the lines to skip, or the one that has most of them."""
    wanted = [(name, column_key(column), column) for name, column in layout.columns.named()]
    above: list[_Row] = []
    best: _Header | None = None
    for row in islice(_rows(layout, path), HEADER_WITHIN):
        above.append(row)
        if layout.skip_lines is not None and row.line <= layout.skip_lines:
            continue
        found = cells_of(row.cells) if layout.is_headless else places_of(row.cells)
        missing = [(name, column) for name, key, column in wanted if key not in found]
        places: dict[str, list[int]] = {}
        for name, key, _ in wanted:
            if key in found:
                places.setdefault(name, []).append(found[key])
        # Where nothing names the columns, the first line is the first entry.
        header = _Header(replace(row, line=row.line - 1) if layout.is_headless else row, above[:-1], places, missing)
        if best is None or len(missing) < len(best.missing):
            best = header
        if not missing or layout.skip_lines is not None or layout.is_headless:
            break
    if best is None:
        raise refusal("file", "header_required", f"has no line that names the columns of layout {layout.id!r}")
    return best


def _account(layout: StatementLayout, header: _Header) -> str:
    """Return the account that a line above the header says behind its label."""
    label = column_key(layout.account_label)
    for row in header.above if label else ():
        if row.cells and column_key(row.cells[0]).startswith(label):
            return next((cell.replace(" ", "") for cell in row.cells[1:] if cell.strip()), "")[:34]
    return ""


def _of_first_line(layout: StatementLayout, path: Path) -> str:
    header = _header(layout, path)
    for place in header.places.get("bank_account", ()):
        for row in _rows(layout, path):
            if row.line > header.row.line and place < len(row.cells):
                return row.cells[place].replace(" ", "")[:34]
    return ""


def _rows(layout: StatementLayout, path: Path) -> Iterator[_Row]:
    with path.open(encoding=layout.encoding or _encoding(path), newline="") as text:
        lines = csv.reader(_physical(text), delimiter=layout.delimiter, strict=True)
        line = 1
        for cells in lines:
            if cells:
                yield _Row(line, cells)
            line = lines.line_num + 1


def _physical(text: Iterable[str]) -> Iterator[str]:
    for line in text:
        if len(line) >= LINE_MAX:
            raise csv.Error(f"a line has {LINE_MAX} characters or more")
        yield line.replace("\0", "")


def _encoding(path: Path) -> str:
    """Return the encoding of a file whose layout names none: Unicode, or what Western banks write."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(_BEGINNING))
    try:
        with path.open(encoding=encoding, newline="") as text:
            while text.read(LINE_MAX):
                continue
    except UnicodeError:
        return _OF_WESTERN_BANKS
    return encoding
