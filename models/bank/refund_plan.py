"""Which accounts in credit are refunded by bank transfer, and why others are not (F120)."""

from dataclasses import dataclass
from enum import StrEnum


class FileFormat(StrEnum):
    """What the bank is given."""

    PAIN_001 = "pain.001"
    CSV = "csv"


class PainVersion(StrEnum):
    """Which version of pain.001 a bank reads."""

    V03 = "03"
    V09 = "09"
    V10 = "10"
    V11 = "11"


class SkipReason(StrEnum):
    """Why an account in credit is left out."""

    ACCOUNT_TERMINATED = "account_terminated"
    REFUND_PENDING = "refund_pending"
    PROMOTIONAL = "promotional"
    GATEWAY_CAN_REFUND = "gateway_can_refund"
    CURRENCY_OF_FORMAT = "currency_of_format"
    PAYEE_MISSING = "payee_missing"


@dataclass(frozen=True)
class Candidate:
    """A customer's account in credit. What drafts will refund already is `pending_minor`; amounts above 0.

    `promotional_minor` of it came from vouchers and wallet credits that were given away: it is not paid out.
    """

    account_id: str
    owner_name: str
    currency: str
    credit_minor: int
    pending_minor: int
    is_terminated: bool
    has_gateway_payment: bool
    promotional_minor: int = 0

    @property
    def refund_minor(self) -> int:
        """What is left to refund."""
        return self.credit_minor - self.pending_minor - self.promotional_minor


@dataclass(frozen=True)
class Terms:
    """What an export is made with: the format, whom bank details are known of, and whether card payers are included."""

    file_format: FileFormat
    payees: frozenset[str]
    includes_gateway: bool = False


def against(candidate: Candidate, terms: Terms) -> SkipReason | None:
    """Return why an account is left out, or None when it is refunded."""
    if candidate.is_terminated:
        return SkipReason.ACCOUNT_TERMINATED
    if candidate.promotional_minor > 0 and candidate.refund_minor <= 0:
        return SkipReason.PROMOTIONAL
    if candidate.refund_minor <= 0:
        return SkipReason.REFUND_PENDING
    if candidate.has_gateway_payment and not terms.includes_gateway:
        return SkipReason.GATEWAY_CAN_REFUND
    if terms.file_format is FileFormat.PAIN_001 and candidate.currency != "EUR":
        return SkipReason.CURRENCY_OF_FORMAT
    if candidate.account_id not in terms.payees and (terms.payees or terms.file_format is FileFormat.PAIN_001):
        return SkipReason.PAYEE_MISSING
    return None


def refund_key(period: str, account_id: str) -> str:
    """Return the idempotency key of a month's refund: an account has one a month."""
    return f"{period_prefix(period)}{account_id}"


def period_prefix(period: str) -> str:
    """Return what the keys of a month's refunds begin with."""
    return f"refund:{period}:"
