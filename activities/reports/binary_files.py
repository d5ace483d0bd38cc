"""Reports as XLSX, row by row in constant memory, and as PDF."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from activities.reports.glyphs import font_folders
from activities.reports.text_files import tie_lines
from models.currency import exponent_of
from models.money import Money
from models.problem import refusal
from models.reports.columns import ColumnKind
from models.reports.result import ReportColumn, ReportFoot, ReportHead, Row, as_text
from models.reports.source import CURRENCY

if TYPE_CHECKING:
    import typst

# A page of paper is for people: longer reports are for spreadsheets and programs.
PDF_ROWS_AT_MOST = 5000
# Setting a page takes 13 KiB of memory a cell until the last one is set: 2,000 rows of 12 columns are 320 MiB.
PDF_CELLS_AT_MOST = 25_000
# What a sheet holds (https://support.microsoft.com/office, specifications and limits), less head and foot.
SHEET_ROWS_AT_MOST = 1_048_000
_TEMPLATE = Path(__file__).parent / "report.typ"


class XlsxReport:
    """A report as a workbook: texts are written as texts, whatever they begin with."""

    def __init__(self, file: BinaryIO) -> None:
        # Rows wait in a file until the book is closed. Whatever becomes of the report, the file goes with this object.
        import xlsxwriter  # noqa: PLC0415

        folder = tempfile.mkdtemp(prefix="duly-report-")
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
        self._sheet = self._book.add_worksheet("Report")
        self._remove = weakref.finalize(self, _remove, self._sheet, folder)
        self._bold = self._book.add_format({"bold": True})
        self._formats: dict[str, Any] = {}
        self._columns: Sequence[ReportColumn] = ()
        self._at = 0

    def begin(self, head: ReportHead) -> None:
        """Write title, days and filters, then the names."""
        for line in (head.definition.title, *head.lines, ""):
            self._sheet.write_string(self._at, 0, line, self._bold if self._at == 0 else None)
            self._at += 1
        self._columns = head.columns
        for place, one in enumerate(head.columns):
            self._sheet.write_string(self._at, place, one.title, self._bold)
        self._at += 1

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows. Raises RefusedError for more of them than a sheet holds."""
        if self._at + len(rows) > SHEET_ROWS_AT_MOST:
            raise refusal("format", "sheet_holds_it", f"a sheet holds {SHEET_ROWS_AT_MOST} rows: take CSV")
        for row in rows:
            self._write(row)

    def end(self, foot: ReportFoot) -> None:
        """Write the totals and what they tie to, and close the book."""
        self._at += 1
        for row in foot.totals:
            self._write(row)
        self._at += 1
        for line in tie_lines(foot):
            self._sheet.write_string(self._at, 0, line)
            self._at += 1
        self._book.close()
        self._remove()

    def _write(self, row: Row) -> None:
        for place, one in enumerate(self._columns):
            value = row.get(one.name)
            if value is None:
                continue
            if one.kind is ColumnKind.MONEY:
                amount = Money(value, row[CURRENCY]).to_decimal()
                self._sheet.write_number(self._at, place, amount, self._decimals(exponent_of(row[CURRENCY])))
            elif one.kind is ColumnKind.NUMBER:
                self._sheet.write_number(self._at, place, value)
            else:
                self._sheet.write_string(self._at, place, as_text(one, row))
        self._at += 1

    def _decimals(self, exponent: int) -> Any:
        shape = f"0.{'0' * exponent}" if exponent else "0"
        if shape not in self._formats:
            self._formats[shape] = self._book.add_format({"num_format": shape})
        return self._formats[shape]


def _remove(sheet: Any, folder: str) -> None:
    with suppress(OSError, ValueError):
        sheet.row_data_fh.close()
    shutil.rmtree(folder, ignore_errors=True)


class PdfReport:
    """A report on paper: one table, its head on every page."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._head: ReportHead | None = None
        self._rows: list[list[str]] = []

    def begin(self, head: ReportHead) -> None:
        """Keep the head."""
        self._head = head

    def rows(self, rows: Sequence[Row]) -> None:
        """Keep rows. Raises RefusedError for more of them than anybody reads on paper, or than fit into memory."""
        columns = self._head.columns if self._head else ()
        most = min(PDF_ROWS_AT_MOST, PDF_CELLS_AT_MOST // max(len(columns), 1))
        if len(self._rows) + len(rows) > most:
            raise refusal("format", "pdf_is_short", f"has more than {most} rows: take XLSX or CSV, or fewer columns")
        self._rows += [[as_text(one, row) for one in columns] for row in rows]

    def end(self, foot: ReportFoot) -> None:
        """Set the pages and write them."""
        head = self._head
        if head is None:
            return
        totals = [[as_text(one, row) if one.name in row else "" for one in head.columns] for row in foot.totals]
        data = {
            "title": head.definition.title,
            "lines": head.lines,
            "columns": [{"title": one.title, "right": one.is_right} for one in head.columns],
            "rows": self._rows,
            "totals": totals,
            "notes": [f"{foot.rows} rows", *tie_lines(foot)],
        }
        self._file.write(_pages(json.dumps(data, ensure_ascii=False)))


def _pages(data: str) -> bytes:
    made = _compiler().compile(format="pdf", sys_inputs={"data": data})
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


def _compiler() -> "typst.Compiler":
    import typst  # noqa: PLC0415

    return typst.Compiler(str(_TEMPLATE), font_paths=font_folders(), ignore_system_fonts=True)
