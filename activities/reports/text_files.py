"""Reports as JSON, CSV and HTML, written row by row."""

import csv
import html
import json
from collections.abc import Sequence
from datetime import date
from typing import Any, TextIO

from models.reports.columns import ColumnKind
from models.reports.result import ReportColumn, ReportFoot, ReportHead, Row, as_json, as_text

# What a spreadsheet would take for a formula (CWE-1236), in full width too, as some do in East Asian languages.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_STYLE = (
    "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}th,td{padding:.2em .8em;text-align:left}"
    "tr{border-bottom:1px solid #ccc}.n{text-align:right;font-variant-numeric:tabular-nums}caption{text-align:left}"
)


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: behind an apostrophe where it might."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def spreadsheet_text(column: ReportColumn, row: Row) -> str:
    """Return a cell of a CSV file: numbers as they are, texts made safe."""
    shown = as_text(column, row)
    return safe_text(shown) if column.kind is ColumnKind.TEXT else shown


class CsvReport:
    """A report as CSV: a line of names, then rows, amounts in major units beside their currency. Nothing else."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._columns: Sequence[ReportColumn] = ()

    def begin(self, head: ReportHead) -> None:
        """Write the names."""
        self._columns = head.columns
        self._writer.writerow(one.name.removesuffix("_minor") for one in head.columns)

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        self._writer.writerows([spreadsheet_text(one, row) for one in self._columns] for row in rows)

    def end(self, foot: ReportFoot) -> None:
        """Leave the file as it is: a program reads it."""


class JsonReport:
    """A report as one JSON document: amounts in minor units, shares as percentages in texts of two decimals."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._columns: Sequence[ReportColumn] = ()
        self._separator = ""

    def begin(self, head: ReportHead) -> None:
        """Write what is known before the rows."""
        self._columns = head.columns
        self._file.write(f'{{"report": {_json(head.as_document())},\n"rows": [')

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        for row in rows:
            self._file.write(f"{self._separator}\n  {_json(as_json(self._columns, row))}")
            self._separator = ","

    def end(self, foot: ReportFoot) -> None:
        """Write what the rows come to."""
        totals = [as_json(total_columns(self._columns, foot), row) for row in foot.totals]
        rest = {"count": foot.rows, "totals": totals, "ties": [one.as_document() for one in foot.ties]}
        self._file.write(f"\n],\n{_json(rest)[1:]}\n")


class HtmlReport:
    """A report as one page without scripts: a table with its caption, totals below, and what they tie to."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._columns: Sequence[ReportColumn] = ()

    def begin(self, head: ReportHead) -> None:
        """Write everything up to the rows."""
        self._columns = head.columns
        title = html.escape(head.definition.title)
        caption = "<br>".join(map(html.escape, head.lines))
        heads = "".join(f'<th scope="col"{_class(one)}>{html.escape(one.title)}</th>' for one in head.columns)
        self._file.write(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{title}</h1>\n<table><caption>{caption}</caption>"
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n"
        )

    def rows(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        for row in rows:
            self._file.write(f"<tr>{self._cells(self._columns, row)}</tr>\n")

    def end(self, foot: ReportFoot) -> None:
        """Write the totals and the end of the page."""
        known = {one.name for one in total_columns(self._columns, foot)}
        self._file.write("</tbody><tfoot>\n")
        for row in foot.totals:
            cells = "".join(
                f"<td{_class(one)}>{html.escape(as_text(one, row)) if one.name in known else ''}</td>"
                for one in self._columns
            )
            self._file.write(f"<tr>{cells}</tr>\n")
        ties = "".join(f"<li>{html.escape(line)}</li>" for line in tie_lines(foot))
        self._file.write(f"</tfoot></table>\n<p>{foot.rows} rows.</p><ul>{ties}</ul></body></html>\n")

    @staticmethod
    def _cells(columns: Sequence[ReportColumn], row: Row) -> str:
        return "".join(f"<td{_class(one)}>{html.escape(as_text(one, row))}</td>" for one in columns)


def total_columns(columns: Sequence[ReportColumn], foot: ReportFoot) -> list[ReportColumn]:
    """Return those columns that the totals have."""
    known = foot.totals[0].keys() if foot.totals else ()
    return [one for one in columns if one.name in known]


def tie_lines(foot: ReportFoot) -> list[str]:
    """Say what a report ties to, in words."""
    lines = []
    for one in foot.ties:
        shown = [as_text(_AMOUNT, {"amount": minor, "currency": one.currency}) for minor in _both(one)]
        lines.append(
            f"{one.measure} of the whole source: {shown[0]} {one.currency}; the ledger has {shown[1]}"
            + ("" if one.holds else ": they differ")
        )
    return lines


_AMOUNT = ReportColumn("amount", ColumnKind.MONEY)


def _both(one: Any) -> tuple[int, int]:
    return one.report_minor, one.ledger_minor


def _class(column: ReportColumn) -> str:
    return ' class="n"' if column.is_right else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
