"""Messages to customers and operators: the kinds, the tags a template may use, and what a decline may be called."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from models.gateway.decline import Decline, DeclineClass, classify


class Audience(StrEnum):
    """Whom a message is for."""

    CUSTOMER = "customer"
    OPERATOR = "operator"


class MessageKind(StrEnum):
    """What a message says."""

    RECEIPT = "receipt"
    DECLINED = "declined"  # declined, and tried again by itself
    CARD_NEEDED = "card_needed"  # only another card or a payment by hand helps
    ACTION_REQUIRED = "action_required"  # the bank wants the customer to authenticate
    GIVEN_UP = "given_up"
    CARD_EXPIRING = "card_expiring"
    CARD_CONFIRMATION = "card_confirmation"  # a page to save a card on, or the bank's question about it
    CARD_REJECTED = "card_rejected"
    INVOICE_DUE = "invoice_due"
    INVOICE_OVERDUE = "invoice_overdue"
    REFUNDED = "refunded"  # the money is on its way back, or a payment was taken back
    REFUND_RETURNED = "refund_returned"  # the money of a refund has come back to us
    PAYMENT_REQUESTED = "payment_requested"  # a link to pay on
    PORTAL_LINK = "portal_link"  # a link to sign in to the portal by
    COMMUNICATION = "communication"  # what somebody wrote by a template of the configuration
    INVOICE_POSTED = "invoice_posted"  # an invoice, with its document
    BILL_MADE = "bill_made"  # the bill of a month, with its document
    DEBIT_ANNOUNCED = "debit_announced"  # a bank account will be debited, on which day (pre-notification)
    REQUEST_PAID = "request_paid"  # of a payment request: to operators, and to who has asked for it
    PAYMENTS_FAILED = "payments_failed"  # of a run
    PAYMENT_FAILED = "payment_failed"  # of a single collection
    SEVERAL_FAILURES = "several_failures"
    UNUSUAL_AMOUNT = "unusual_amount"
    NEEDS_REVIEW = "needs_review"
    HANDED_OVER = "handed_over"
    EVENT_UNKNOWN = "event_unknown"
    SENDING_HELD = "sending_held"  # the database has forgotten what was sent
    TEMPORAL_FORGOT = "temporal_forgot"  # Temporal's database was restored, or lost
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_DUE = "dispute_due"  # evidence is due soon, and there is none
    DISPUTE_DECIDED = "dispute_decided"
    MOVEMENTS_OVERDUE = "movements_overdue"  # money that the gateway should have moved by now
    DISCREPANCIES_FOUND = "discrepancies_found"  # gateway and ledger differ
    INVARIANTS_BROKEN = "invariants_broken"  # the ledger breaks a rule of its own
    BANK_REFUNDS_WAIT = "bank_refunds_wait"  # a month waits for its release
    REPORT_READY = "report_ready"  # a report by a calendar, or why there is none
    WALLET_NOT_SPENT = "wallet_not_spent"  # a run could not debit it, and asked for a card
    WALLET_NOT_FUNDED = "wallet_not_funded"  # a payment for it is booked, and its type or product is out of use
    DEBITS_OVERDUE = "debits_overdue"  # the bank should have settled them by now
    WRITTEN_OFF_PAID = "written_off_paid"  # money has come for an invoice that was written off
    FRAUD_SUSPECTED = "fraud_suspected"  # an issuer's early warning, or a review at the gateway
    CHARGE_HELD = "charge_held"  # nothing was sent: it is blocked, or a rule holds it
    REFUND_FAILED = "refund_failed"  # the gateway's no, or money that came back


class MessageState(StrEnum):
    """Where a message stands. `sending` that stays so is unsure: nobody knows, and a person decides."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    WITHHELD = "withheld"


_OWED = frozenset({"name", "sender", "amount", "period"})
_CARD = frozenset({"name", "sender", "card"})
_ALERT = frozenset({"account", "period", "link"})

