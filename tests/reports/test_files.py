"""Files of reports: nothing is left behind, and nothing in a cell is carried out."""

import tempfile
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from pypdf import PdfReader

from activities.reports.files import output_as
from models.problem import RefusedError
from models.reports.builtin import built_in
from models.reports.definition import definition_of
from models.reports.delivery import ReportFormat
from models.reports.result import ReportFoot, Row, head_of

AT = datetime(2026, 11, 30, tzinfo=UTC)


def test_a_workbook_that_is_given_up_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("activities.reports.binary_files.SHEET_ROWS_AT_MOST", 3)
    report = output_as(ReportFormat.XLSX, BytesIO())
    report.begin(head_of(built_in("receipts"), date(2026, 11, 30), AT))
    was_there = len(list(tmp_path.iterdir()))

    with pytest.raises(RefusedError):
        report.rows([{"payment_type": "payment"}] * 4)
    del report

    assert (was_there, list(tmp_path.iterdir())) == (1, [])


def test_a_workbook_that_is_written_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    content = BytesIO()
    report = output_as(ReportFormat.XLSX, content)
    report.begin(head_of(built_in("receipts"), date(2026, 11, 30), AT))
    report.end(ReportFoot(0, (), ()))

    assert content.getvalue()[:2] == b"PK"
    assert list(tmp_path.iterdir()) == []


def test_a_pdf_has_no_more_cells_than_memory_can_set() -> None:
    report = output_as(ReportFormat.PDF, BytesIO())
    report.begin(head_of(built_in("transactions"), date(2026, 11, 30), AT))
    row = {"posted_on": AT.date(), "currency": "EUR", "total_minor": 1}

    report.rows([row] * 2083)
    with pytest.raises(RefusedError, match="more than 2083 rows"):
        report.rows([row])


def test_names_of_every_script_and_of_markup_are_set_as_they_are() -> None:
    content = BytesIO()
    definition = definition_of({
        "id": "own", "title": "#panic(1) *x* $", "source": "lines", "group_by": ["region"], "measures": ["net"],
    })  # fmt: skip
    report = output_as(ReportFormat.PDF, content)
    report.begin(head_of(definition, date(2026, 11, 30), AT))
    names = ("שלום", "مرحبا", "Ελλάδα", '#read("/etc/passwd")', "]*_`", "N" * 300)
    report.rows([{"region": name, "currency": "KWD", "net": 1234} for name in names])
    report.end(ReportFoot(len(names), (), ()))

    with pikepdf.open(content) as pdf:
        fonts = {str(font.BaseFont).partition("+")[2] for page in pdf.pages for font in page.Resources.Font.values()}
    assert {"NotoSans-Regular", "NotoSansHebrew-Regular", "NotoSansArabic-Regular"} <= fonts
    # A long word without a space runs over no amount.
    lines = PdfReader(content).pages[0].extract_text().splitlines()
    assert max(line.count("N") for line in lines) < 200


def test_no_cell_is_carried_out_and_amounts_have_the_decimals_of_their_currency() -> None:
    rows: list[Row] = [
        {"region": "=HYPERLINK(1)", "currency": "JPY", "net": -500},
        {"region": "@SUM", "currency": "KWD", "net": 1},
        {"region": "<script>", "currency": "EUR", "net": None},
    ]
    written = {format: written_as(format, rows) for format in (ReportFormat.CSV, ReportFormat.HTML)}

    assert written[ReportFormat.CSV].splitlines() == [
        "region,currency,net",
        "'=HYPERLINK(1),JPY,-500",
        "'@SUM,KWD,0.001",
        "<script>,EUR,\N{EN DASH}",
    ]
    assert "<script>" not in written[ReportFormat.HTML]
    assert "&lt;script&gt;" in written[ReportFormat.HTML]


def written_as(format: ReportFormat, rows: list[Row]) -> str:
    content = BytesIO()
    definition = definition_of(
        {"id": "own", "title": "Own", "source": "lines", "group_by": ["region"], "measures": ["net"]}
    )
    report = output_as(format, content)
    report.begin(head_of(definition, date(2026, 11, 30), AT))
    report.rows(rows)
    report.end(ReportFoot(len(rows), (), ()))
    return content.getvalue().decode()
