"""Refunds through a gateway, and payments cancelled there: orders, attempts and outcomes (F53, F66 to F69)."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.gateway.gateway_request import RequestKind
from models.operator_command import UnknownResolution
from models.waiting import NOTHING_PENDING, WaiterSnapshot

_ID = re.compile(r"[a-z][A-Za-z0-9_.-]{2,60}")


class RefundOutcome(StrEnum):
    """Where a refund or cancellation stands.

    `refunded` can still become `reversed`: the cardholder's bank sent the money back. `rejected` never left.
    """

    PENDING = "pending"
    UNKNOWN = "unknown"
    DID_NOT_HAPPEN = "did_not_happen"
    REFUNDED = "refunded"
    REJECTED = "rejected"
    REVERSED = "reversed"
    PROVIDER_NOT_EFFECTIVE = "provider_not_effective"  # nothing new is asked of it for now


REFUND_ENDED = frozenset({RefundOutcome.REJECTED, RefundOutcome.REVERSED})


class InvalidRefundError(ValueError):
    """A refund that breaks a rule; the message opens with the field."""


@dataclass(frozen=True)
class RefundOrder:
    """Give money of a payment back. Amount in minor units; 0 is all that is left of the payment.

    The id is the caller's: ordered twice under one id it is one refund, equal amounts under two ids are two. A
    cancellation takes all that is left. `is_acknowledged`: the actor knows that the credit limit is exceeded (F60).
    """

    refund_id: str
    payment_id: str
    amount_minor: int = 0
    kind: RequestKind = RequestKind.REFUND
    actor: str = "system"
    reason: str = ""
    origin: str = "user"
    is_acknowledged: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no refund. Raises InvalidRefundError."""
        if not _ID.fullmatch(self.refund_id):
            raise InvalidRefundError("refund_id: must be a lower-case letter and 2 to 60 letters, digits, _ . -")
        if not self.payment_id:
            raise InvalidRefundError("payment_id: say which payment")
        if self.amount_minor < 0:
            raise InvalidRefundError("amount: must not be negative")
        if self.kind not in {RequestKind.REFUND, RequestKind.PAYMENT_CANCELLATION}:
            raise InvalidRefundError("kind: must be refund or payment_cancellation")
        if self.kind is RequestKind.PAYMENT_CANCELLATION and self.amount_minor:
            raise InvalidRefundError("amount: a payment is cancelled in full, never in part")
        if not self.actor.strip():
            raise InvalidRefundError("actor: say who asks")


@dataclass(frozen=True)
class RefundRequest:
    """See a refund through. Without an order it is one that was requested before; the run that waits is signalled."""

    refund_id: str
    provider: str = "stripe"
    order: RefundOrder | None = None
    run_id: str = ""
    resumed: "RefundSnapshot | None" = None


@dataclass(frozen=True)
class RefundAttempt:
    """One attempt to refund; the same attempt always has the same key."""

    order: RefundOrder
    attempt: int = 1


@dataclass(frozen=True)
class RefundResult:
    """What a refund has come to; amounts in minor units. For `watch_days` after `executed_at` it may still fail.

    What a cancellation leaves open is collected under the period `collect_as`, if there is one. A refund that is part
    of a reduction names its award.
    """

    outcome: RefundOutcome
    refund_id: str
    attempt: int = 1
    kind: RequestKind = RequestKind.REFUND
    account_id: str = ""
    payment_id: str = ""
    transaction_id: str = ""
    amount_minor: int = 0
    currency: str = ""
    gateway_reference: str = ""
    code: str = ""
    executed_at: datetime | None = None
    watch_days: int = 30
    collect_as: str = ""
    award_id: str = ""


@dataclass(frozen=True)
class RefundResolution:
    """What a person found out about a refund whose outcome nobody knows."""

    refund_id: str
    attempt: int
    resolution: UnknownResolution


@dataclass(frozen=True)
class RefundSnapshot:
    """What a refund's workflow remembers across executions."""

    attempt: int = 1
    unknown_since: datetime | None = None
    checks: int = 0
    is_collected_again: bool = False
    first: RefundResult | None = None
    last: RefundResult | None = None
    waiter: WaiterSnapshot = NOTHING_PENDING


@dataclass(frozen=True)
class RefundStatus:
    """The answer to the query `status` of a refund."""

    result: RefundResult | None
    next_action: str
    next_action_at: datetime | None
    history: tuple[str, ...]
