"""A month's refunds by bank transfer that a schedule drafts, and the person's decision about their file (F120)."""

from dataclasses import dataclass
from enum import StrEnum

from models.operator_command import CommandError

# The commands with which a person decides.
DECIDE = "`duly refunds release`, or `refunds reject`"


class BankRefundsState(StrEnum):
    """Where a month's drafts stand; of an empty one nobody was in credit."""

    WAITING = "waiting"
    RELEASED = "released"
    REJECTED = "rejected"
    EMPTY = "empty"


@dataclass(frozen=True)
class BankRefundsRequest:
    """Draft a month's refunds, such as 2026-11, and wait for a person. Without a month it is the one of its moment.

    `asked` is how often an earlier execution has asked operators.
    """

    period: str = ""
    asked: int = 0


@dataclass(frozen=True)
class BankRefundsRecord:
    """A month: how many refunds were drafted, and who has decided what about them, and why."""

    period: str
    state: BankRefundsState
    refunds: int
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True)
class BankRefundsDecision:
    """Who releases or rejects a month's refunds, and why."""

    period: str
    state: BankRefundsState
    actor: str
    reason: str


def require_waiting(record: BankRefundsRecord | None) -> None:
    """Raise CommandError for a month that was decided about. One that is still being drafted is waited for."""
    if record is not None and record.state is not BankRefundsState.WAITING:
        raise CommandError(f"stage: the month's refunds are {record.state}; only those that wait are decided about")


def file_problem(period: str, state: str) -> str:
    """Say why the file of a month may not be written; empty where it may, as of a month that people draft."""
    if state == BankRefundsState.WAITING:
        return f"{period} waits for a person: {DECIDE}"
    return f"{period} was rejected: what is due comes with the next month" if state == BankRefundsState.REJECTED else ""
