"""What a tax service has computed is printed as its amount: no rate of ours stands beside it."""

from activities.printouts.catalogue import catalogue_of
from activities.printouts.page import page_of
from activities.printouts.sheets import sheet_of
from tests.printouts.test_electronic_invoices import a_line, an_invoice


def test_no_rate_stands_beside_the_tax_of_a_service() -> None:
    invoice = an_invoice(a_line(1, 10000, "0", tax_minor=725, total_minor=10725), a_line(2, 5000, "0"))

    page = page_of(invoice, catalogue_of("en"))
    vat_percent = sheet_of(invoice).heads.index("vat_percent")

    assert [row[-2] for row in page.rows] == ["7.25", "0%"]
    assert [(one.label, one.value) for one in page.totals][1:3] == [
        ("Tax on €100.00", "€7.25"),
        ("VAT 0% on €50.00", "€0.00"),
    ]
    assert [row[vat_percent] for row in sheet_of(invoice).rows] == [None, 0]
