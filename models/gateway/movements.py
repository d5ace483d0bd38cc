"""What moves money on a gateway's balance, and what of it the ledger waits for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class MovementKind(StrEnum):
    """What moved money on the gateway's balance."""

    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    PAYOUT = "payout"
    OTHER = "other"


# What the ledger expects of its objects, in the commit that posts them.
EXPECTED_KINDS = frozenset(
    {
        MovementKind.CHARGE,
        MovementKind.REFUND,
        MovementKind.REFUND_FAILURE,
        MovementKind.DISPUTE,
        MovementKind.DISPUTE_REVERSAL,
    }
)


@dataclass(frozen=True)
class Movement:
    """One booking on the gateway's balance, in the currency of the balance, which may be another than the customer's.

    Signed amount before the fee, and the fee, in ISO minor units; a negative fee is given back. `application_fee_minor`
    is the part of the fee that the platform took.
    """

    reference: str
    kind: MovementKind
    source_reference: str
    amount_minor: int
    fee_minor: int
    currency: str
    booked_at: datetime
    application_fee_minor: int = 0

    def as_booked(self) -> dict[str, Any]:
        """Return what the ledger books of it."""
        return {
            "reference": self.reference,
            "source": self.source_reference,
            "amount_minor": self.amount_minor,
            "fee_minor": self.fee_minor,
            "application_fee_minor": self.application_fee_minor,
            "currency": self.currency,
        }


@dataclass(frozen=True)
class MovementsRequest:
    """Read a provider's movements for those expected; with `retrieves_due`, each that is due is looked up too."""

    provider: str
    retrieves_due: bool = False


@dataclass(frozen=True)
class MovementsBooked:
    """What a look came to: movements listed, expectations fulfilled, still open, and overdue among them.

    `differing`: movements of another amount than was posted, which nobody has explained yet.
    """

    listed: int = 0
    booked: int = 0
    open: int = 0
    overdue: int = 0
    differing: int = 0
