"""`documents print` and `show`: legal content, printed once for good, in every format and language."""

import csv
import json
import re
from collections.abc import Awaitable, Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from facturx import get_xml_from_pdf
from lxml import etree
from openpyxl import load_workbook
from pypdf import PdfReader

from tests.support.command_line import CommandLine
from tests.support.company import POSTED_ON, Company

Buyer = Callable[..., Awaitable[str]]
LINES = (
    "--line",
    "product=card,price=99.90,description=Fibre {500} \\b & Co,period_from=2026-05-01,period_to=2026-05-31",
    "--line",
    "product=plan,price=10.00,quantity=3,discount=10%,tax_rate=low",
)
PDFA = "{http://www.aiim.org/pdfa/ns/id/}"
FX = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"


async def printed(cli: CommandLine, number: str, tmp_path: Path, *words: str) -> bytes:
    """Print a document and return the file."""
    return await written(cli, tmp_path / "printed", "documents", "print", number, *words)


async def written(cli: CommandLine, target: Path, *words: str) -> bytes:
    """Return the file that a command writes."""
    await cli.json(*words, "--output", str(target))
    return taken(target)


def taken(file: Path) -> bytes:
    """Read a file and make room for another."""
    content = file.read_bytes()
    file.unlink()
    return content


def text_of(pdf: bytes) -> str:
    """Return what is read on the pages."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).replace("\xa0", " ")


async def test_an_invoice_names_all_that_the_law_wants(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    account = await buyer("cust", "--vat-id", "ATU12345678", "--reference", "PO-77")
    invoice = await seller.create("invoice", account, *LINES, "--posted-on", POSTED_ON)

    text = text_of(await printed(cli, invoice["number"], tmp_path))

    wanted = (
        *(
            "Rechnung",
            invoice["number"],
            "20.05.2026",
            "01.05.2026 bis",
            "Fibernetz GmbH",
            "Hauptstraße 1",
            "DE123456789",
        ),
        *("Müller & Söhne KG", "Lange Gasse 5", "1010 Wien", "Österreich", "ATU12345678", "PO-77"),
        *("Fibre {500} \\b & Co", "99,90", "10 %", "27,00"),
        *("USt. 19 % auf 99,90 €", "18,98 €", "USt. 7 % auf 27,00 €", "1,89 €", "147,77 €"),
        *("DE89 3704 0044 0532 0130 00", "COBADEFFXXX", "HRB 12345 B", "Seite 1 von 1", "Zum Bezahlen mit der App"),
    )
    assert [word for word in wanted if word not in text] == []


async def test_what_is_posted_is_printed_once_and_stays_that_file(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    invoice = await seller.create("invoice", await buyer(), *LINES, "--posted-on", POSTED_ON)
    first = await printed(cli, invoice["number"], tmp_path)
    await seller.run("update duly.sellers set name = 'Another GmbH'")
    await cli.json("accounts", "address", "cust", "--none", "--actor", "maria", "--reason", "moved")

    again = await printed(cli, invoice["id"], tmp_path)
    other = await printed(cli, invoice["number"], tmp_path, "--language", "en")
    shown = await cli.json("documents", "show", invoice["number"])

    assert again == first
    assert await seller.value("select count(*) from duly.document_logos") == 1
    assert len(await seller.value("select facts -> 'seller' ->> 'logo' from duly.documents")) == 64
    assert "Invoice" in text_of(other)
    assert "Fibernetz GmbH" in text_of(other)
    assert [(one["format"], one["language"]) for one in shown["files"]] == [("pdf", "de"), ("pdf", "en")]
    assert shown["files"][0]["bytes"] == len(first)
    with pytest.raises(Exception, match="permission denied"):
        await seller.run("update duly.document_files set template_version = '2'")


async def test_a_draft_is_marked_as_one_and_has_no_number_nor_is_it_kept(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    draft = await seller.create("invoice", await buyer(), *LINES, "--draft")

    text = text_of(await printed(cli, draft["id"], tmp_path))
    refused = await cli("documents", "print", draft["id"], "--format", "ubl", "--json")

    assert "ENTWURF" in text
    assert "Nummer" not in text
    assert "Bitte zahlen" not in text
    assert refused.rules == [("transaction", "document_posted")]
    assert await seller.value("select count(*) from duly.documents") == 0


@pytest.mark.nightly
async def test_the_pages_are_an_archive_that_is_read_aloud_too(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    invoice = await seller.create("invoice", await buyer(), *LINES, "--posted-on", POSTED_ON)

    pdf = await printed(cli, invoice["number"], tmp_path, "--format", "factur-x")

    with pikepdf.open(BytesIO(pdf)) as document:
        metadata = etree.fromstring(document.Root.Metadata.read_bytes())
        texts = {one.tag: one.text for one in metadata.iter(etree.Element)}
        attached = document.attachments["factur-x.xml"]
        assert (texts[f"{PDFA}part"], texts[f"{PDFA}conformance"]) == ("3", "B")
        assert (texts[f"{FX}ConformanceLevel"], texts[f"{FX}DocumentFileName"]) == ("EN 16931", "factur-x.xml")
        # A property that stands twice in a packet makes no PDF/A.
        assert len([one for one in metadata.iter(etree.Element) if one.tag.endswith("}schemas")]) == 1
        assert attached.relationship == pikepdf.Name.Alternative
        assert document.Root.MarkInfo.Marked
        assert fonts_of(document)
        assert all(any(key.startswith("/FontFile") for key in font) for font in fonts_of(document))
    name, xml = get_xml_from_pdf(pdf, check_xsd=True)
    assert name == "factur-x.xml"
    assert amounts(xml) == {"LineTotalAmount": "126.90", "TaxTotalAmount": "20.87", "DuePayableAmount": "147.77"}


def fonts_of(document: pikepdf.Pdf) -> list[Any]:
    """Return what describes each font."""
    return [
        one for one in document.objects if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
    ]


def amounts(xml: bytes) -> dict[str, str]:
    """Return the sums of an invoice in CII."""
    summation = "SpecifiedTradeSettlementHeaderMonetarySummation"
    (sums,) = (one for one in etree.fromstring(xml).iter() if etree.QName(one).localname == summation)
    wanted = {"LineTotalAmount", "TaxTotalAmount", "DuePayableAmount"}
    return {name: str(one.text) for one in sums if (name := etree.QName(one).localname) in wanted}


async def test_lines_are_computed_with_as_csv_and_xlsx(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    lines = ("--line", "product=card,price=99.90,description==1+1")
    invoice = await seller.create("invoice", await buyer(), *lines, "--posted-on", POSTED_ON)

    (row,) = csv.DictReader(StringIO((await printed(cli, invoice["number"], tmp_path, "--format", "csv")).decode()))
    book = load_workbook(BytesIO(await printed(cli, invoice["number"], tmp_path, "--format", "xlsx")))

    assert (row["number"], row["net"], row["vat"], row["total"]) == (invoice["number"], "99.90", "18.98", "118.88")
    assert row["description"] == "'=1+1"
    heads, cells = book["rows"].iter_rows(values_only=True)
    sheet = dict(zip(heads, cells, strict=True))
    assert (sheet["net"], sheet["total"], sheet["description"]) == (99.9, 118.88, "=1+1")
    assert all(cell.data_type != "f" for cell in next(book["rows"].iter_rows(min_row=2)))
    assert ("Gesamtbetrag", "118,88\xa0€") in book["Rechnung"].iter_rows(values_only=True)


async def test_texts_of_customers_are_no_markup_in_html_and_no_commands_in_rtf(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    account = await buyer("cust", "--addition", "<script>{\\b} Ωμέγα 😀")
    invoice = await seller.create("invoice", account, *LINES, "--posted-on", POSTED_ON)

    html = (await printed(cli, invoice["number"], tmp_path, "--format", "html")).decode()
    rtf = (await printed(cli, invoice["number"], tmp_path, "--format", "rtf")).decode("ascii")

    assert "<script" not in html
    assert "&lt;script&gt;{\\b} Ωμέγα 😀" in html
    assert "<script>\\{\\\\b\\} \\u937?\\u956?" in rtf
    assert "\\u-10179?\\u-8704?" in rtf
    assert rtf.count("{") - rtf.count("\\{") == rtf.count("}") - rtf.count("\\}")


@pytest.mark.nightly
async def test_a_name_that_the_fonts_do_not_have_is_printed_all_the_same_and_whole_as_an_electronic_invoice(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    account = await buyer("cust", "--addition", "Łódź Ωμέγα שלום محمد 王 नमस्ते 😀")
    invoice = await seller.create("invoice", account, *LINES, "--posted-on", POSTED_ON)

    pdf = await printed(cli, invoice["number"], tmp_path, "--format", "factur-x")

    assert "Łódź Ωμέγα" in (text := text_of(pdf))
    # The Chinese one by a font that the machine may have.
    assert re.search(r"[?王] \?{4}", text)
    assert "王 नमस्ते 😀" in get_xml_from_pdf(pdf, check_xsd=False)[1].decode()


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("language", ["de", "en"])
async def test_every_kind_is_printed_in_every_language(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path, language: str
) -> None:
    account = await buyer()
    first = await seller.create("invoice", account, *LINES, "--posted-on", POSTED_ON)
    second = await seller.create("invoice", account, *LINES, "--posted-on", POSTED_ON)
    cancelled = await cli.json("transactions", "cancel", second["number"], "--reason", "wrong customer", "--yes")
    note = await seller.create(
        "credit_note", account, "--line", "product=card,price=10.00", "--invoice", first["number"]
    )
    payment = await seller.payment(account, "200.00")
    refund = await seller.create("refund", account, "--amount", "5.00", "--method", "cash")

    spoken = ("--language", language)
    made = [cancelled["transaction"], note, payment, refund]
    texts = [text_of(await printed(cli, one["number"], tmp_path, *spoken)) for one in made]
    paid = text_of(await printed(cli, first["number"], tmp_path, *spoken))

    titles = {
        "de": ("Stornorechnung", "Rechnungskorrektur", "Zahlungsbeleg", "Erstattung"),
        "en": ("Invoice cancellation", "Credit note", "Payment receipt", "Refund"),
    }[language]
    assert [title for title, text in zip(titles, texts, strict=True) if title not in text] == []
    assert second["number"] in texts[0]
    assert first["number"] in texts[1]
    assert first["number"] in texts[2]
    assert payment["number"] in paid
    assert {"de": "keine Rechnung", "en": "not an invoice"}[language] in texts[2]


async def test_a_statement_leads_from_one_balance_to_the_other(
    cli: CommandLine, seller: Company, buyer: Buyer, tmp_path: Path
) -> None:
    account = await buyer()
    invoice = await seller.create("invoice", account, *LINES, "--posted-on", POSTED_ON)
    await seller.payment(account, "47.77", "--posted-on", "2026-05-21")
    words = ("documents", "statement", account, "--from", "2026-05-21", "--to", "2026-05-31")

    text = text_of(await written(cli, tmp_path / "statement", *words))
    table = await written(cli, tmp_path / "statement", *words, "--format", "csv")
    rows = list(csv.DictReader(StringIO(table.decode())))

    assert "Kontoauszug" in text
    assert "Anfangssaldo" in text
    assert "147,77 €" in text
    assert "100,00 €" in text
    assert invoice["number"] not in text
    assert [(row["amount"], row["balance"]) for row in rows] == [("-47.77", "100.00")]


async def test_what_cannot_be_printed_is_refused_by_name(cli: CommandLine, company: Company, tmp_path: Path) -> None:
    invoice = await company.invoice(await company.account("cust"))
    there = tmp_path / "there"
    there.touch()

    refused = [
        await cli("documents", "print", *words, "--json")
        for words in (
            (invoice["number"],),
            ("INV-404",),
            (invoice["number"], "--output", str(there)),
            (invoice["number"], "--language", "fr"),
        )
    ]

    assert [one.rules[0] for one in refused] == [
        ("seller", "seller_set"),
        ("transaction", "transaction_exists"),
        ("output", "new_file"),
        ("language", "language_known"),
    ]
    assert json.dumps(await company.value("select count(*) from duly.document_files")) == "0"
