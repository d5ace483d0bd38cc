"""Reads a report back from whatever it was written as, row by row, as people read it."""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import lxml.html
import openpyxl
from pypdf import PdfReader

from activities.reports.files import output_as
from models.reports.delivery import ReportFormat
from tests.reports.conftest import KeptReport

DASH = "\N{EN DASH}"
_DECIMALS = {"EUR": 2, "JPY": 0, "KWD": 3}


def written_as(report: KeptReport, format: ReportFormat) -> bytes:
    """Write a report as a file of a format."""
    assert report.head is not None
    assert report.foot is not None
    content = BytesIO()
    output = output_as(format, content)
    output.begin(report.head)
    output.rows(report.found)
    output.end(report.foot)
    return content.getvalue()


def read_json(content: bytes) -> list[list[str]]:
    """Amounts are in minor units there, and null where there is nothing to divide by."""
    document = json.loads(content)
    kinds = {one["name"]: one["kind"] for one in document["report"]["columns"]}
    return [[_of_json(row, name, kinds[name]) for name in kinds] for row in document["rows"]]


def _of_json(row: Mapping[str, Any], name: str, kind: str) -> str:
    value = row[name]
    if value is None:
        return DASH if kind in {"money", "percent"} else ""
    if kind == "money":
        return str(Decimal(value).scaleb(-_DECIMALS[row["currency"]]))
    # Shares have two decimals everywhere, other numbers those that they need.
    return f"{Decimal(value).normalize():f}" if kind == "number" else str(value)


def read_csv(content: bytes) -> list[list[str]]:
    """Read the rows behind the names."""
    return list(csv.reader(StringIO(content.decode())))[1:]


def read_html(content: bytes) -> list[list[str]]:
    """Read the body of the table."""
    body = lxml.html.fromstring(content.decode()).find(".//tbody")
    assert body is not None
    return [["".join(map(str, cell.itertext())) for cell in row] for row in body]


def read_xlsx(content: bytes) -> list[list[str]]:
    """Read the rows behind the bold names. Cells without a value are empty there."""
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows())
    first = max(place for place, row in enumerate(rows) if row[0].font.b) + 1
    width = sum(1 for cell in rows[first - 1] if cell.value)
    found = [[_of_sheet(cell) for cell in row[:width]] for row in rows[first:]]
    nothing = [""] * width
    return found[: [*found, nothing].index(nothing)]


def _of_sheet(cell: Any) -> str:
    if cell.value is None:
        return ""
    if isinstance(cell.value, int | float) and "0" in cell.number_format:
        return f"{cell.value:.{len(cell.number_format.partition('.')[2])}f}"
    return str(cell.value) if isinstance(cell.value, str) else f"{Decimal(str(cell.value)).normalize():f}"


def read_pdf(content: bytes) -> str:
    """Read what stands in the cells, without the spaces between and in them."""
    return without_spaces("".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages))


def without_spaces(text: str) -> str:
    """Return a text without what a page breaks it by."""
    return re.sub(r"[\s\u200b]", "", text)


READERS: Mapping[ReportFormat, Callable[[bytes], Sequence[Sequence[str]]]] = {
    ReportFormat.JSON: read_json,
    ReportFormat.CSV: read_csv,
    ReportFormat.HTML: read_html,
    ReportFormat.XLSX: read_xlsx,
}
