"""What files of documents are called on the web and on a disk."""

from collections.abc import Mapping

from models.printouts.facts import PrintFormat

MEDIA_TYPES: Mapping[PrintFormat, str] = {
    PrintFormat.PDF: "application/pdf",
    PrintFormat.FACTUR_X: "application/pdf",
    PrintFormat.UBL: "application/xml",
    PrintFormat.CII: "application/xml",
    PrintFormat.HTML: "text/html",
    PrintFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    PrintFormat.CSV: "text/csv",
    PrintFormat.RTF: "application/rtf",
}
SUFFIXES: Mapping[PrintFormat, str] = {
    **{format: str(format) for format in PrintFormat},
    PrintFormat.FACTUR_X: "pdf",
    PrintFormat.UBL: "xml",
    PrintFormat.CII: "xml",
}
