"""Why a document cannot be an electronic invoice, before anybody writes one: what is missing."""

from collections.abc import Iterator

from models.currency import exponent_of
from models.printouts.countries import COUNTRIES, begins_with_country
from models.printouts.facts import OF_VAT, DocumentFacts, VatCategory
from models.problem import Problem

# Amounts of EN 16931 have two decimals at most (BR-DEC).
DECIMALS_MAX = 2
# What the sum of lines may differ from the tax on the sum: less than one unit (BR-CO-17).
TOLERANCE_MINOR = 100
# Categories under which the buyer's VAT id says who owes the tax.
_NEED_BUYERS_ID = frozenset({VatCategory.REVERSE_CHARGE, VatCategory.INTRA_COMMUNITY})


def problems_of_electronic(facts: DocumentFacts) -> Iterator[Problem]:
    """Yield each reason why a document is no electronic invoice (EN 16931); none where it can be written."""
    if facts.kind not in OF_VAT:
        yield Problem("transaction", "electronic_invoice", f"a {facts.kind} is no invoice")
        return
    if facts.is_draft:
        yield Problem("transaction", "document_posted", "a draft has no number and is no invoice yet")
    if exponent_of(facts.currency) > DECIMALS_MAX:
        yield Problem(
            "currency", "two_decimals", f"amounts in {facts.currency} have three decimals, and EN 16931 takes two"
        )
    conversion = facts.tax_conversion
    if conversion is not None and exponent_of(conversion.currency) > DECIMALS_MAX:
        yield Problem("tax_currency", "two_decimals", f"VAT in {conversion.currency} has three, and EN 16931 takes two")
    if not facts.buyer.country:
        yield Problem("buyer", "address_known", "no postal address: duly accounts address")
    yield from _problems_of_parties(facts)
    yield from _problems_of_vat(facts)


def _problems_of_parties(facts: DocumentFacts) -> Iterator[Problem]:
    """What addresses and sellers of today are refused for may stand on older documents."""
    for party, one in (("seller", facts.seller), ("buyer", facts.buyer)):
        if one.country and one.country not in COUNTRIES:
            yield Problem(party, "country_known", f"EN 16931 knows no country {one.country}")
        if one.vat_id and not begins_with_country(one.vat_id):
            yield Problem(party, "vat_id_format", f"the VAT id {one.vat_id} does not begin with a country's letters")


def _problems_of_vat(facts: DocumentFacts) -> Iterator[Problem]:
    categories = {vat.category for vat in facts.vat()}
    if VatCategory.OUTSIDE in categories and len(categories) > 1:
        yield Problem("tax_rate", "outside_alone", "what is not subject to VAT (O) is on an invoice of its own")
    if VatCategory.UNSAID in categories:
        yield Problem("tax_rate", "category_known", "a line without VAT does not say why: give its tax rate a category")
    if categories & _NEED_BUYERS_ID and not facts.buyer.vat_id:
        yield Problem("buyer", "vat_id_known", "whoever owes the VAT is named by their VAT id: duly accounts address")
    if VatCategory.OUTSIDE not in categories and categories - {VatCategory.STANDARD} and not facts.seller.vat_id:
        yield Problem("seller", "vat_id_known", "a tax number is not enough where no VAT is charged")
    step = 10 ** (DECIMALS_MAX - min(DECIMALS_MAX, exponent_of(facts.currency)))
    for vat in facts.vat():
        if abs(vat.tax_minor - vat.tax_by_rate_minor) * step >= TOLERANCE_MINOR:
            yield Problem("lines", "vat_by_rate", f"rounded a line, VAT of {vat.percent} % differs by 1 or more")
