"""Disputes: a cardholder's bank takes money back, and evidence may win it again (S23)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from models.gateway.movements import Movement
from models.waiting import NOTHING_PENDING, WaiterSnapshot


class DisputeState(StrEnum):
    """Where a dispute stands. `inquiry`: before any money has moved; `closed`: an inquiry that ended."""

    INQUIRY = "inquiry"
    OPEN = "open"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


DISPUTE_ENDED = frozenset({DisputeState.WON, DisputeState.LOST, DisputeState.CLOSED})

# So long before evidence is due operators are reminded, if there is none.
REMINDERS = (timedelta(days=3), timedelta(days=1))

# The evidence that may be submitted, by the gateway's names; each is a text. None of it is stored here.
EVIDENCE = MappingProxyType(
    {
        "access_activity_log": "what the customer did on the service",
        "billing_address": "the customer's address",
        "cancellation_policy_disclosure": "how the customer was shown the cancellation policy",
        "cancellation_rebuttal": "why the subscription was not cancelled",
        "customer_email_address": "where the customer reads mail",
        "customer_name": "the customer's name",
        "customer_purchase_ip": "from where it was bought",
        "duplicate_charge_id": "the other charge",
        "duplicate_charge_explanation": "how the two charges differ",
        "product_description": "what was sold",
        "refund_policy_disclosure": "how the customer was shown the refund policy",
        "refund_refusal_explanation": "why there is no refund",
        "service_date": "when it was provided",
        "shipping_address": "where it was sent",
        "shipping_carrier": "who delivered it",
        "shipping_date": "when it was sent",
        "shipping_tracking_number": "its number with the carrier",
        "uncategorized_text": "anything else",
    }
)


@dataclass(frozen=True)
class DisputeData:
    """A dispute as the gateway has it; amounts in minor units of the payment's currency, as far as they have moved."""

    dispute_id: str
    payment_reference: str
    state: DisputeState
    status: str
    amount_minor: int
    currency: str
    reason: str
    evidence_due_at: datetime | None
    has_evidence: bool
    withdrawn_minor: int = 0
    reinstated_minor: int = 0
    movements: tuple[Movement, ...] = ()


class DisputeGateway(Protocol):
    """The part of a gateway that knows disputes; its errors are those of models/gateway/errors.py."""

    async def read_dispute(self, dispute_id: str) -> DisputeData:
        """Read a dispute as the gateway has it now."""
        ...

    async def submit_evidence(
        self, dispute_id: str, evidence: Mapping[str, str], *, idempotency_key: str
    ) -> DisputeData:
        """Hand evidence to the bank. It may be done once."""
        ...

    async def accept_dispute(self, dispute_id: str) -> DisputeData:
        """Give the money up. One that is decided already stays as it is."""
        ...


@dataclass(frozen=True)
class DisputeRecord:
    """A dispute as the database has it."""

    dispute_id: str
    provider: str
    account_id: str
    payment_id: str
    amount_minor: int
    currency: str
    reason: str
    state: DisputeState
    status: str
    evidence_due_at: datetime | None
    has_evidence: bool

    @property
    def wants_evidence(self) -> bool:
        """Say whether the bank waits for evidence."""
        return self.state not in DISPUTE_ENDED and not self.has_evidence and self.evidence_due_at is not None


@dataclass(frozen=True)
class DisputeRequest:
    """See a dispute through."""

    dispute_id: str
    provider: str = "stripe"
    resumed: "DisputeSnapshot | None" = None


@dataclass(frozen=True)
class DisputeSnapshot:
    """What a dispute's workflow carries from one execution to the next."""

    dispute: DisputeRecord | None = None
    waiter: WaiterSnapshot = NOTHING_PENDING


@dataclass(frozen=True)
class DisputeDecision:
    """Give a dispute up: who decides it, and why."""

    dispute_id: str
    actor: str
    reason: str


@dataclass(frozen=True)
class DisputeStatus:
    """The answer to the query `status` of a dispute."""

    dispute: DisputeRecord | None
    next_action: str
    next_action_at: datetime | None
    history: tuple[str, ...]


def next_reminder(dispute: DisputeRecord, *, now: datetime) -> datetime | None:
    """Return when operators are reminded next that evidence is due; None when they are not any more."""
    if not dispute.wants_evidence or dispute.evidence_due_at is None:
        return None
    ahead = [dispute.evidence_due_at - before for before in REMINDERS if dispute.evidence_due_at - before > now]
    return min(ahead, default=None)
