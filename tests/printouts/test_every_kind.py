"""Every kind of document in every format and language: its number, its title and its amount are there to read."""

import re
from io import BytesIO
from pathlib import Path

import lxml.html
import pytest
from openpyxl import load_workbook

from tests.printouts.test_cli_documents import LINES, Buyer, printed, text_of
from tests.support.command_line import CommandLine
from tests.support.company import POSTED_ON, Company

TITLES = {
    "de": ("Rechnung", "Stornorechnung", "Rechnungskorrektur", "Zahlungsbeleg", "Erstattung"),
    "en": ("Invoice", "Invoice cancellation", "Credit note", "Payment receipt", "Refund"),
}


def read_back(content: bytes, format: str) -> str:
    """Return what is read in a file of a format."""
    if format == "pdf":
        return text_of(content)
    if format == "html":
        return "".join(map(str, lxml.html.fromstring(content.decode()).itertext()))
    if format == "xlsx":
        cells = [cell.value for sheet in load_workbook(BytesIO(content)) for row in sheet.iter_rows() for cell in row]
        return "\n".join(str(value) for value in cells if value is not None)
    return re.sub(r"\\u(\d+)\?", lambda found: chr(int(found[1])), content.decode())


@pytest.mark.nightly
@pytest.mark.parametrize("format", ["pdf", "html", "xlsx", "csv", "rtf"])
async def test_every_kind_is_printed_in_every_format_and_language(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path, format: str
) -> None:
    account = await buyer()
    first, second = [await seller.create("invoice", account, *LINES, "--posted-on", POSTED_ON) for _ in range(2)]
    cancelled = await cli.json("transactions", "cancel", second["number"], "--reason", "wrong customer", "--yes")
    line = ("--line", "product=card,price=10.00,tax_rate=low")
    note = await seller.create("credit_note", account, *line, "--invoice", first["number"])
    payment = await seller.payment(account, "200.00")
    refund = await seller.create("refund", account, "--amount", "5.00", "--method", "cash")
    numbers = [one["number"] for one in (first, cancelled["transaction"], note, payment, refund)]

    for language, titles in TITLES.items():
        for number, title in zip(numbers, titles, strict=True):
            words = ("--format", format, "--language", language)
            text = read_back(await printed(cli, number, tmp_path, *words), format)

            assert number in text, (language, title)
            assert title in text or format == "csv", (language, number)
            if title in {"Zahlungsbeleg", "Payment receipt"}:
                assert re.search(r"200([.,]00)?\b", text), (language, number)
