"""The VAT of a document in its seller's own currency, as it is read: the amount below the sums, and by which rate."""

from collections.abc import Iterator
from decimal import Decimal

from activities.printouts.catalogue import Catalogue
from models.printouts.facts import DocumentFacts

_EURO = "EUR"


def tax_currency_sums(facts: DocumentFacts, words: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield the label and the amount of VAT in the currency in which it is owed (2006/112/EC art. 230)."""
    conversion = facts.tax_conversion
    if conversion is not None and conversion.tax_minor is not None:
        label = words.text("vat_in", currency=conversion.currency)
        yield label, words.money(conversion.tax_minor, conversion.currency)


def tax_currency_notes(facts: DocumentFacts, words: Catalogue) -> Iterator[str]:
    """Yield by which rates it was worked out, and of which day they are (art. 91 (2))."""
    conversion = facts.tax_conversion
    if conversion is None or conversion.rate_on is None:
        return
    sides = ((facts.currency, conversion.document_per_euro), (conversion.currency, conversion.tax_per_euro))
    rates = ", ".join(
        f"1 {_EURO} = {words.number(per_euro)} {currency}"
        for currency, per_euro in sides
        if currency != _EURO and isinstance(per_euro, Decimal)
    )
    yield words.text("vat_in_rate", currency=conversion.currency, on=words.day(conversion.rate_on), rates=rates)
