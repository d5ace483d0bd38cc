"""What needs four eyes: kinds of actions with a limit, and a request that waits for another person."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from models.money import Money


class LimitedKind(StrEnum):
    """What is limited: each has limits of its own, by currency and day."""

    REFUND = "refund"
    WRITE_OFF = "write_off"
    CANCELLATION = "cancellation"
    REFUND_FILE = "refund_file"
    DEBIT_FILE = "debit_file"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    MOVE = "move"
    SUSPENSE_MOVE = "suspense_move"
    WALLET_CREDIT = "wallet_credit"
    VOUCHER = "voucher"
    STATEMENT = "statement"
    DISPUTE = "dispute"


class ApprovalState(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    EXPIRED = "expired"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ApprovalDecision(StrEnum):
    """What becomes of a request: the first two by another person, the last by who had asked."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


_WORDS: Mapping[LimitedKind, str] = MappingProxyType(
    {
        LimitedKind.REFUND: "refunds",
        LimitedKind.WRITE_OFF: "writes off",
        LimitedKind.CANCELLATION: "cancels",
        LimitedKind.REFUND_FILE: "releases files of refunds of",
        LimitedKind.DEBIT_FILE: "releases files of debits of",
        LimitedKind.CREDIT_NOTE: "credits",
        LimitedKind.PAYMENT: "posts payments by hand of",
        LimitedKind.MOVE: "moves payments of",
        LimitedKind.SUSPENSE_MOVE: "moves out of suspense",
        LimitedKind.WALLET_CREDIT: "credits wallets with",
        LimitedKind.VOUCHER: "issues vouchers of",
        LimitedKind.STATEMENT: "imports statements of",
        LimitedKind.DISPUTE: "accepts disputes of",
    }
)


@dataclass(frozen=True)
class LimitAlone:
    """What somebody of a role does alone in a day (UTC), of a kind and currency, in minor units; None is any amount.

    It `is_own` where it is said of the role, and not of all.
    """

    kind: LimitedKind
    currency: str
    role: str
    is_own: bool
    limit_minor: int | None
    used_minor: int

    def __str__(self) -> str:
        who = f"{'an' if self.role[:1] in 'ao' else 'a'} {self.role} {_WORDS[self.kind]}"
        if self.limit_minor is None:
            return f"{who} any amount alone"
        limit = str(Money(self.limit_minor, self.currency)) if self.limit_minor else f"nothing in {self.currency}"
        used = f", of which {Money(self.used_minor, self.currency)} are used" if self.used_minor else ""
        return f"{who} {limit} a day (UTC) alone{used}" if self.limit_minor else f"{who} {limit} alone"


@dataclass(frozen=True)
class ApprovedRequest:
    """A request as it was asked for and decided about. `key` is that of the form; an amount is in minor units.

    A file for the bank is of no one account, and a change of limits or users has no amount.
    """

    id: str
    action: str
    subject: str
    account_id: str | None
    amount_minor: int | None
    currency: str | None
    fields: Mapping[str, str]
    asked_by: str
    asked_because: str
    decided_by: str
    decided_because: str

    @property
    def key(self) -> str:
        """The key under which it is carried out, once."""
        return self.id.removeprefix("apv_")
