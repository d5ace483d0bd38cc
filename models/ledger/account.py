"""Accounts receivable: the states an account passes through (X44)."""

from enum import StrEnum


class AccountState(StrEnum):
    """Whether an account is in use. A terminated one takes no new transactions; only customers are suspended."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
