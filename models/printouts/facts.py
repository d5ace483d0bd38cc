"""What a document says: who sells, who buys, the lines and sums, and the documents it belongs to; values, no words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.ledger.transaction import Classification, LifeCycleState
from models.money import vat_of


class DocumentKind(StrEnum):
    """What is printed."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    INVOICE_CANCELLATION = "invoice_cancellation"
    PAYMENT = "payment"
    PAYMENT_CANCELLATION = "payment_cancellation"
    REFUND = "refund"
    STATEMENT = "statement"
    BILL = "bill"


class PrintFormat(StrEnum):
    """What a document is printed as: pages, a table, or an electronic invoice (EN 16931)."""

    PDF = "pdf"
    FACTUR_X = "factur-x"  # a PDF with the electronic invoice in it
    UBL = "ubl"
    CII = "cii"
    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"
    RTF = "rtf"


ELECTRONIC = frozenset({PrintFormat.FACTUR_X, PrintFormat.UBL, PrintFormat.CII})
# A transaction has a document of its own; these are of an account.
OF_ACCOUNTS = frozenset({DocumentKind.STATEMENT, DocumentKind.BILL})
# Documents under the law of value-added tax; the others say that they are no invoice.
OF_VAT = frozenset({DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.INVOICE_CANCELLATION})


class VatCategory(StrEnum):
    """How a supply stands to VAT (UNTDID 5305, as EN 16931 takes it); `UNSAID` where no tax rate says it."""

    UNSAID = ""
    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE = "O"


@dataclass(frozen=True)
class Seller:
    """Who sells, with the brand: `color` as #rrggbb, `logo` an SVG. Empty is what they do not have."""

    id: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    vat_id: str = ""
    tax_number: str = ""
    registration: str = ""
    email: str = ""
    phone: str = ""
    iban: str = ""
    bic: str = ""
    color: str = "#1f3a5f"
    logo: str = ""
    attaches_documents: bool = True


@dataclass(frozen=True)
class Buyer:
    """Who buys. Without a street no address is known."""

    account_id: str
    name: str
    email: str = ""
    street: str = ""
    addition: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    vat_id: str = ""
    reference: str = ""


@dataclass(frozen=True)
class DocumentLine:
    """A line; amounts in minor units, rates in percent."""

    position: int
    product_id: str
    name: str
    quantity: Decimal
    unit_price_minor: int
    discount_percent: Decimal | None
    discount_minor: int
    net_minor: int
    tax_percent: Decimal
    tax_minor: int
    total_minor: int
    period_from: date | None = None
    period_to: date | None = None
    tax_category: VatCategory = VatCategory.UNSAID
    exemption: str = ""

    @property
    def has_rate(self) -> bool:
        """Whether its tax is of one rate: what a tax service computed has none of ours, and is no tax at 0 %."""
        return self.tax_percent != 0 or self.tax_minor == 0


class Relation(StrEnum):
    """How another document belongs to one."""

    ORIGINAL = "original"  # what a cancellation cancels
    ADDRESSED = "addressed"  # an invoice that a credit note or payment is for
    SETTLED = "settled"  # what settles it, or what it settles
    CANCELLED_BY = "cancelled_by"


@dataclass(frozen=True)
class RelatedDocument:
    """Another document, its day, and how much of it is meant."""

    relation: Relation
    number: str
    classification: Classification
    on: date
    amount_minor: int


@dataclass(frozen=True)
class VatSum:
    """The base and the tax of one rate: sums of lines, each rounded by itself (decision 0111)."""

    category: VatCategory
    percent: Decimal
    exemption: str
    net_minor: int
    tax_minor: int
    has_rate: bool = True

    @property
    def tax_by_rate_minor(self) -> int:
        """Return the tax on the base in one, as EN 16931 computes it; for comparison, never to be asked for."""
        return vat_of(self.net_minor, self.percent)


