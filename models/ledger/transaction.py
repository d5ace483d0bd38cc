"""Financial transactions: the seven classifications, their sides, and the states they pass through (F1 to F47)."""

from enum import StrEnum


class Classification(StrEnum):
    """The seven kinds of financial transaction (F3)."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUND = "refund"
    WRITE_OFF = "write_off"
    INVOICE_CANCELLATION = "invoice_cancellation"
    PAYMENT_CANCELLATION = "payment_cancellation"


class Side(StrEnum):
    """Which side of the customer's account a transaction moves: a debit is owed, a credit settles."""

    DEBIT = "debit"
    CREDIT = "credit"


class LifeCycleState(StrEnum):
    """Where a transaction stands, set by the action taken, never typed (F31). Settled is derived, not a state (F47)."""

    DRAFT = "draft"
    POSTED = "posted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    WRITTEN_OFF = "written_off"


class Origin(StrEnum):
    """Who brought a transaction about (F4 to F11)."""

    SYSTEM = "system"
    USER = "user"
