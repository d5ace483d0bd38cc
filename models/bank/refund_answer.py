"""The bank's answer about a refund (F120)."""

from dataclasses import dataclass
from enum import StrEnum


class AnswerStatus(StrEnum):
    """Paid is final, rejected too; anything else stays pending."""

    PAID = "paid"
    REJECTED = "rejected"
    PENDING = "pending"


# ISO 20022 external status codes: settled, refused, and all that is still on its way.
_FROM_ISO = {
    "ACSC": AnswerStatus.PAID,
    "ACCC": AnswerStatus.PAID,
    "RJCT": AnswerStatus.REJECTED,
    "CANC": AnswerStatus.REJECTED,
}


@dataclass(frozen=True)
class BankRefundAnswer:
    """One refund's answer. `amount` is in major units, "" when the file does not repeat it."""

    line: int
    reference: str
    status: AnswerStatus
    amount: str = ""
    currency: str = ""
    reason: str = ""


def status_of(iso_code: str) -> AnswerStatus:
    """Return what a transaction status of pain.002 means; only a settlement is a payment."""
    return _FROM_ISO.get(iso_code, AnswerStatus.PENDING)
