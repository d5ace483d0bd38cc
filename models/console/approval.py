"""What needs four eyes: kinds of actions with a limit, and a request that waits for another person."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class LimitedKind(StrEnum):
    """What is limited: each has limits of its own, by currency and day."""

    REFUND = "refund"
    WRITE_OFF = "write_off"
    CANCELLATION = "cancellation"
    REFUND_FILE = "refund_file"
    DEBIT_FILE = "debit_file"


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


@dataclass(frozen=True)
class ApprovedRequest:
    """A request as it was asked for and decided about. `key` is that of the form; an amount is in minor units.

    A file for the bank is of no one account.
    """

    id: str
    action: str
    subject: str
    account_id: str | None
    amount_minor: int
    currency: str
    fields: Mapping[str, str]
    asked_by: str
    asked_because: str
    decided_by: str
    decided_because: str

    @property
    def key(self) -> str:
        """The key under which it is carried out, once."""
        return self.id.removeprefix("apv_")