# The tags (F141) of each kind: a template may use these, written #{tag}, and no others.
TAGS = MappingProxyType(
    {
        MessageKind.RECEIPT: _OWED | {"number", "paid_on", "card"},
        MessageKind.DECLINED: _OWED | {"card", "reason", "retry_on", "link"},
        MessageKind.CARD_NEEDED: _OWED | {"card", "reason", "until", "link"},
        MessageKind.ACTION_REQUIRED: _OWED | {"card", "until", "link"},
        MessageKind.GIVEN_UP: _OWED,
        MessageKind.CARD_EXPIRING: _CARD | {"until"},
        MessageKind.CARD_CONFIRMATION: _CARD | {"until", "link"},
        MessageKind.CARD_REJECTED: _CARD,
        MessageKind.INVOICE_DUE: frozenset({"name", "sender", "amount", "number", "until"}),
        MessageKind.INVOICE_OVERDUE: frozenset({"name", "sender", "amount", "number", "until"}),
        MessageKind.REFUNDED: frozenset({"name", "sender", "amount", "number"}),
        MessageKind.REFUND_RETURNED: frozenset({"name", "sender", "amount", "number"}),
        MessageKind.PAYMENT_REQUESTED: frozenset(
            {"name", "sender", "amount", "least", "most", "title", "description", "reason", "until", "link"}
            | {"shared", "standing"}
        ),
        MessageKind.PORTAL_LINK: frozenset({"name", "sender", "account", "link"}),
        # The tags of its own are models/messages/communication.py's: a template says which.
        MessageKind.COMMUNICATION: frozenset({"name", "sender"}),
        MessageKind.INVOICE_POSTED: frozenset({"name", "sender", "amount", "number", "until"}),
        MessageKind.BILL_MADE: _OWED | {"number"},
        MessageKind.DEBIT_ANNOUNCED: frozenset({"name", "sender", "amount", "until", "object", "mandate", "creditor"}),
        MessageKind.REQUEST_PAID: frozenset({"account", "amount", "title", "number", "link"}),
        MessageKind.PAYMENTS_FAILED: frozenset({"run", "members", "reasons", "link"}),
        MessageKind.PAYMENT_FAILED: _ALERT | {"amount", "code"},
        MessageKind.SEVERAL_FAILURES: _ALERT | {"failures", "days"},
        MessageKind.UNUSUAL_AMOUNT: _ALERT | {"amount", "usual", "payments"},
        MessageKind.NEEDS_REVIEW: _ALERT | {"amount", "code"},
        MessageKind.HANDED_OVER: _ALERT | {"amount", "code"},
        MessageKind.EVENT_UNKNOWN: frozenset({"event", "type", "object"}),
        MessageKind.MOVEMENTS_OVERDUE: frozenset({"type", "failures", "object"}),
        MessageKind.DISCREPANCIES_FOUND: frozenset({"count", "occasion", "found", "link"}),
        MessageKind.INVARIANTS_BROKEN: frozenset({"count", "found", "link"}),
        MessageKind.SENDING_HELD: frozenset({"provider", "reason"}),
        MessageKind.TEMPORAL_FORGOT: frozenset({"reason"}),
        MessageKind.BANK_REFUNDS_WAIT: frozenset({"count", "found", "object", "link"}),
        MessageKind.REPORT_READY: frozenset({"title", "occasion", "object", "count", "code", "reason", "link"}),
        MessageKind.WALLET_NOT_SPENT: frozenset({"account", "amount", "code", "link"}),
        MessageKind.WALLET_NOT_FUNDED: frozenset({"account", "amount", "code"}),
        MessageKind.DEBITS_OVERDUE: frozenset({"provider", "count", "object"}),
        MessageKind.WRITTEN_OFF_PAID: frozenset({"account", "amount", "number", "object"}),
        MessageKind.FRAUD_SUSPECTED: frozenset({"account", "amount", "number", "type", "object", "standing"}),
        MessageKind.CHARGE_HELD: _ALERT | {"amount", "code"},
        MessageKind.REFUND_FAILED: frozenset({"account", "amount", "code", "link"}),
        MessageKind.DISPUTE_OPENED: frozenset({"account", "amount", "code", "until", "link"}),
        MessageKind.DISPUTE_DUE: frozenset({"account", "amount", "code", "until", "link"}),
        MessageKind.DISPUTE_DECIDED: frozenset({"account", "amount", "code", "link"}),
    }
)

FOR_CUSTOMERS = frozenset(kind for kind, tags in TAGS.items() if "name" in tags)


class CustomerReason(StrEnum):
    """What a customer may read about why a card was declined."""

    UNSAID = "unsaid"
    FUNDS = "funds"
    EXPIRED = "expired"


_CUSTOMER_REASONS = MappingProxyType(
    {"insufficient_funds": CustomerReason.FUNDS, "expired_card": CustomerReason.EXPIRED}
)


def customer_reason(decline: Decline) -> CustomerReason:
    """Return what a customer may read about a decline: nothing where fraud is suspected, and little otherwise."""
    if classify(decline) is DeclineClass.FRAUD:
        return CustomerReason.UNSAID
    return _CUSTOMER_REASONS.get(decline.reason, CustomerReason.UNSAID)


@dataclass(frozen=True)
class Notice:
    """One step of a collection that somebody is notified of; `transition` distinguishes steps of a kind.

    Without a kind nothing new is written: what the step's own commit has written is sent. `at` is when the
    payment is tried again, or until when the customer may act; `reason` is for customers, `code` for operators.
    Nothing in it is personal.
    """

    account_id: str
    period: str
    kind: MessageKind | None = None
    transition: str = ""
    amount_minor: int = 0
    currency: str = ""
    card_id: str = ""
    reason: CustomerReason = CustomerReason.UNSAID
    code: str = ""
    at: datetime | None = None

    def parameters(self) -> dict[str, Any]:
        """Return what the outbox keeps of it."""
        return {
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "card_id": self.card_id,
            "reason": self.reason,
            "code": self.code,
            "at": self.at.isoformat() if self.at else None,
        }


@dataclass(frozen=True)
class CardNotice:
    """One thing that a card's holder is notified of; `transition` distinguishes those of a kind."""

    card_id: str
    kind: MessageKind
    transition: str
    at: datetime | None = None

    def parameters(self) -> dict[str, Any]:
        """Return what the outbox keeps of it."""
        return {"at": self.at.isoformat() if self.at else None}


@dataclass(frozen=True)
class MailingRequest:
    """Send what there is to send, after looking for alerts of a run, if one is named."""

    run_id: str = ""
    after: str = ""
    has_alerts: bool = False
    deferred: int = 0
    passes: int = 0


@dataclass(frozen=True)
class MailingStart:
    """Start the mailing of a run under an id."""

    run_id: str
    workflow_id: str
    task_queue: str


@dataclass(frozen=True)
class MailedPage:
    """What became of a page of messages; an empty `after` is the end."""

    after: str
    sent: int = 0
    deferred: int = 0
    others: int = 0
