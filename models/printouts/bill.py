"""What the document of a bill says: sums as they were when it was made, postings, and what is unsettled today."""

from dataclasses import dataclass
from datetime import date

from models.ledger.transaction import Classification
from models.printouts.facts import Buyer, DocumentKind, Seller


@dataclass(frozen=True)
class BillPosting:
    """A posting of a bill; amounts in minor units, positive is owed.

    `is_billed` is an invoice or credit note that the bill is of; all others were posted between it and the bill before.
    """

    is_billed: bool
    on: date
    number: str
    classification: Classification
    due_on: date | None
    amount_minor: int
    unsettled_minor: int
    is_cancelled: bool


@dataclass(frozen=True)
class BillFacts:
    """What an account was billed for a period, in minor units (X57).

    `as_of` is the day of which `unsettled_minor` is so; the sums beside it are of the day on which the bill was made.
    `collected_by` names the method by which it is collected without the customer's doing, if there is one.
    """

    number: str
    period: str
    starts_on: date
    ends_on: date
    made_on: date
    as_of: date
    currency: str
    locale: str
    brought_forward_minor: int
    debited_minor: int
    credited_minor: int
    invoiced_minor: int
    credit_notes_minor: int
    outstanding_minor: int
    collected_by: str
    seller: Seller
    buyer: Buyer
    postings: tuple[BillPosting, ...]

    @property
    def kind(self) -> DocumentKind:
        """Return what it is printed as."""
        return DocumentKind.BILL

    @property
    def unsettled_minor(self) -> int:
        """Return what is unsettled of the bill's invoices; it is settled when this is 0."""
        return sum(one.unsettled_minor for one in self._invoices)

    @property
    def cancelled_minor(self) -> int:
        """Return the total of the bill's invoices that were cancelled."""
        return sum(one.amount_minor for one in self._invoices if one.is_cancelled)

    @property
    def settled_minor(self) -> int:
        """Return what of the bill's invoices is settled, and was not cancelled."""
        return self.invoiced_minor - self.cancelled_minor - self.unsettled_minor

    @property
    def due(self) -> tuple[date, date] | None:
        """Return the first and last day on which something unsettled of it is due; None where no day is set."""
        days = [one.due_on for one in self._invoices if one.unsettled_minor and one.due_on]
        return (min(days), max(days)) if days else None

    @property
    def _invoices(self) -> tuple[BillPosting, ...]:
        return tuple(one for one in self.postings if one.is_billed and one.classification is Classification.INVOICE)
