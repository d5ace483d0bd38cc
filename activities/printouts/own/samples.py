"""Documents to try a template on: every kind, and what the law wants on them in its shapes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from models.ledger.transaction import Classification, LifeCycleState
from models.money import vat_of
from models.printouts.bill import BillFacts, BillPosting
from models.printouts.facts import (
    Buyer,
    DocumentFacts,
    DocumentLine,
    RelatedDocument,
    Relation,
    Seller,
    StatementFacts,
    StatementRow,
    VatCategory,
)

_DAY, _DUE = date(2026, 11, 29), date(2026, 12, 13)
_MANY = 45
_SELLER = Seller(
    *("sample", "Sample Ltd", "Hauptstraße 1", "10115", "Berlin", "DE", "DE123456789", "29/123/45678", "HRB 12345 B"),
    *("mail@example.com", "+49 30 1234567", "DE89370400440532013000", "COBADEFFXXX"),
)
# What customers and merchants write is a text everywhere, and never part of a page: unescaped it would not be read.
_BUYER = Buyer(
    *(
        "acc_7",
        "Müller & <i>Söhne</i> {KG}",
        "ap@example.com",
        "Lange <b>Gasse 5",
        "Stiege <2",
        "1010",
        "<i>Wien",
        "AT",
    ),
    *("ATU12345678", "PO <i>77"),
)
_ORIGINAL = RelatedDocument(Relation.ORIGINAL, "INV-0000000041", Classification.INVOICE, date(2026, 11, 2), 11900)
_ADDRESSED = replace(_ORIGINAL, relation=Relation.ADDRESSED)
_PAID = RelatedDocument(Relation.SETTLED, "PAY-0000000007", Classification.PAYMENT, date(2026, 11, 3), 2000)
_SETTLED = replace(_ORIGINAL, relation=Relation.SETTLED)


def _line(position: int, net_minor: int, percent: int = 19) -> DocumentLine:
    tax_minor = vat_of(net_minor, Decimal(percent))
    return DocumentLine(
        *(
            position,
            "fibre",
            f"Fibre <b>{position}",
            Decimal(1),
            net_minor + 100,
            None,
            100,
            net_minor,
            Decimal(percent),
        ),
        *(tax_minor, net_minor + tax_minor, date(2026, 11, 1), date(2026, 11, 30), VatCategory.STANDARD),
    )


_LINES = (_line(1, 10000), _line(2, 3333), _line(3, 5000, 7))
_UNTAXED = replace(_line(1, 20000, 0), tax_category=VatCategory.REVERSE_CHARGE)


def _document(classification: Classification, *lines: DocumentLine, related: RelatedDocument) -> DocumentFacts:
    total_minor = sum(line.total_minor for line in lines) or 4200
    return DocumentFacts(
        *("ft_1", classification, LifeCycleState.POSTED, "DOC-0000000412", "R1", _DAY, _DAY, _DUE, "EUR", total_minor),
        *("en", "Asked <b>by phone", "Bank <i>transfer", "RF18 <b>5390", _SELLER, _BUYER, lines, (related,)),
    )


_INVOICE = _document(Classification.INVOICE, *_LINES, related=_PAID)

SAMPLES: Mapping[str, DocumentFacts | StatementFacts | BillFacts] = {
    "an invoice": _INVOICE,
    "a draft": replace(_INVOICE, posted_on=None, state=LifeCycleState.DRAFT, number="", related=()),
    "an invoice of many lines": replace(
        _INVOICE, lines=tuple(_line(position, 1000) for position in range(1, _MANY + 1))
    ),
    "a reverse charge": replace(_INVOICE, lines=(_UNTAXED,), total_minor=20000),
    "a credit note": _document(Classification.CREDIT_NOTE, *_LINES, related=_ADDRESSED),
    "an invoice cancellation": _document(Classification.INVOICE_CANCELLATION, *_LINES, related=_ORIGINAL),
    "a payment": _document(Classification.PAYMENT, related=_SETTLED),
    "a payment cancellation": _document(Classification.PAYMENT_CANCELLATION, related=_SETTLED),
    "a refund": _document(Classification.REFUND, related=_SETTLED),
    "a statement": StatementFacts(
        *("EUR", "en", date(2026, 11, 1), _DAY, 0, 9900, 11900, _SELLER, _BUYER),
        (
            StatementRow(date(2026, 11, 2), "INV-0000000041", Classification.INVOICE, _DUE, 11900, 11900),
            StatementRow(date(2026, 11, 3), "PAY-0000000007", Classification.PAYMENT, None, -2000, 9900),
        ),
    ),
    "a bill": BillFacts(
        number="BIL-0000000042",
        period="2026-11",
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 11, 30),
        made_on=_DAY,
        as_of=_DAY,
        currency="EUR",
        locale="en",
        brought_forward_minor=0,
        debited_minor=11900,
        credited_minor=2000,
        invoiced_minor=11900,
        credit_notes_minor=0,
        outstanding_minor=9900,
        collected_by="",
        seller=_SELLER,
        buyer=_BUYER,
        postings=(
            BillPosting(
                is_billed=True,
                on=date(2026, 11, 2),
                number="INV-0000000041",
                classification=Classification.INVOICE,
                due_on=_DUE,
                amount_minor=11900,
                unsettled_minor=9900,
                is_cancelled=False,
            ),
        ),
    ),
}
