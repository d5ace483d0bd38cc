"""Accounts receivable: whose they are, and the states they pass through (X44 to X46)."""

from enum import StrEnum


class AccountState(StrEnum):
    """Whether an account is in use. A terminated one takes no new transactions; only customers are suspended."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class AccountKind(StrEnum):
    """Whose account it is: a customer's, or one of the company's own (X45, X46)."""

    CUSTOMER = "customer"
    SUSPENSE = "suspense"
    WRITE_OFF = "write_off"
    INTERNAL = "internal"
