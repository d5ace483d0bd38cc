"""A document as a table to compute with: CSV for programs, XLSX for people; amounts are numbers in major units."""

import csv
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from activities.printouts.page import DocumentPage
from activities.reports.text_files import safe_text
from models.currency import exponent_of
from models.money import Money
from models.printouts.bill import BillFacts
from models.printouts.facts import DocumentFacts, StatementFacts

if TYPE_CHECKING:
    from xlsxwriter import Workbook

SheetCell = str | Decimal | date | None

_AMOUNTS = frozenset(
    {"unit_price", "discount", "net", "vat", "total", "related_amount", "amount", "balance", "unsettled"}
)


@dataclass(frozen=True)
class Sheet:
    """The rows of a document under names that stay the same in every language."""

    heads: tuple[str, ...]
    rows: tuple[tuple[SheetCell, ...], ...]
    currency: str


def sheet_of(facts: DocumentFacts | StatementFacts | BillFacts) -> Sheet:
    """Return the rows of a document: its lines, else the documents it settles, else the postings of an account."""
    if isinstance(facts, StatementFacts):
        return _postings(facts)
    if isinstance(facts, BillFacts):
        return _billed(facts)
    head = (facts.number or None, facts.dated, str(facts.kind), facts.currency)
    names = ("number", "date", "document", "currency")
    money = _Amounts(facts.currency)
    if facts.lines:
        columns = "position product description quantity unit_price discount net vat_percent vat total from to"
        lines = (
            (
                *(Decimal(line.position), line.product_id, line.name, line.quantity, money(line.unit_price_minor)),
                *(money(line.discount_minor), money(line.net_minor)),
                *(line.tax_percent if line.has_rate else None, money(line.tax_minor)),
                *(money(line.total_minor), line.period_from, line.period_to),
            )
            for line in facts.lines
        )
        return Sheet((*names, *columns.split()), tuple((*head, *line) for line in lines), facts.currency)
    related: list[tuple[SheetCell, ...]] = [
        (str(one.relation), str(one.classification), one.number, one.on, money(one.amount_minor))
        for one in facts.related
    ] or [(None,) * 5]
    columns = "total relation related_document related_number related_date related_amount"
    rows = tuple((*head, money(facts.total_minor), *one) for one in related)
    return Sheet((*names, *columns.split()), rows, facts.currency)


def _postings(facts: StatementFacts) -> Sheet:
    money = _Amounts(facts.currency)
    heads = ("date", "number", "document", "due_on", "currency", "amount", "balance")
    rows = tuple(
        (
            *(row.on, row.number, str(row.classification), row.due_on, facts.currency),
            *(money(row.amount_minor), money(row.balance_minor)),
        )
        for row in facts.rows
    )
    return Sheet(heads, rows, facts.currency)


def _billed(facts: BillFacts) -> Sheet:
    money = _Amounts(facts.currency)
    heads = ("bill", "period", "billed", "date", "number", "document", "due_on", "currency", "amount", "unsettled")
    # What was brought forward stands first, so that the amounts come to what is outstanding.
    first: tuple[SheetCell, ...] = (
        *(facts.number, facts.period, "no", facts.starts_on, None, "brought_forward", None, facts.currency),
        *(money(facts.brought_forward_minor), money(0)),
    )
    rows = tuple(
        (
            *(facts.number, facts.period, "yes" if row.is_billed else "no", row.on, row.number),
            *(str(row.classification), row.due_on, facts.currency),
            *(money(row.amount_minor), money(row.unsettled_minor)),
        )
        for row in facts.postings
    )
    return Sheet(heads, (first, *rows), facts.currency)


class _Amounts:
    """Turns minor units into major ones."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def __call__(self, minor: int) -> Decimal:
        return Money(minor, self._currency).to_decimal()


def csv_of(sheet: Sheet) -> bytes:
    """Write a sheet as CSV in UTF-8; a text that a spreadsheet would carry out gets an apostrophe."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(sheet.heads)
    writer.writerows([_plain(cell) for cell in row] for row in sheet.rows)
    return written.getvalue().encode()


def _plain(cell: SheetCell) -> str:
    if isinstance(cell, str):
        return safe_text(cell)
    return "" if cell is None else f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def xlsx_of(page: DocumentPage, sheet: Sheet, on: date, *, seller: str) -> bytes:
    """Write a workbook: the document's facts and sums as they are read, and a sheet of its rows to compute with."""
    from xlsxwriter import Workbook  # noqa: PLC0415

    file = BytesIO()
    # A workbook says when it was made: the document's own day, so that it is the same whenever it is written again.
    made = {"title": page.subject, "author": seller, "created": datetime(on.year, on.month, on.day)}  # noqa: DTZ001
    with Workbook(file, {"in_memory": True}) as book:
        book.set_properties(made)
        _write_page(book, page, seller)
        _write_rows(book, sheet)
    return file.getvalue()


def _write_page(book: "Workbook", page: DocumentPage, seller: str) -> None:
    worksheet = book.add_worksheet(page.title[:31])
    title = book.add_format({"bold": True, "font_color": page.color, "font_size": 14})
    strong = book.add_format({"bold": True})
    worksheet.set_column(0, 1, 40)
    worksheet.write_string(0, 0, seller, strong)
    worksheet.write_string(1, 0, " ".join(filter(None, (page.subject, page.mark))), title)
    pairs: list[tuple[str, str, bool]] = [
        ("", "", False),
        *((line, "", False) for line in page.recipient),
        ("", "", False),
        *((label, value, False) for label, value in page.facts),
        ("", "", False),
        *((total.label, total.value, total.is_strong) for total in page.totals),
        ("", "", False),
        *((note, "", False) for note in page.notes),
        ("", "", False),
        *((line, "", False) for block in page.footer for line in block),
    ]
    for row, (label, value, is_strong) in enumerate(pairs, start=2):
        worksheet.write_string(row, 0, label, strong if is_strong else None)
        worksheet.write_string(row, 1, value, strong if is_strong else None)


def _write_rows(book: "Workbook", sheet: Sheet) -> None:
    worksheet = book.add_worksheet("rows")
    head = book.add_format({"bold": True})
    decimals = exponent_of(sheet.currency)
    number = book.add_format({"num_format": "#,##0" + ("." + "0" * decimals if decimals else "")})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    worksheet.freeze_panes(1, 0)
    worksheet.set_column(0, len(sheet.heads) - 1, 16)
    for at, name in enumerate(sheet.heads):
        worksheet.write_string(0, at, name, head)
    for row, cells in enumerate(sheet.rows, start=1):
        for at, cell in enumerate(cells):
            if isinstance(cell, str):
                # Never read as a formula or a link, whatever a customer has called themselves.
                worksheet.write_string(row, at, cell)
            elif isinstance(cell, Decimal):
                plain = sheet.heads[at] in _AMOUNTS
                worksheet.write_number(row, at, cell, number if plain else None)
            elif cell is not None:
                worksheet.write_datetime(row, at, cell, day)
