"""A report as a file of each format, by one list for whoever writes one."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from io import TextIOWrapper
from types import MappingProxyType
from typing import IO, BinaryIO, TextIO, cast

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


class _Lines(TextIOWrapper):
    """Text written into a file of somebody else's, which stays open."""

    def __del__(self) -> None:
        # Of a report that was given up the file may be gone before: there is nothing to leave open then.
        with suppress(ValueError):
            self.detach()


def output_as(format: ReportFormat, content: IO[bytes]) -> ReportOutput:
    """Return what writes a report of a format into `content`, which is whole when the report has ended."""
    file = cast("BinaryIO", content)
    if format in _BINARIES:
        return _BINARIES[format](file)
    return _TEXTS[format](_Lines(file, encoding="utf-8", newline="", write_through=True))
