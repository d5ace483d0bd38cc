"""A report as a file of each format, by one list for whoever writes one."""

from collections.abc import Callable, Mapping
from io import BytesIO, TextIOWrapper
from types import MappingProxyType
from typing import BinaryIO, TextIO

from activities.reports.binary_files import PdfReport, XlsxReport
from activities.reports.running import ReportOutput
from activities.reports.text_files import CsvReport, HtmlReport, JsonReport
from models.reports.delivery import ReportFormat

_TEXTS: Mapping[ReportFormat, Callable[[TextIO], ReportOutput]] = MappingProxyType(
    {ReportFormat.CSV: CsvReport, ReportFormat.JSON: JsonReport, ReportFormat.HTML: HtmlReport}
)
_BINARIES: Mapping[ReportFormat, Callable[[BinaryIO], ReportOutput]] = MappingProxyType(
    {ReportFormat.XLSX: XlsxReport, ReportFormat.PDF: PdfReport}
)


def output_as(format: ReportFormat, content: BytesIO) -> ReportOutput:
    """Return what writes a report of a format into `content`, which is whole when the report has ended."""
    if format in _BINARIES:
        return _BINARIES[format](content)
    return _TEXTS[format](TextIOWrapper(content, encoding="utf-8", newline="", write_through=True))
