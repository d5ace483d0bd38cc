"""The ledger's nightly audit: what was summed and sealed, and which of its rules is broken."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A rule that does not hold, and the id of what breaks it."""

    rule: str
    offender: str


@dataclass(frozen=True)
class RollUp:
    """How many roll-ups were summed and sealed now; the last of all, and its seal in hexadecimal."""

    filled: int
    upto_transfer_id: int = 0
    seal: str = ""


@dataclass(frozen=True)
class AuditResult:
    """What one audit came to: at most the first hundred violations."""

    roll_up: RollUp
    violations: tuple[Violation, ...]