@dataclass(frozen=True)
class TaxConversion:
    """The VAT of a document in its seller's own currency, by what a euro was in both (2006/112/EC art. 91, 230).

    `tax_minor` is None where it should stand on the document, and no rate of its day is known.
    """

    currency: str
    tax_minor: int | None
    rate_on: date | None
    document_per_euro: Decimal | None
    tax_per_euro: Decimal | None


@dataclass(frozen=True)
class DocumentFacts:
    """What the document of one transaction says."""

    transaction_id: str
    classification: Classification
    state: LifeCycleState
    number: str
    reference_number: str
    issued_on: date
    posted_on: date | None
    due_on: date | None
    currency: str
    total_minor: int
    locale: str
    reason: str
    method: str
    payment_reference: str
    seller: Seller
    buyer: Buyer
    lines: tuple[DocumentLine, ...]
    related: tuple[RelatedDocument, ...]
    tax_conversion: TaxConversion | None = None

    @property
    def kind(self) -> DocumentKind:
        """Return what it is printed as."""
        return DocumentKind(self.classification)

    @property
    def is_draft(self) -> bool:
        """Say whether it is a draft or was rejected as one: it has no number and nothing to ask for."""
        return self.posted_on is None

    @property
    def dated(self) -> date:
        """Return the day that stands on it."""
        return self.posted_on or self.issued_on

    @property
    def net_minor(self) -> int:
        """Return the sum of the lines without tax."""
        return sum(line.net_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        """Return the sum of the lines' tax."""
        return sum(line.tax_minor for line in self.lines)

    @property
    def settled_minor(self) -> int:
        """Return how much was settled when it was printed."""
        return sum(one.amount_minor for one in self.of_relation(Relation.SETTLED))

    @property
    def is_cancelled(self) -> bool:
        """Say whether it was cancelled before it was printed."""
        return bool(self.of_relation(Relation.CANCELLED_BY))

    @property
    def due_minor(self) -> int:
        """Return what is to be paid on it: of an invoice that stands what is not settled."""
        is_owed = self.kind is DocumentKind.INVOICE and not self.is_cancelled and not self.is_draft
        return self.total_minor - self.settled_minor if is_owed else 0

    @property
    def supplied(self) -> tuple[date, date]:
        """Return the first and last day of what was supplied: those of the lines, else the document's own day."""
        begins = [line.period_from or self.dated for line in self.lines] or [self.dated]
        ends = [line.period_to or line.period_from or self.dated for line in self.lines] or [self.dated]
        return min(begins), max(ends)

    def of_relation(self, relation: Relation) -> Sequence[RelatedDocument]:
        """Return the related documents of a kind."""
        return [one for one in self.related if one.relation is relation]

    def vat(self) -> Sequence[VatSum]:
        """Return base and tax by category and rate, the highest rate first."""
        sums: dict[tuple[VatCategory, Decimal, str, bool], VatSum] = {}
        for line in self.lines:
            key = (line.tax_category, line.tax_percent, line.exemption, line.has_rate)
            before = sums.get(key, VatSum(*key[:3], 0, 0, line.has_rate))
            sums[key] = replace(
                before, net_minor=before.net_minor + line.net_minor, tax_minor=before.tax_minor + line.tax_minor
            )
        return sorted(sums.values(), key=lambda one: (-one.percent, one.category))


@dataclass(frozen=True)
class StatementRow:
    """A posting of a statement, with the balance after it; amounts in minor units, positive is owed."""

    on: date
    number: str
    classification: Classification
    due_on: date | None
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True)
class StatementFacts:
    """What an account's statement says: the postings between two days and the balances around them."""

    currency: str
    locale: str
    since: date | None
    until: date
    opening_minor: int
    closing_minor: int
    unsettled_minor: int
    seller: Seller
    buyer: Buyer
    rows: tuple[StatementRow, ...]

    @property
    def kind(self) -> DocumentKind:
        """Return what it is printed as."""
        return DocumentKind.STATEMENT
